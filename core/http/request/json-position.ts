const unescaped = String.raw`[ !#-[\]-\uFFFF]*`
const text = String.raw`"${unescaped}(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})${unescaped})*"`
const number = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?`
const word = String.raw`(?:${number}|true|false|null)(?![\w.+-])`
const token = new RegExp(String.raw`[\t\n\r ]*(?:([{}[\],:])|(${text})|${word})`, 'y')

/** What may come next at a place of a JSON text (RFC 8259, sections 2 to 5). */
type Expected = 'value' | 'valueOrEnd' | 'key' | 'keyOrEnd' | 'colon' | 'commaOrEnd' | 'nothing'

/**
 * Offset of the first character that no JSON text could have there, for the message to a client: the built-in parser
 * names it in some cases only.
 */
export function findJsonError(text: string): number {
  const open: string[] = []
  let expected: Expected = 'value'
  let offset = 0
  while (true) {
    token.lastIndex = offset
    const match = token.exec(text)
    const start = match ? token.lastIndex - match[0].trimStart().length : skipSpace(text, offset)
    const next: Expected | undefined =
      match === null ? undefined : step(expected, match[1], match[2] !== undefined, open)
    if (!next) return start
    expected = next
    offset = token.lastIndex
  }
}

/** What is expected after a token, or undefined when the token itself is not. */
function step(
  expected: Expected,
  mark: string | undefined,
  isText: boolean,
  open: string[],
): Expected | undefined {
  const wantsValue = expected === 'value' || expected === 'valueOrEnd'
  if (mark === undefined) {
    if (wantsValue) return afterValue(open)
    return isText && (expected === 'key' || expected === 'keyOrEnd') ? 'colon' : undefined
  }
  if (mark === '{' || mark === '[') {
    if (!wantsValue) return undefined
    open.push(mark)
    return mark === '{' ? 'keyOrEnd' : 'valueOrEnd'
  }
  if (mark === ':') return expected === 'colon' ? 'value' : undefined
  if (mark === ',') {
    if (expected !== 'commaOrEnd') return undefined
    return open.at(-1) === '{' ? 'key' : 'value'
  }
  return mayEnd(expected, mark, open) ? afterEnd(open) : undefined
}

function mayEnd(expected: Expected, mark: string, open: string[]): boolean {
  if (open.at(-1) !== (mark === '}' ? '{' : '[')) return false
  return expected === 'commaOrEnd' || expected === (mark === '}' ? 'keyOrEnd' : 'valueOrEnd')
}

function afterEnd(open: string[]): Expected {
  open.pop()
  return afterValue(open)
}

function afterValue(open: string[]): Expected {
  return open.length > 0 ? 'commaOrEnd' : 'nothing'
}

function skipSpace(text: string, offset: number): number {
  let end = offset
  while (end < text.length && '\t\n\r '.includes(text[end] ?? '-')) end++
  return end
}
