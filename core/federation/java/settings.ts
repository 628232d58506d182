import type { MemberId } from '../contract.ts'
import type { LaterMethod } from './methods.ts'

export interface JavaDialectSettings {
  /** What a member is known to understand beyond the first version of the protocol; nothing when left out. */
  laterMethods?(member: MemberId): readonly LaterMethod[]
  /** Within which members expect answers: nothing is begun for them later. */
  readonly answerWithinMs?: number
}

/** The time that the original service waits unless it is configured otherwise. */
export const ANSWER_WITHIN_MS = 5_000
