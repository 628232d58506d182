import {
  CLOCK_SKEW_MS,
  type PublicKey,
  Refusal,
  type SiteKeys,
  writePublicKey,
} from '../trust/index.ts'
import { readKeys } from './certificate.ts'
import { readSignedText, readTime, signText } from './signed-text.ts'

/** How a rendezvous came to know the keys of a member. `relayed`: it has them from another rendezvous. */
export const meetings = ['configured', 'firstUse', 'relayed'] as const
export type Met = (typeof meetings)[number]

/** What a rendezvous states: this is a member, these are its keys, and it is seen until then. */
export interface Statement {
  /** JID */
  readonly member: string
  readonly keys: readonly PublicKey[]
  readonly met: Met
  /** ms since the epoch, by the clock of the rendezvous */
  readonly heardAt: number
  readonly seenUntil: number
}

/** @param rendezvous - JID of who states it */
export function makeStatement(rendezvous: string, statement: Statement, keys: SiteKeys): string {
  const { member, met, heardAt, seenUntil } = statement
  const claims = {
    iss: rendezvous,
    sub: member,
    iat: heardAt / 1000,
    exp: seenUntil / 1000,
    keys: statement.keys.map(writePublicKey),
    met,
  }
  return signText('membership', claims, keys.signing)
}

/**
 * @param rendezvous - who has to have stated it, about whom
 * @param keys - of that rendezvous
 * @throws Refusal
 */
export function readStatement(
  text: string,
  { rendezvous, member }: { rendezvous: string; member: string },
  keys: readonly PublicKey[],
  now: number,
): Statement {
  const signed = readSignedText('membership', text)
  signed.assertSignedBy(keys)
  const { iss, sub, iat, exp, met } = signed.claims
  if (iss !== rendezvous) throw new Refusal('foreign-issuer', `not made by ${rendezvous}`)
  if (sub !== member) throw new Refusal('foreign-audience', `it is not about ${member}`)
  const [heardAt, seenUntil] = [readTime(iat), readTime(exp)]
  if (heardAt > now + CLOCK_SKEW_MS)
    throw new Refusal('not-yet-valid', `heard ${heardAt - now} ms from now: compare the clocks`)
  if (seenUntil < now - CLOCK_SKEW_MS)
    throw new Refusal('expired', `seen until ${now - seenUntil} ms ago`)
  if (!meetings.includes(met as Met)) throw new Refusal('malformed', 'it does not say how it knows')
  return { member, keys: readKeys(signed.claims.keys), met: met as Met, heardAt, seenUntil }
}
