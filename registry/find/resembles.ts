/**
 * The known name that another one could be taken for: written alike, or the same but for scope, hyphens or look-alikes.
 * @param known - names that people mean
 */
export function resembled(name: string, known: Iterable<string>): string | undefined {
  const own = plain(name)
  for (const other of known) {
    if (other === name) return undefined
  }
  for (const other of known) {
    const theirs = plain(other)
    if (own === theirs || isOneSlipAway(own, theirs)) return other
  }
  return undefined
}

const LOOK_ALIKES: readonly [RegExp, string][] = [
  [/[l1|]/g, 'i'],
  [/0/g, 'o'],
  [/5/g, 's'],
  [/rn/g, 'm'],
  [/vv/g, 'w'],
]

/** Shorter names have too many neighbours. */
const SHORTEST = 5

function plain(name: string): string {
  const joined = name.toLowerCase().replace(/[@/._-]/g, '')
  return LOOK_ALIKES.reduce((text, [from, to]) => text.replace(from, to), joined)
}

/** One character added, left out, changed, or two swapped. */
function isOneSlipAway(a: string, b: string): boolean {
  if (Math.min(a.length, b.length) < SHORTEST || Math.abs(a.length - b.length) > 1) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++
  const restA = a.slice(start, a.length - end)
  const restB = b.slice(start, b.length - end)
  if (restA.length <= 1 && restB.length <= 1) return true
  return restA.length === 2 && restB.length === 2 && restA === [...restB].reverse().join('')
}
