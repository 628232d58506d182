/**
 * Whether a value matches one of the patterns, in which `*` stands for any characters.
 * @param patterns - absent: everything matches
 * @param value - absent: matches only what matches everything
 */
export function matchesAny(
  patterns: readonly string[] | undefined,
  value: string | undefined,
): boolean {
  if (!patterns || patterns.includes('*')) return true
  return value !== undefined && patterns.some((pattern) => matches(pattern, value))
}

/** Takes time in proportion to the lengths, whatever the pattern. */
function matches(pattern: string, value: string): boolean {
  const [start = '', ...rest] = pattern.split('*')
  const end = rest.pop()
  if (end === undefined) return value === pattern
  if (!value.startsWith(start)) return false
  let at = start.length
  for (const part of rest) {
    const found = value.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return value.length - end.length >= at && value.endsWith(end)
}
