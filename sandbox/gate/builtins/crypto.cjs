const { Buffer } = require('./buffer.cjs')
const unavailable = require('./unavailable.cjs')

const { crypto } = globalThis
const MOST_RANDOM_BYTES = 65536
const hashes = { sha1: 'SHA-1', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' }
const constants = {
  RSA_PKCS1_PADDING: 1,
  RSA_PKCS1_PSS_PADDING: 6,
  RSA_PSS_SALTLEN_DIGEST: -1,
  RSA_PSS_SALTLEN_MAX_SIGN: -2,
  RSA_PSS_SALTLEN_AUTO: -2,
}
const lengths = { 'SHA-1': 20, 'SHA-256': 32, 'SHA-384': 48, 'SHA-512': 64 }

/** @returns the name as Web Cryptography has it, of `sha256`, `SHA-256`, `RSA-SHA256` and the like */
function hashOf(name) {
  const found =
    hashes[
      `${name}`
        .toLowerCase()
        .replace(/^(rsa|ecdsa|id-ecdsa-with)-/, '')
        .replace('-', '')
    ]
  if (!found) throw new Error(`crypto: digest ${name} is not available to plugins; use SHA-256`)
  return found
}

const bytesOf = (data, encoding) =>
  typeof data === 'string' ? Buffer.from(data, encoding) : asBytes(data)

function asBytes(data) {
  if (data instanceof KeyObject) return data.secret
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  if (data instanceof ArrayBuffer) return Buffer.from(data)
  throw new TypeError('crypto: data must be a string, a Buffer or a typed array')
}

const encoded = (bytes, encoding) => {
  const buffer = Buffer.from(bytes)
  return encoding && encoding !== 'buffer' ? buffer.toString(encoding) : buffer
}

/** Collects what is written; the work is done at once at the end. */
class Accumulator {
  #chunks = []

  update(data, encoding) {
    // A copy, since the caller may use its buffer again.
    this.#chunks.push(Buffer.from(bytesOf(data, encoding)))
    return this
  }

  write(data, encoding) {
    this.update(data, encoding)
    return true
  }

  end(data, encoding) {
    if (data !== undefined) this.update(data, encoding)
    return this
  }

  content() {
    return Buffer.concat(this.#chunks)
  }
}

class Hash extends Accumulator {
  #compute

  constructor(compute) {
    super()
    this.#compute = compute
  }

  digest(encoding) {
    return encoded(this.#compute(this.content()), encoding)
  }
}

function createHash(name) {
  const hash = hashOf(name)
  return new Hash((data) => crypto.sync.digest(hash, data))
}

function createHmac(name, key) {
  const hash = hashOf(name)
  const secret = bytesOf(key)
  return new Hash((data) => crypto.sync.hmac(hash, secret, data))
}

class Sign extends Accumulator {
  #name

  constructor(name) {
    super()
    this.#name = name
  }

  sign(key, encoding) {
    return encoded(sign(this.#name, this.content(), key), encoding)
  }
}

class Verify extends Accumulator {
  #name

  constructor(name) {
    super()
    this.#name = name
  }

  verify(key, signature, encoding) {
    return verify(this.#name, this.content(), key, bytesOf(signature, encoding))
  }
}

function sign(name, data, key) {
  return Buffer.from(crypto.sync.sign(schemeOf(name, key), pemOf(key), bytesOf(data)))
}

function verify(name, data, key, signature) {
  return crypto.sync.verify(schemeOf(name, key), pemOf(key), bytesOf(signature), bytesOf(data))
}

function schemeOf(
  name,
  { padding, saltLength = constants.RSA_PSS_SALTLEN_DIGEST, dsaEncoding } = {},
) {
  const hash = name ? hashOf(name) : 'SHA-256'
  return {
    hash,
    pss: padding === constants.RSA_PKCS1_PSS_PADDING,
    saltLength: saltLength < 0 ? lengths[hash] : saltLength,
    der: dsaEncoding !== 'ieee-p1363',
  }
}

/** Keys are texts in PEM form here; other forms go through `crypto.subtle`. */
function pemOf(key) {
  const given = key?.key ?? key
  const text = given instanceof KeyObject ? given.pem : bytesOf(given).toString()
  if (text?.includes('-----BEGIN')) return text
  throw new Error('crypto: only keys in PEM form are available to plugins; use crypto.subtle')
}

class KeyObject {
  constructor(type, { pem, secret }) {
    Object.assign(this, { type, pem, secret })
  }

  export() {
    return this.secret ?? this.pem
  }
}

function randomBytes(size, done) {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; at += MOST_RANDOM_BYTES) {
    crypto.getRandomValues(bytes.subarray(at, at + MOST_RANDOM_BYTES))
  }
  if (!done) return bytes
  queueMicrotask(() => done(null, bytes))
}

function randomInt(low, high) {
  const [least, limit] = high === undefined ? [0, low] : [low, high]
  const range = limit - least
  if (!(range > 0 && range <= 2 ** 32))
    throw new RangeError('crypto.randomInt: the range must be 1 to 2^32')
  const ceiling = 2 ** 32 - (2 ** 32 % range)
  const drawn = new Uint32Array(1)
  do crypto.getRandomValues(drawn)
  while (drawn[0] >= ceiling)
  return least + (drawn[0] % range)
}

function timingSafeEqual(left, right) {
  const [a, b] = [asBytes(left), asBytes(right)]
  if (a.length !== b.length) throw new RangeError('Input buffers must have the same byte length')
  let difference = 0
  for (let index = 0; index < a.length; index++) difference |= a[index] ^ b[index]
  return difference === 0
}

module.exports = unavailable('crypto', {
  Hash,
  Hmac: Hash,
  KeyObject,
  Sign,
  Verify,
  constants,
  createHash,
  createHmac,
  createPrivateKey: (key) => new KeyObject('private', { pem: pemOf(key) }),
  createPublicKey: (key) => new KeyObject('public', { pem: pemOf(key) }),
  createSecretKey: (key, encoding) => new KeyObject('secret', { secret: bytesOf(key, encoding) }),
  createSign: (name) => new Sign(name),
  createVerify: (name) => new Verify(name),
  getHashes: () => Object.keys(hashes),
  getRandomValues: (array) => crypto.getRandomValues(array),
  hash: (name, data, encoding = 'hex') => createHash(name).update(data).digest(encoding),
  randomBytes,
  randomInt,
  randomUUID: () => crypto.randomUUID(),
  sign,
  subtle: crypto?.subtle,
  timingSafeEqual,
  verify,
  webcrypto: crypto,
})
