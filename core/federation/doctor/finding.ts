/** What is looked at, in the order in which it is. */
export const checks = [
  'configuration',
  'component port',
  'component secret',
  'DNS',
  'port 5269',
  'certificate',
  'keys',
  'signed ping',
  'clock',
] as const

export type Check = (typeof checks)[number]

/** `unknown`: cannot be told from here, which need not be wrong. */
export type Verdict = 'ok' | 'warning' | 'fault' | 'unknown'

/** One thing that was looked at. */
export interface Finding {
  readonly check: Check
  /** Member, name or address. */
  readonly about: string
  readonly verdict: Verdict
  /** One sentence. */
  readonly found: string
  /** What to do; absent when nothing is to be done. */
  readonly advice?: string
}
