import { Refusal, type RefusalReason } from '../federation/trust/index.ts'
import { type Clock, type Log, StanzaError } from '../federation/xmpp/index.ts'

/** Why somebody is turned away here, beside what is wrong with a signature. */
export type TurnedAway =
  | RefusalReason
  /** Not on the list of members. */
  | 'not-listed'
  /** Only members or neighbours may ask that. */
  | 'not-allowed'
  /** No room for one more member. */
  | 'full'
  /** What a neighbour says of a member cannot be. */
  | 'implausible'

/** Turns away, counts, and tells the log of it without letting anybody fill that. */
export interface Refusals {
  note(reason: TurnedAway, who: string, why: string): void
  counts(): Readonly<Record<string, number>>
}

const LOGGED_EVERY_MS = 10_000
const MOST_SUBJECTS = 1000
const malformed = new Set<TurnedAway>(['malformed', 'too-large', 'too-deep', 'wrong-type'])

export function createRefusals(log: Log, clock: Clock): Refusals {
  const counts = new Map<string, number>()
  const quietUntil = new Map<string, number>()
  return {
    note(reason, who, why) {
      counts.set(reason, (counts.get(reason) ?? 0) + 1)
      const subject = `${reason} ${who}`
      if (clock.now() < (quietUntil.get(subject) ?? 0)) return
      if (quietUntil.size >= MOST_SUBJECTS) quietUntil.clear()
      quietUntil.set(subject, clock.now() + LOGGED_EVERY_MS)
      log.warn({ peer: who, reason, why }, 'turned somebody away')
    },
    counts: () => Object.fromEntries(counts),
  }
}

/** A reason to turn somebody away, to be thrown. */
export class NotAdmitted extends Error {
  readonly reason: TurnedAway

  constructor(reason: TurnedAway, message: string) {
    super(message)
    this.name = 'NotAdmitted'
    this.reason = reason
  }
}

export function reasonOf(error: unknown): TurnedAway | undefined {
  return error instanceof Refusal || error instanceof NotAdmitted ? error.reason : undefined
}

/** What the one who was turned away is told: `forbidden`, so that its administrator sees it. */
export function toAnswer(reason: TurnedAway, why: string): StanzaError {
  if (malformed.has(reason)) return new StanzaError('bad-request', why)
  if (reason === 'full') return new StanzaError('resource-constraint', why)
  return new StanzaError(reason === 'not-allowed' ? 'not-authorized' : 'forbidden', why)
}
