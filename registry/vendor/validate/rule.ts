import type { Subject } from './subject.ts'

/** What a rule looks at. A later part is not there when a vital rule of an earlier one failed. */
export const parts = ['package', 'bundle', 'sandbox'] as const
export type Part = (typeof parts)[number]

/** Sentences that say what is wrong, none when nothing is; or why it cannot be said here. */
export type Finding = string[] | { skip: string }

/** One thing that a marketplace, a site or its users expect of a package. */
export interface Rule {
  /** Stable: named in exceptions and in reports. */
  name: string
  /** Errors keep a package from being listed or installed; warnings are worth a look. */
  severity: 'error' | 'warning'
  reason: string
  remedy: string
  looksAt: Part
  /** Without it the later parts cannot be looked at. */
  vital?: true
  check(subject: Subject): Finding | Promise<Finding>
}
