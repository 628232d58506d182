import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import { FogbowError } from '@fogbow/plugin-sdk'

/** `sig` signs (Ed25519), `enc` is encrypted to (X25519). */
export type KeyUse = 'sig' | 'enc'

/** A public key of a site (RFC 8037). */
export interface PublicKey {
  /** Thumbprint (RFC 7638): cannot be chosen, so that no two keys share one. */
  readonly kid: string
  readonly use: KeyUse
  /** The key itself, 32 bytes in base64url. */
  readonly x: string
  readonly key: KeyObject
}

/** A key as an administrator writes it: `kid:x`, or the JSON Web Key. */
export type WrittenKey = string | Readonly<Record<string, unknown>>

const curves: Readonly<Record<KeyUse, string>> = { sig: 'Ed25519', enc: 'X25519' }
const X = /^[A-Za-z0-9_-]{43}$/

/** @throws configuration_error when it is no public key of these kinds, or its name is that of another key */
export function readPublicKey(written: WrittenKey): PublicKey {
  if (typeof written === 'string') return readText(written)
  const { kty, crv, x, kid } = written
  const use = crv === curves.sig ? 'sig' : crv === curves.enc ? 'enc' : undefined
  if (kty !== 'OKP' || !use || typeof x !== 'string' || !X.test(x))
    throw unreadable('it is neither an Ed25519 nor an X25519 key')
  if ('d' in written) throw unreadable('it is a private key, which belongs to that site alone')
  const key = publicKey(use, x)
  if (kid !== undefined && kid !== key.kid) throw unreadable(`its kid is not its thumbprint`)
  return key
}

/** As `readPublicKey` reads it: `kid:x`. */
export function writePublicKey({ kid, x }: Pick<PublicKey, 'kid' | 'x'>): string {
  return `${kid}:${x}`
}

export function publicKey(use: KeyUse, x: string): PublicKey {
  const jwk = { crv: curves[use], kty: 'OKP', x }
  const kid = hash('sha256', JSON.stringify(jwk), 'base64url')
  try {
    return { kid, use, x, key: createPublicKey({ key: jwk, format: 'jwk' }) }
  } catch {
    throw unreadable('its value is not valid')
  }
}

/** The name tells the use: it is the thumbprint of one of the two kinds. */
function readText(text: string): PublicKey {
  const [kid, x = '', ...rest] = text.split(':')
  if (rest.length > 0 || !X.test(x)) throw unreadable('expected is kid:key, both in base64url')
  const key = [publicKey('sig', x), publicKey('enc', x)].find((found) => found.kid === kid)
  if (!key) throw unreadable(`'${kid}' is not the thumbprint of the key behind it`)
  return key
}

function unreadable(why: string): FogbowError {
  return new FogbowError('configuration_error', `Key of a peer: ${why}`)
}
