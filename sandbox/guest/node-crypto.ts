import type { KeyObject } from 'node:crypto'
import type { KeyAlgorithm, KeyFormat, NativeCrypto, NativeKey } from './platform.ts'

type NodeCrypto = typeof import('node:crypto')

type JsonWebKey = Parameters<NodeCrypto['createPublicKey']>[0] extends infer Input
  ? Input extends { key: infer Key; format: 'jwk' }
    ? Key
    : never
  : never

interface NodeKey extends NativeKey {
  readonly handle: KeyObject
}

const digestNames: Record<string, string> = {
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
}
/** Block length of the hash, bits: the length of an HMAC key unless one is asked for. */
const blockLength: Record<string, number> = {
  'SHA-1': 512,
  'SHA-256': 512,
  'SHA-384': 1024,
  'SHA-512': 1024,
}
const curveNames: Record<string, string> = {
  'P-256': 'prime256v1',
  'P-384': 'secp384r1',
  'P-521': 'secp521r1',
}
const keyTypes: Record<string, string> = {
  Ed25519: 'ed25519',
  ECDSA: 'ec',
  'RSA-PSS': 'rsa',
  'RSASSA-PKCS1-v1_5': 'rsa',
}
/** Larger ones keep the thread busy for longer than a signature is worth. */
const LARGEST_MODULUS = 8192

/**
 * Loaded when it is first used, since that takes longer than all else that a guest asks of Node. What Node is made of is out
 * of reach for plugins, so it does not matter that one is there already.
 */
const node = () => process.getBuiltinModule('node:crypto')

/** Cryptography of `node:crypto`, its synchronous forms only. */
export function nodeCrypto(): NativeCrypto {
  return {
    randomBytes: (length) => node().randomBytes(length),
    randomUUID: () => node().randomUUID(),
    digest: (hash, data) => node().createHash(digestName(hash)).update(data).digest(),
    importKey: (format, data, algorithm, forPrivate) => {
      const handle = readKey(format, data, algorithm, forPrivate)
      const expected = keyTypes[algorithm.name]
      if (expected && handle.asymmetricKeyType !== expected) {
        throw new TypeError(`The key is not one for ${algorithm.name}`)
      }
      return toNativeKey(handle, algorithm)
    },
    importPem: (pem, forPrivate) => {
      const handle = forPrivate ? node().createPrivateKey(pem) : node().createPublicKey(pem)
      const name = Object.keys(keyTypes).findLast(
        (known) => keyTypes[known] === handle.asymmetricKeyType,
      )
      if (!name) throw new TypeError(`A key of type ${handle.asymmetricKeyType} is not supported`)
      return toNativeKey(handle, { name })
    },
    exportKey: (format, key) => writeKey(format, (key as NodeKey).handle),
    generateKey: (algorithm) => generate(algorithm).map((handle) => toNativeKey(handle, algorithm)),
    sign: (algorithm, key, data) => {
      const { handle } = key as NodeKey
      if (algorithm.name === 'HMAC') return hmac(algorithm, handle, data)
      return node().sign(signatureDigest(algorithm), data, {
        key: handle,
        ...signatureForm(algorithm),
      })
    },
    verify: (algorithm, key, signature, data) => {
      const { handle } = key as NodeKey
      if (algorithm.name !== 'HMAC') {
        const key = { key: handle, ...signatureForm(algorithm) }
        return node().verify(signatureDigest(algorithm), data, key, signature)
      }
      const expected = hmac(algorithm, handle, data)
      return expected.length === signature.length && node().timingSafeEqual(expected, signature)
    },
  }
}

function toNativeKey(handle: KeyObject, algorithm: KeyAlgorithm): NodeKey {
  const details = handle.asymmetricKeyDetails
  if ((details?.modulusLength ?? 0) > LARGEST_MODULUS) {
    throw new TypeError(`The modulus has more than ${LARGEST_MODULUS} bits`)
  }
  const learnt: KeyAlgorithm = { ...algorithm }
  if (details?.modulusLength) learnt.modulusLength = details.modulusLength
  if (handle.type === 'secret') learnt.length = (handle.symmetricKeySize ?? 0) * 8
  return { type: handle.type, algorithm: learnt, handle }
}

function readKey(
  format: KeyFormat,
  data: unknown,
  algorithm: KeyAlgorithm,
  forPrivate: boolean,
): KeyObject {
  if (algorithm.name === 'HMAC') {
    const bytes =
      format === 'jwk'
        ? Buffer.from((data as JsonWebKey).k ?? '', 'base64url')
        : (data as Uint8Array)
    return node().createSecretKey(bytes)
  }
  if (format === 'jwk') {
    const jwk = { key: data as JsonWebKey, format: 'jwk' } as const
    return (data as JsonWebKey).d === undefined
      ? node().createPublicKey(jwk)
      : node().createPrivateKey(jwk)
  }
  const bytes = Buffer.from(data as Uint8Array)
  if (format === 'pkcs8')
    return node().createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' })
  if (format === 'spki') return node().createPublicKey({ key: bytes, format: 'der', type: 'spki' })
  if (forPrivate) throw new TypeError('A raw key is a public one')
  return rawPublicKey(bytes, algorithm)
}

function rawPublicKey(bytes: Buffer, { name, namedCurve = '' }: KeyAlgorithm): KeyObject {
  const x = (from: number, to: number) => bytes.subarray(from, to).toString('base64url')
  if (name === 'Ed25519') {
    return node().createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: x(0, bytes.length) },
      format: 'jwk',
    })
  }
  // Uncompressed point (SEC 1, section 2.3.3): 04, then both coordinates.
  const middle = (bytes.length - 1) / 2 + 1
  const point = { kty: 'EC', crv: namedCurve, x: x(1, middle), y: x(middle, bytes.length) }
  return node().createPublicKey({ key: point, format: 'jwk' })
}

function writeKey(format: KeyFormat, handle: KeyObject): unknown {
  if (format === 'jwk') return handle.export({ format: 'jwk' })
  if (handle.type === 'secret') return handle.export()
  if (format === 'pkcs8' && handle.type === 'private')
    return handle.export({ format: 'der', type: 'pkcs8' })
  if (format === 'spki' && handle.type === 'public')
    return handle.export({ format: 'der', type: 'spki' })
  if (format === 'raw' && handle.type === 'public') {
    const { x = '', y } = handle.export({ format: 'jwk' })
    const coordinates = [x, y ?? ''].map((part) => Buffer.from(part, 'base64url'))
    return Buffer.concat(y === undefined ? coordinates : [Buffer.of(4), ...coordinates])
  }
  throw new TypeError(`A ${handle.type} key cannot be exported as ${format}`)
}

function generate({
  name,
  hash = '',
  namedCurve = '',
  modulusLength = 2048,
  length,
}: KeyAlgorithm): KeyObject[] {
  if (name === 'HMAC')
    return [node().createSecretKey(node().randomBytes((length ?? blockLength[hash] ?? 512) / 8))]
  const { privateKey, publicKey } =
    name === 'Ed25519'
      ? node().generateKeyPairSync('ed25519')
      : name === 'ECDSA'
        ? node().generateKeyPairSync('ec', { namedCurve: curveNames[namedCurve] ?? '' })
        : node().generateKeyPairSync('rsa', { modulusLength: Math.min(modulusLength, 3072) })
  return [privateKey, publicKey]
}

function hmac({ hash = '' }: KeyAlgorithm, key: KeyObject, data: Uint8Array): Buffer {
  return node().createHmac(digestName(hash), key).update(data).digest()
}

function signatureForm({ name, der, saltLength = 0 }: KeyAlgorithm) {
  if (name === 'RSA-PSS') return { padding: node().constants.RSA_PKCS1_PSS_PADDING, saltLength }
  return { dsaEncoding: der ? 'der' : 'ieee-p1363' } as const
}

function signatureDigest({ name, hash = '' }: KeyAlgorithm): string | null {
  return name === 'Ed25519' ? null : digestName(hash)
}

function digestName(hash: string): string {
  return digestNames[hash] ?? ''
}
