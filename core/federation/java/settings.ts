export interface JavaDialectSettings {
  /** Within which members expect answers: nothing is begun for them later. */
  readonly answerWithinMs?: number
}

/** The time that the original service waits unless it is configured otherwise. */
export const ANSWER_WITHIN_MS = 5_000
