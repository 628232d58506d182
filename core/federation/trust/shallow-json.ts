import { Refusal } from './refusal.ts'

/** More than any request needs; far less than what exhausts a stack. */
const MAX_DEPTH = 64
const QUOTE = 0x22
const BACKSLASH = 0x5c
const opening = new Set([0x7b, 0x5b])
const closing = new Set([0x7d, 0x5d])

/** Reads JSON of a stranger. @throws Refusal `too-deep`, or `malformed` unless it is an object */
export function parseShallow(json: string): Record<string, unknown> {
  assertShallow(json)
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw new Refusal('malformed', 'it is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal('malformed', 'it is not a JSON object')
  return value as Record<string, unknown>
}

function assertShallow(json: string): void {
  if (count(json, '{') + count(json, '[') <= MAX_DEPTH) return
  let depth = 0
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) at = endOfString(json, at)
    else if (opening.has(code)) {
      depth += 1
      if (depth > MAX_DEPTH) throw new Refusal('too-deep', `nested deeper than ${MAX_DEPTH}`)
    } else if (closing.has(code)) depth -= 1
  }
}

/** As far as it matters. */
function count(json: string, character: string): number {
  let found = 0
  let at = json.indexOf(character)
  while (at >= 0 && found <= MAX_DEPTH) {
    found += 1
    at = json.indexOf(character, at + 1)
  }
  return found
}

/** @param from - place of its opening quote. @returns that of the closing one */
function endOfString(json: string, from: number): number {
  for (;;) {
    const end = json.indexOf('"', from + 1)
    if (end < 0) return json.length
    let before = end - 1
    while (json.charCodeAt(before) === BACKSLASH) before -= 1
    if ((end - before) % 2 === 1) return end
    from = end
  }
}
