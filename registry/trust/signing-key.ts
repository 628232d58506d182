import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { FogbowError } from '@fogbow/plugin-sdk'

/** An Ed25519 key that publishers, catalogues and revocation lists sign with (RFC 8037). */
export interface VerifyingKey {
  /** Thumbprint (RFC 7638): cannot be chosen, so that no two keys share one. */
  readonly keyId: string
  /** `keyId:key`, both in base64url, as it is written into a configuration. */
  readonly text: string
  verifies(text: string, signature: string): boolean
}

export interface SigningKey extends VerifyingKey {
  /** @returns base64url */
  sign(text: string): string
  /** PKCS #8 in PEM: the secret. */
  export(): string
}

const X = /^[A-Za-z0-9_-]{43}$/

/** @throws configuration_error that says what is wrong with it, not where it is written */
export function readVerifyingKey(text: string): VerifyingKey {
  const [keyId, x = '', ...rest] = text.split(':')
  if (rest.length > 0 || !X.test(x))
    throw unreadable('expected is keyId:key, both in base64url, as `fogbow-plugin key` prints it')
  const key = toVerifyingKey(x)
  if (key.keyId !== keyId) throw unreadable(`'${keyId}' is not the thumbprint of the key behind it`)
  return key
}

/** @param pem - PKCS #8 */
export function readSigningKey(pem: string): SigningKey {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch (cause) {
    throw unreadable('it is no private key in PEM (PKCS #8)', cause)
  }
  if (key.asymmetricKeyType !== 'ed25519') throw unreadable('it is no Ed25519 key')
  return toSigningKey(key)
}

export function createSigningKey(): SigningKey {
  return toSigningKey(generateKeyPairSync('ed25519').privateKey)
}

function toSigningKey(key: KeyObject): SigningKey {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  return {
    ...toVerifyingKey(x),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
    export: () => key.export({ format: 'pem', type: 'pkcs8' }).toString(),
  }
}

function toVerifyingKey(x: string): VerifyingKey {
  const jwk = { crv: 'Ed25519', kty: 'OKP', x }
  const keyId = hash('sha256', JSON.stringify(jwk), 'base64url')
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  return {
    keyId,
    text: `${keyId}:${x}`,
    verifies: (text, signature) =>
      verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url')),
  }
}

function unreadable(why: string, cause?: unknown): FogbowError {
  return new FogbowError('configuration_error', `Key cannot be used: ${why}`, { cause })
}
