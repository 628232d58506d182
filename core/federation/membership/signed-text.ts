import { sign, verify } from 'node:crypto'
import { type PublicKey, Refusal, type SiteKeys } from '../trust/index.ts'
import { parseShallow } from '../trust/shallow-json.ts'

/** One kind never passes for another (RFC 8725, section 3.11). */
export type SignedType = 'heartbeat' | 'membership'

/** What somebody signed, as far as it can be read without knowing the key. */
export interface SignedText {
  readonly kid: string
  readonly claims: Readonly<Record<string, unknown>>
  /** Whether the key that it names is among these, and made the signature. @throws Refusal otherwise */
  assertSignedBy(keys: readonly PublicKey[]): void
}

const LONGEST = 4096
const SIGNATURE_LENGTH = 86
const BASE64URL = /^[A-Za-z0-9_-]+$/
const headerKeys = new Set(['alg', 'kid', 'typ'])

/** @returns compact JWS (RFC 7515) with Ed25519 (RFC 8037) */
export function signText(
  type: SignedType,
  claims: Readonly<Record<string, unknown>>,
  { kid, privateKey }: SiteKeys['signing'],
): string {
  const input = `${encode({ alg: 'EdDSA', kid, typ: mediaType(type) })}.${encode(claims)}`
  return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`
}

/** @throws Refusal when it is not built as such a text */
export function readSignedText(type: SignedType, text: string): SignedText {
  if (text.length > LONGEST) throw new Refusal('too-large', `has ${text.length} characters`)
  const parts = text.split('.')
  const [header = '', payload = '', signature = ''] = parts
  if (parts.length !== 3 || !parts.every((part) => BASE64URL.test(part)))
    throw new Refusal('malformed', 'it is not a compact JWS')
  const kid = readHeader(header, type)
  const input = Buffer.from(`${header}.${payload}`)
  return {
    kid,
    claims: parseShallow(decode(payload)),
    assertSignedBy(keys) {
      const key = keys.find((known) => known.use === 'sig' && known.kid === kid)
      if (!key) throw new Refusal('unknown-key', `its key ${kid} is not known here`)
      const isRight =
        signature.length === SIGNATURE_LENGTH &&
        verify(null, input, key.key, Buffer.from(signature, 'base64url'))
      if (!isRight) throw new Refusal('bad-signature', 'the signature is not that of the key')
    },
  }
}

function readHeader(encoded: string, type: SignedType): string {
  const header = parseShallow(decode(encoded))
  const { alg, kid, typ } = header
  const isKnown = Object.keys(header).every((key) => headerKeys.has(key))
  if (!isKnown || alg !== 'EdDSA' || typeof kid !== 'string' || kid.length > 64)
    throw new Refusal('malformed', 'its header is not { alg: EdDSA, kid, typ }')
  if (typ !== mediaType(type)) throw new Refusal('wrong-type', `it is no ${type}`)
  return kid
}

function mediaType(type: SignedType): string {
  return `fogbow-${type}`
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(text: string): string {
  return Buffer.from(text, 'base64url').toString()
}

/** A time of RFC 7519, in seconds. @returns ms since the epoch. @throws Refusal */
export function readTime(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value < 1e11) return Math.round(value * 1000)
  throw new Refusal('malformed', 'it does not say when it was made and until when it is valid')
}
