import type { KeyAlgorithm, KeyFormat, NativeCrypto, NativeKey } from './platform.ts'

/** Longest input of one operation, bytes: it is computed at once and cannot be interrupted. */
const LONGEST_INPUT = 2 ** 24
const MOST_RANDOM_BYTES = 65536
const formats = new Set<unknown>(['raw', 'jwk', 'spki', 'pkcs8'])
const hashes = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']
const curves = ['P-256', 'P-384', 'P-521']
const keyNames = ['HMAC', 'Ed25519', 'ECDSA', 'RSASSA-PKCS1-v1_5']
const publicUsages = new Set(['verify'])

interface CryptoKeyFields {
  type: string
  extractable: boolean
  algorithm: object
  usages: readonly string[]
}

/**
 * The part of Web Cryptography (W3C Web Cryptography Level 2) that token libraries need: digest, and import, export,
 * generation, signature and verification for HMAC, Ed25519, ECDSA and RSASSA-PKCS1-v1_5. Keys are frozen plain objects;
 * what they stand for stays on this side.
 */
export function createGuestCrypto(native: NativeCrypto): object {
  const keys = new WeakMap<object, NativeKey>()

  function makeKey(key: NativeKey, extractable: boolean, usages: readonly string[]): object {
    const { name, hash, ...rest } = key.algorithm
    const fields: CryptoKeyFields = {
      type: key.type,
      extractable,
      algorithm: harden({ name, ...(hash && { hash: { name: hash } }), ...rest }),
      usages: harden([...usages]),
    }
    const shown = harden({ ...fields, [Symbol.toStringTag]: 'CryptoKey' })
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
    return { ...key.algorithm, ...(wanted.name === 'ECDSA' && { hash: knownHash(wanted.hash) }) }
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
      const [key, publicKey] = native.generateKey(keyAlgorithm(readAlgorithm(algorithm)))
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

  return {
    subtle,
    getRandomValues: (array: unknown) => {
      const target = viewOf(array)
      if (target.byteLength > MOST_RANDOM_BYTES)
        throw new RangeError(`At most ${MOST_RANDOM_BYTES} random bytes at once`)
      target.set(native.randomBytes(target.byteLength))
      return array
    },
    randomUUID: () => native.randomUUID(),
  }
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
  return algorithm
}

/** @throws NotSupportedError unless it is an algorithm for keys, complete and within bounds */
function keyAlgorithm(algorithm: KeyAlgorithm): KeyAlgorithm {
  const { name, namedCurve, modulusLength, length } = algorithm
  if (!keyNames.includes(name)) throw notSupported(name)
  if (name === 'HMAC' || name === 'RSASSA-PKCS1-v1_5') knownHash(algorithm.hash)
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
