import type { KeyAlgorithm, KeyFormat, NativeCrypto, NativeKey } from './platform.ts'

/** Longest input of one operation, bytes: it is computed at once and cannot be interrupted. */
const LONGEST_INPUT = 2 ** 24
const MOST_RANDOM_BYTES = 65536
const formats = new Set<unknown>(['raw', 'jwk', 'spki', 'pkcs8'])
const hashes = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']
const curves = ['P-256', 'P-384', 'P-521']
const keyNames = ['HMAC', 'Ed25519', 'ECDSA', 'RSASSA-PKCS1-v1_5', 'RSA-PSS']
const LONGEST_SALT = 512
const LONGEST_PEM = 32768
const LARGEST_NEW_MODULUS = 3072
const publicUsages = new Set(['verify'])

interface CryptoKeyFields {
  type: string
  extractable: boolean
  algorithm: object
  usages: readonly string[]
}

/** Class of the keys, for `instanceof`; what a key stands for stays on this side. */
class CryptoKey {
  constructor() {
    throw new TypeError('Illegal constructor')
  }

  get [Symbol.toStringTag](): string {
    return 'CryptoKey'
  }
}

/**
 * The part of Web Cryptography (W3C Web Cryptography Level 2) that token libraries need: digest, and import, export,
 * generation, signature and verification for HMAC, Ed25519, ECDSA, RSASSA-PKCS1-v1_5 and RSA-PSS. `sync` beside it is
 * what the gate's stand-in for `node:crypto` is made of: the same work, answered at once.
 */
export function createGuestCrypto(platform: NativeCrypto): {
  crypto: object
  CryptoKey: typeof CryptoKey
} {
  const native = withPlainErrors(platform)
  const keys = new WeakMap<object, NativeKey>()

  function makeKey(key: NativeKey, extractable: boolean, usages: readonly string[]): object {
    const { name, hash, ...rest } = key.algorithm
    const fields: CryptoKeyFields = {
      type: key.type,
      extractable,
      algorithm: harden({ name, ...(hash && { hash: { name: hash } }), ...rest }),
      usages: harden([...usages]),
    }
    const shown = harden(Object.assign(Object.create(CryptoKey.prototype), fields) as object)
    keys.set(shown, key)
    return shown
  }

  function nativeKey(key: unknown, usage?: string): { key: NativeKey; fields: CryptoKeyFields } {
    const found = typeof key === 'object' && key !== null ? keys.get(key) : undefined
    if (!found) throw new TypeError('The key must be one made by crypto.subtle')
    const fields = key as CryptoKeyFields
    if (usage && !fields.usages.includes(usage))
      throw invalidAccess(`The key may not be used to ${usage}`)
    return { key: found, fields }
  }

  function signingAlgorithm(given: unknown, key: NativeKey): KeyAlgorithm {
    const wanted = readAlgorithm(given)
    if (wanted.name !== key.algorithm.name)
      throw invalidAccess(`The key is one for ${key.algorithm.name}`)
    const algorithm = { ...key.algorithm }
    if (wanted.name === 'ECDSA') algorithm.hash = knownHash(wanted.hash)
    if (wanted.name === 'RSA-PSS') algorithm.saltLength = knownSalt(wanted.saltLength)
    return algorithm
  }

  const subtle = {
    async digest(algorithm: unknown, data: unknown) {
      const name = typeof algorithm === 'string' ? algorithm : readAlgorithm(algorithm).name
      return exactBuffer(native.digest(knownHash(name), toBytes(data)))
    },
    async importKey(
      format: unknown,
      data: unknown,
      algorithm: unknown,
      extractable: unknown,
      usages: unknown,
    ) {
      if (!formats.has(format)) throw notSupported(`format ${String(format)}`)
      const wanted = keyAlgorithm(readAlgorithm(algorithm))
      const asked = readUsages(usages)
      const source = format === 'jwk' ? readJwk(data) : toBytes(data)
      const key = native.importKey(format as KeyFormat, source, wanted, asked.includes('sign'))
      return makeKey(key, Boolean(extractable) || key.type === 'public', asked)
    },
    async exportKey(format: unknown, shown: unknown) {
      if (!formats.has(format)) throw notSupported(`format ${String(format)}`)
      const { key, fields } = nativeKey(shown)
      if (!fields.extractable) throw invalidAccess('The key may not be exported')
      const exported = native.exportKey(format as KeyFormat, key)
      if (exported instanceof Uint8Array) return exactBuffer(exported)
      return { ...(exported as object), ext: true, key_ops: [...fields.usages] }
    },
    async generateKey(algorithm: unknown, extractable: unknown, usages: unknown) {
      const asked = readUsages(usages)
      const wanted = keyAlgorithm(readAlgorithm(algorithm))
      if ((wanted.modulusLength ?? 0) > LARGEST_NEW_MODULUS)
        throw notSupported(`a new key of more than ${LARGEST_NEW_MODULUS} bits`)
      const [key, publicKey] = native.generateKey(wanted)
      if (!key) throw notSupported('this algorithm')
      if (!publicKey) return makeKey(key, Boolean(extractable), asked)
      return {
        privateKey: makeKey(
          key,
          Boolean(extractable),
          asked.filter((usage) => !publicUsages.has(usage)),
        ),
        publicKey: makeKey(
          publicKey,
          true,
          asked.filter((usage) => publicUsages.has(usage)),
        ),
      }
    },
    async sign(algorithm: unknown, shown: unknown, data: unknown) {
      const { key } = nativeKey(shown, 'sign')
      return exactBuffer(native.sign(signingAlgorithm(algorithm, key), key, toBytes(data)))
    },
    async verify(algorithm: unknown, shown: unknown, signature: unknown, data: unknown) {
      const { key } = nativeKey(shown, 'verify')
      return native.verify(signingAlgorithm(algorithm, key), key, toBytes(signature), toBytes(data))
    },
  }

  const sync = {
    digest: (hash: unknown, data: unknown) =>
      ownBytes(native.digest(knownHash(hash), toBytes(data))),
    hmac: (hash: unknown, key: unknown, data: unknown) => {
      const algorithm = { name: 'HMAC', hash: knownHash(hash) }
      const secret = native.importKey('raw', toBytes(key), algorithm, true)
      return ownBytes(native.sign(algorithm, secret, toBytes(data)))
    },
    sign: (scheme: unknown, pem: unknown, data: unknown) => {
      const key = native.importPem(readPem(pem), true)
      return ownBytes(native.sign(textKeyAlgorithm(scheme, key), key, toBytes(data)))
    },
    verify: (scheme: unknown, pem: unknown, signature: unknown, data: unknown) => {
      const key = native.importPem(readPem(pem), false)
      return native.verify(textKeyAlgorithm(scheme, key), key, toBytes(signature), toBytes(data))
    },
  }

  const crypto = {
    subtle,
    sync,
    getRandomValues: (array: unknown) => {
      const target = viewOf(array)
      if (target.byteLength > MOST_RANDOM_BYTES)
        throw new RangeError(`At most ${MOST_RANDOM_BYTES} random bytes at once`)
      target.set(native.randomBytes(target.byteLength))
      return array
    },
    randomUUID: () => native.randomUUID(),
  }
  return { crypto, CryptoKey }
}

/** Errors of the platform have classes of their own, which plugins could change; what they say is enough. */
function withPlainErrors(native: NativeCrypto): NativeCrypto {
  const wrap =
    (run: (...args: unknown[]) => unknown) =>
    (...args: unknown[]) => {
      try {
        return run(...args)
      } catch (error) {
        const { message } = error as Error
        if (error instanceof TypeError) throw new TypeError(message)
        throw error instanceof RangeError ? new RangeError(message) : new Error(message)
      }
    }
  const methods = Object.entries(native).map(([name, run]) => [name, wrap(run)])
  return Object.fromEntries(methods) as NativeCrypto
}

function readAlgorithm(given: unknown): KeyAlgorithm {
  if (typeof given === 'string') return { name: knownName(given) }
  const source = (given ?? {}) as Record<string, unknown>
  const hash =
    typeof source.hash === 'object' ? (source.hash as { name?: unknown } | null)?.name : source.hash
  const algorithm: KeyAlgorithm = { name: knownName(String(source.name)) }
  if (hash !== undefined) algorithm.hash = knownHash(hash)
  if (source.namedCurve !== undefined) algorithm.namedCurve = String(source.namedCurve)
  if (source.modulusLength !== undefined) algorithm.modulusLength = Number(source.modulusLength)
  if (source.length !== undefined) algorithm.length = Number(source.length)
  if (source.saltLength !== undefined) algorithm.saltLength = knownSalt(source.saltLength)
  return algorithm
}

/** How to sign with a key in text form: `{ hash, pss?, saltLength?, der? }`, of which only what fits the key counts. */
function textKeyAlgorithm(scheme: unknown, { algorithm }: NativeKey): KeyAlgorithm {
  const { hash, pss, saltLength, der } = (scheme ?? {}) as Record<string, unknown>
  if (algorithm.name === 'Ed25519') return { name: 'Ed25519' }
  const known = knownHash(hash)
  if (algorithm.name === 'ECDSA') return { name: 'ECDSA', hash: known, der: Boolean(der) }
  if (!pss) return { name: 'RSASSA-PKCS1-v1_5', hash: known }
  return { name: 'RSA-PSS', hash: known, saltLength: knownSalt(saltLength) }
}

function knownSalt(length: unknown): number {
  const bytes = Number(length)
  if (Number.isInteger(bytes) && bytes >= 0 && bytes <= LONGEST_SALT) return bytes
  throw new RangeError(`The salt must have 0 to ${LONGEST_SALT} bytes`)
}

function readPem(pem: unknown): string {
  const text = String(pem)
  if (text.length > LONGEST_PEM) throw new RangeError(`A key has at most ${LONGEST_PEM} characters`)
  return text
}

/** @throws NotSupportedError unless it is an algorithm for keys, complete and within bounds */
function keyAlgorithm(algorithm: KeyAlgorithm): KeyAlgorithm {
  const { name, namedCurve, modulusLength, length } = algorithm
  if (!keyNames.includes(name)) throw notSupported(name)
  if (name === 'HMAC' || name.startsWith('RSA')) knownHash(algorithm.hash)
  if (name === 'ECDSA' && !curves.includes(String(namedCurve)))
    throw notSupported(`curve ${namedCurve}`)
  if (modulusLength !== undefined && !(modulusLength >= 2048 && modulusLength <= 4096)) {
    throw notSupported(`a modulus of ${modulusLength} bits; 2048 to 4096 are`)
  }
  if (length !== undefined && !(length > 0 && length <= 65536))
    throw notSupported(`a length of ${length} bits`)
  return algorithm
}

function knownName(name: string): string {
  return (
    [...keyNames, ...hashes].find((known) => known.toLowerCase() === name.toLowerCase()) ?? name
  )
}

function knownHash(hash: unknown): string {
  const known = hashes.find((name) => name === String(hash).toUpperCase())
  if (!known) throw notSupported(`hash ${String(hash)}`)
  return known
}

/** The members of a key in JSON form (RFC 7517), as texts. */
function readJwk(data: unknown): Record<string, string> {
  if (typeof data !== 'object' || data === null) throw new TypeError('The key must be an object')
  const source = data as Record<string, unknown>
  const members: Record<string, string> = {}
  for (const name of ['kty', 'crv', 'k', 'x', 'y', 'd', 'n', 'e', 'p', 'q', 'dp', 'dq', 'qi']) {
    if (typeof source[name] === 'string') members[name] = source[name].slice(0, MOST_RANDOM_BYTES)
  }
  return members
}

function readUsages(usages: unknown): string[] {
  return Array.isArray(usages) ? usages.slice(0, 16).map(String) : []
}

function viewOf(value: unknown): Uint8Array {
  if (ArrayBuffer.isView(value))
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  throw new TypeError('Expected a typed array or an ArrayBuffer')
}

/** A copy, so that what is checked is what is used. */
function toBytes(value: unknown): Uint8Array {
  const view = viewOf(value)
  if (view.byteLength > LONGEST_INPUT)
    throw new RangeError(`At most ${LONGEST_INPUT} bytes at once`)
  return view.slice()
}

function ownBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(exactBuffer(bytes))
}

/** A buffer of its own, never a part of one that the platform shares among its callers. */
function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(bytes.byteLength)
  copy.set(bytes)
  return copy.buffer
}

function notSupported(what: string): Error {
  return Object.assign(new Error(`crypto: ${what} is not supported here`), {
    name: 'NotSupportedError',
  })
}

function invalidAccess(message: string): Error {
  return Object.assign(new Error(message), { name: 'InvalidAccessError' })
}
