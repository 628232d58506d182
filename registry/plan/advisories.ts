import type { Advisory, Check, Component, Verdict } from '../marketplace.ts'
import type { Candidate } from '../trust/candidate.ts'

export type AdvisorySource = (components: readonly Component[]) => Promise<Advisory[]>

/** @returns undefined when nobody could be asked */
export async function askAdvisories(
  { name, version, license, components }: Candidate,
  ask: AdvisorySource | undefined,
): Promise<Advisory[] | undefined> {
  return ask?.([{ name, version, license }, ...components]).catch(() => undefined)
}

/** That no weakness is known must not be said where nobody could be asked. */
export function withoutAdvisories(verdict: Verdict): Verdict {
  const checks = verdict.checks.map((check): Check => {
    if (check.rule !== 'advisories' || check.outcome !== 'passed') return check
    const message = 'Nobody could be asked whether weaknesses of it are known'
    return { rule: check.rule, outcome: 'absent', message }
  })
  return { ...verdict, checks }
}
