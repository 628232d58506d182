import {
  CLOCK_SKEW_MS,
  type PublicKey,
  Refusal,
  type SiteKeys,
  writePublicKey,
} from '../trust/index.ts'
import { readKeys } from './certificate.ts'
import { readSignedText, readTime, signText } from './signed-text.ts'

/** A sign of life that its member signed. */
export interface Heartbeat {
  readonly text: string
  /** JID of the member. */
  readonly from: string
  /** JID of the rendezvous that it was made for; others may be shown it. */
  readonly to: string
  /** ms since the epoch, by the clock of the member */
  readonly madeAt: number
  /** What the member wants to be known by. */
  readonly keys: readonly PublicKey[]
  /** Of the key that signed. */
  readonly kid: string
  /** @throws Refusal */
  assertSignedBy(keys: readonly PublicKey[]): void
}

export function makeHeartbeat(from: string, to: string, keys: SiteKeys, now: number): string {
  const claims = { iss: from, aud: to, iat: now / 1000, keys: keys.announced }
  return signText('heartbeat', claims, keys.signing)
}

/** @throws Refusal when it is not built as one, or was made in the future */
export function readHeartbeat(text: string, now: number): Heartbeat {
  const signed = readSignedText('heartbeat', text)
  const { iss, aud, iat, keys } = signed.claims
  if (typeof iss !== 'string' || typeof aud !== 'string')
    throw new Refusal('malformed', 'it does not say from whom and for whom it is')
  const madeAt = readTime(iat)
  if (madeAt > now + CLOCK_SKEW_MS)
    throw new Refusal('not-yet-valid', `made ${madeAt - now} ms from now: compare the clocks`)
  return {
    text,
    from: iss,
    to: aud,
    madeAt,
    keys: readKeys(keys),
    kid: signed.kid,
    assertSignedBy: signed.assertSignedBy,
  }
}

/** What others that know no signatures are shown as the certificate of a member. */
export function toCertificate(keys: readonly Pick<PublicKey, 'kid' | 'x'>[]): string {
  return keys.map(writePublicKey).join(' ')
}
