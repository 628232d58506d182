import type { Clock, Log } from '../xmpp/index.ts'

/** Why an envelope, or what it came in, is not believed. */
export const refusalReasons = [
  /** No site has such an address. */
  'no-site',
  'too-large',
  'malformed',
  'too-deep',
  /** Encrypted, but not to this site. */
  'undecryptable',
  /** Not encrypted, where this site demands it. */
  'unencrypted',
  /** Shown to be the sender's by a shared key, where a signature is needed. */
  'unsigned',
  /** The key is not one of the sender's. */
  'unknown-key',
  'bad-signature',
  /** Made by another site than sent it. */
  'foreign-issuer',
  /** Made for another site. */
  'foreign-audience',
  'wrong-type',
  'not-yet-valid',
  'expired',
  /** Valid for longer than any request may be. */
  'too-long-lived',
  'replayed',
  /** An answer to another request. */
  'wrong-request',
  /** A piece of content is not what was announced, or there is too much of it. */
  'bad-content',
  /** More than this site does for one peer at a time. */
  'busy',
] as const

export type RefusalReason = (typeof refusalReasons)[number]

export class Refusal extends Error {
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, message: string) {
    super(message)
    this.name = 'Refusal'
    this.reason = reason
  }
}

/** Counts refusals, and tells the log of them without letting a peer fill it. */
export interface Refusals {
  /** @param peer - known member, or undefined for anybody else */
  note(refusal: Refusal, peer: string | undefined): void
  counts(): Readonly<Record<RefusalReason, number>>
}

const LOGGED_EVERY_MS = 10_000

export function createRefusals(log: Log, clock: Clock): Refusals {
  const counts = Object.fromEntries(refusalReasons.map((reason) => [reason, 0])) as Record<
    RefusalReason,
    number
  >
  /** Bounded: by members and reasons, and all strangers together count as one. */
  const quietUntil = new Map<string, number>()
  return {
    note({ reason, message }, peer) {
      counts[reason] += 1
      const subject = `${reason} ${peer ?? ''}`
      if (clock.now() < (quietUntil.get(subject) ?? 0)) return
      quietUntil.set(subject, clock.now() + LOGGED_EVERY_MS)
      log.warn({ peer: peer ?? 'no member', reason, why: message }, 'refused an envelope')
    },
    counts: () => ({ ...counts }),
  }
}
