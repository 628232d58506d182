import { asFogbowError } from '@fogbow/plugin-sdk'
import { readExceptions } from './exceptions.ts'
import { type Finding, parts, type Rule } from './rule.ts'
import { rules } from './rules/index.ts'
import { openSubject, type Subject, type SubjectOptions } from './subject.ts'

export interface RuleResult {
  rule: string
  severity: Rule['severity']
  outcome: 'passed' | 'failed' | 'ignored' | 'skipped'
  /** What is wrong, or why it was not looked at. */
  messages: string[]
  /** Why the package's author takes the exception. */
  exception?: string
}

export interface Validation {
  name: string
  version: string
  /** In the order of the rules. */
  results: RuleResult[]
  errors: number
  warnings: number
  ignored: number
  skipped: number
}

/**
 * Looks at a folder or tarball as the marketplace and a site will.
 * @throws FogbowError when it cannot be read at all
 */
export async function validatePlugin(
  source: string,
  options: SubjectOptions = {},
): Promise<Validation> {
  const subject = await openSubject(source, options)
  try {
    return summarize(subject, await applyRules(subject))
  } finally {
    await subject.close()
  }
}

async function applyRules(subject: Subject): Promise<RuleResult[]> {
  const { exceptions } = readExceptions(subject.fields, names)
  const results: RuleResult[] = []
  let hindrance: string | undefined
  for (const part of parts) {
    let next = hindrance
    for (const rule of rules.filter(({ looksAt }) => looksAt === part)) {
      const finding =
        hindrance === undefined
          ? await findingOf(rule, subject)
          : { skip: `it cannot be looked at before '${hindrance}' is right` }
      const result = toResult(rule, finding, exceptions.get(rule.name))
      if (rule.vital && hasProblems(finding)) next ??= rule.name
      results.push(result)
    }
    hindrance = next
  }
  return results
}

const names = new Set(rules.map(({ name }) => name))

async function findingOf(rule: Rule, subject: Subject): Promise<Finding> {
  try {
    return await rule.check(subject)
  } catch (error) {
    return [asFogbowError(error).message]
  }
}

function hasProblems(finding: Finding): boolean {
  return Array.isArray(finding) && finding.length > 0
}

function toResult(
  { name, severity }: Rule,
  finding: Finding,
  exception: string | undefined,
): RuleResult {
  const about = { rule: name, severity }
  if (!Array.isArray(finding)) return { ...about, outcome: 'skipped', messages: [finding.skip] }
  if (finding.length === 0) return { ...about, outcome: 'passed', messages: [] }
  if (exception === undefined) return { ...about, outcome: 'failed', messages: finding }
  return { ...about, outcome: 'ignored', messages: finding, exception }
}

function summarize({ fields }: Subject, results: RuleResult[]): Validation {
  const count = (outcome: string, severity?: string) =>
    results.filter(
      (result) =>
        result.outcome === outcome && (severity === undefined || result.severity === severity),
    ).length
  return {
    name: String(fields.name ?? ''),
    version: String(fields.version ?? ''),
    results,
    errors: count('failed', 'error'),
    warnings: count('failed', 'warning'),
    ignored: count('ignored'),
    skipped: count('skipped'),
  }
}
