import { toObject } from './subject.ts'

/** Key of `package.json` under which its author names exceptions. */
export const EXCEPTIONS_KEY = 'fogbow-validate'

const SHORTEST_REASON = 10

/**
 * Exceptions of a package: `"fogbow-validate": { "ignore": { "changelog": "it is in the release notes" } }`.
 * @param rules - names of all rules
 * @returns exceptions that hold, by rule, and what is wrong with the others
 */
export function readExceptions(
  fields: Record<string, unknown>,
  rules: ReadonlySet<string>,
): { exceptions: Map<string, string>; problems: string[] } {
  const exceptions = new Map<string, string>()
  const problems: string[] = []
  for (const [rule, reason] of Object.entries(toObject(toObject(fields[EXCEPTIONS_KEY]).ignore))) {
    const at = `${EXCEPTIONS_KEY}.ignore.${rule}`
    if (!rules.has(rule)) problems.push(`${at}: there is no such rule`)
    else if (typeof reason !== 'string' || reason.trim().length < SHORTEST_REASON)
      problems.push(`${at}: a reason of at least ${SHORTEST_REASON} characters is needed`)
    else exceptions.set(rule, reason)
  }
  return { exceptions, problems }
}
