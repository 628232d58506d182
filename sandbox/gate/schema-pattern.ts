/** Repetitions up to this often are harmless around a group, as in `(\d{1,3}\.){3}`. */
const FEW = 16

interface Quantifier {
  length: number
  /** Highest count; Infinity for `*` and `+`. */
  most: number
  /** Whether there is more than one way to match it. */
  varies: boolean
}

/**
 * Whether a regular expression repeats a group that itself contains a repetition, such as `(a+)+`: the shape behind
 * most patterns that take exponential time. Errs on the side of refusing.
 */
export function hasNestedQuantifier(pattern: string): boolean {
  const varies = [false]
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]
    if (character === '\\') at += 1
    else if (character === '[') at = endOfClass(pattern, at)
    else if (character === '(') {
      varies.push(false)
      at += pattern[at + 1] === '?' ? 1 : 0
      continue
    }
    const inner = character === ')' && varies.length > 1 ? varies.pop() === true : false
    const quantifier = quantifierAt(pattern, at + 1)
    if (inner && quantifier && quantifier.most > FEW) return true
    const outer = varies.length - 1
    varies[outer] = varies[outer] === true || inner || quantifier?.varies === true
    at += quantifier?.length ?? 0
  }
  return false
}

function endOfClass(pattern: string, start: number): number {
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern[at] === '\\') at += 1
    else if (pattern[at] === ']') return at
  }
  return pattern.length
}

function quantifierAt(pattern: string, at: number): Quantifier | undefined {
  const found = /^(?:[*+]|\?|\{(\d+)(,(\d*))?\})\??/.exec(pattern.slice(at, at + 32))
  if (!found) return undefined
  const [text, least, range, most] = found
  if (text.startsWith('?')) return { length: text.length, most: 1, varies: true }
  if (least === undefined) return { length: text.length, most: Infinity, varies: true }
  const highest = range === undefined ? Number(least) : most ? Number(most) : Infinity
  return { length: text.length, most: highest, varies: range !== undefined && most !== least }
}

/** Whether it refers back to what a group matched, which no matcher can do in bounded time. */
export function hasBackReference(pattern: string): boolean {
  return /(?<!\\)(?:\\\\)*\\(?:[1-9]|k<)/.test(pattern)
}
