import { hash } from 'node:crypto'
import type { Clock } from '../xmpp/index.ts'
import { algorithms, type Proof, type Proofs, proofLengths } from './proofs.ts'
import { Refusal } from './refusal.ts'
import { parseShallow } from './shallow-json.ts'

/** What an envelope is for; one kind never passes for another (RFC 8725, section 3.11). */
export type EnvelopeType = 'request' | 'answer' | 'parcel'

/** Made by `iss` for `aud` (RFC 7519; times in seconds there, ms here). */
export interface Envelope {
  readonly id: string
  readonly issuedAt: number
  readonly expiresAt: number
  readonly kid: string
  readonly proof: Proof
  /** SHA-256 of what was signed: names this envelope, whoever carries it. */
  readonly hash: string
  readonly claims: Readonly<Record<string, unknown>>
}

export interface Sealed {
  /** Compact JWS (RFC 7515): ASCII without white space. */
  readonly text: string
  readonly hash: string
}

export interface Sealing {
  readonly to: string
  readonly id: string
  readonly expiresAt: number
  readonly claims: Readonly<Record<string, unknown>>
  /** `signed` when absent */
  readonly proof?: Proof
}

export interface Opening {
  /** The site whose servers sent it. */
  readonly from: string
  /** `told`: the caller looks at `expiresAt` itself. */
  readonly expired?: 'refused' | 'told'
}

export interface Envelopes {
  seal(type: EnvelopeType, sealing: Sealing): Sealed
  /** @throws Refusal: the first check that failed, in the order of cost and trust */
  open(type: EnvelopeType, text: string, opening: Opening): Envelope
}

/** How far the clocks of two sites may be apart. */
export const CLOCK_SKEW_MS = 30_000
/** Characters of the largest envelope, 4 MiB; most are smaller than one stanza. */
export const MAX_ENVELOPE_LENGTH = 4 * 1024 * 1024
/** Nothing is asked for longer than a week. */
const LONGEST_LIFE_MS = 7 * 86_400_000
/** An answer is kept for those who ask again. */
const LONGEST_ANSWER_LIFE_MS = 60 * 86_400_000
const ID = /^[A-Za-z0-9_-]{16,64}$/
const BASE64URL = /^[A-Za-z0-9_-]+$/
const headerKeys = new Set(['alg', 'kid', 'typ'])
const proofOf = new Map(Object.entries(algorithms).map(([proof, alg]) => [alg, proof as Proof]))

/** Kept as read; a stranger can make them be forgotten, and no more. */
const MOST_HEADERS = 1000
const LONGEST_KEPT_HEADER = 200

interface Header {
  readonly kid: string
  readonly proof: Proof
}

export interface EnvelopeParts {
  readonly siteId: string
  readonly proofs: Proofs
  readonly clock: Clock
}

/** Envelopes of this site, made with `node:crypto` at once: a promise for each would cost three times as much. */
export function createEnvelopes({ siteId, proofs, clock }: EnvelopeParts): Envelopes {
  const headers = new Map<string, string>()
  const read = new Map<string, Header>()

  function headerOf(type: EnvelopeType, proof: Proof): string {
    const kid = proofs.kidOf(proof)
    const name = `${type} ${proof} ${kid}`
    let header = headers.get(name)
    if (!header) {
      header = encode({ alg: algorithms[proof], kid, typ: mediaType(type) })
      headers.set(name, header)
    }
    return header
  }

  /** A member writes the same few headers all the time. */
  function known(type: EnvelopeType, encoded: string): Header {
    const name = `${type} ${encoded}`
    const former = read.get(name)
    if (former) return former
    const header = readHeader(encoded, type)
    if (encoded.length > LONGEST_KEPT_HEADER) return header
    if (read.size >= MOST_HEADERS) read.clear()
    read.set(name, header)
    return header
  }

  return {
    seal(type, { to, id, expiresAt, claims, proof = 'signed' }) {
      const times = { iat: clock.now() / 1000, exp: expiresAt / 1000 }
      const payload = { ...claims, iss: siteId, aud: to, jti: id, ...times }
      const input = `${headerOf(type, proof)}.${encode(payload)}`
      return {
        text: `${input}.${proofs.make(proof, to, input)}`,
        get hash() {
          return hashOf(input)
        },
      }
    },

    open(type, text, { from, expired = 'refused' }) {
      const { input, header, payload, signature } = split(text)
      const { kid, proof } = known(type, header)
      if (signature.length !== proofLengths[proof] || !isCanonical(signature))
        throw new Refusal('bad-signature', 'the signature is not written as such signatures are')
      proofs.check(proof, from, kid, input, signature)
      const claims = parseShallow(decode(payload))
      if (claims.iss !== from)
        throw new Refusal('foreign-issuer', `made by ${shown(claims.iss)}, sent by ${from}`)
      if (claims.aud !== siteId)
        throw new Refusal('foreign-audience', `made for ${shown(claims.aud)}`)
      const envelope = toEnvelope(claims, kid, proof, input)
      assertInTime(envelope, type, clock.now(), expired)
      return envelope
    },
  }
}

/**
 * What an envelope says that was opened before and kept since.
 * @param text - from the site's own store
 */
export function reopen(text: string): Envelope {
  const { input, header, payload } = split(text)
  const { kid } = parseShallow(decode(header))
  return toEnvelope(parseShallow(decode(payload)), String(kid), 'signed', input)
}

function toEnvelope(
  claims: Record<string, unknown>,
  kid: string,
  proof: Proof,
  input: string,
): Envelope {
  const { jti, iat, exp } = claims
  if (typeof jti !== 'string' || !ID.test(jti)) throw new Refusal('malformed', 'it has no id')
  if (!isTime(iat) || !isTime(exp) || exp < iat)
    throw new Refusal('malformed', 'it does not say when it was made and until when it is valid')
  return {
    id: jti,
    issuedAt: Math.round(iat * 1000),
    expiresAt: Math.round(exp * 1000),
    kid,
    proof,
    claims,
    // Few envelopes are ever named.
    get hash() {
      return hashOf(input)
    },
  }
}

function split(text: string) {
  if (text.length > MAX_ENVELOPE_LENGTH)
    throw new Refusal('too-large', `has ${text.length} characters`)
  const [header = '', payload = '', signature = '', ...rest] = text.split('.', 4)
  if (rest.length > 0 || ![header, payload, signature].every((part) => BASE64URL.test(part)))
    throw new Refusal('malformed', 'it is not a compact JWS')
  return { input: text.slice(0, -signature.length - 1), header, payload, signature }
}

/** Nothing else of a header is ever obeyed; which algorithm proves what is decided by who opens it. */
function readHeader(encoded: string, type: EnvelopeType): Header {
  const header = parseShallow(decode(encoded))
  const { alg, kid, typ } = header
  const proof = proofOf.get(String(alg))
  const isKnown = Object.keys(header).every((key) => headerKeys.has(key))
  if (!isKnown || !proof || typeof kid !== 'string' || kid.length > 64)
    throw new Refusal('malformed', 'its header is not { alg, kid, typ } with a known alg')
  if (typ !== mediaType(type)) throw new Refusal('wrong-type', `is ${shown(typ)}, not ${type}`)
  return { kid, proof }
}

function assertInTime(
  { issuedAt, expiresAt }: Envelope,
  type: EnvelopeType,
  now: number,
  expired: 'refused' | 'told',
): void {
  const longest = type === 'answer' ? LONGEST_ANSWER_LIFE_MS : LONGEST_LIFE_MS
  if (expiresAt - issuedAt > longest)
    throw new Refusal('too-long-lived', `valid for ${expiresAt - issuedAt} ms`)
  if (issuedAt > now + CLOCK_SKEW_MS)
    throw new Refusal('not-yet-valid', `made ${issuedAt - now} ms from now: compare the clocks`)
  if (expired === 'refused' && now > expiresAt + CLOCK_SKEW_MS)
    throw new Refusal('expired', `expired ${now - expiresAt} ms ago`)
}

/** The last character has bits that mean nothing: with them set, one signature could be written in several ways. */
function isCanonical(signature: string): boolean {
  return Buffer.from(signature, 'base64url').toString('base64url') === signature
}

function mediaType(type: EnvelopeType): string {
  return `fogbow-${type}`
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 1e11
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(text: string): string {
  return Buffer.from(text, 'base64url').toString()
}

function hashOf(input: string): string {
  return hash('sha256', input, 'base64url')
}

/** What a stranger wrote, as far as the log needs it. */
function shown(value: unknown): string {
  return `'${String(value).slice(0, 80)}'`
}
