import { invalid } from '@fogbow/plugin-sdk'

/** Deeper than anything the original service writes. */
const MAX_DEPTH = 32
const ESCAPED = /[<>&='\u2028\u2029]/g

/** JSON as the original service writes it: what XML or HTML could mistake for markup is escaped. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(
    ESCAPED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** @param field - where the text stood, for the message. @throws invalid_parameter */
export function fromJson(text: string, field: string): unknown {
  if (depthOf(text) > MAX_DEPTH) throw invalid(field, `is nested deeper than ${MAX_DEPTH} levels`)
  try {
    return JSON.parse(text)
  } catch {
    throw invalid(field, 'is not JSON')
  }
}

/**
 * Text that the original service reads as JSON, as lenient as its parser: bare words stand for themselves, other
 * text is quoted either way, `null` and what begins like a comment are nothing.
 */
export function fromWord(text: string): string | undefined {
  const word = text.trim()
  if (word === '' || word.startsWith('#') || /^null$/i.test(word)) return undefined
  const quote = word[0]
  if (word.length < 2 || (quote !== '"' && quote !== "'") || !word.endsWith(quote)) return word
  return word
    .slice(1, -1)
    .replace(/\\(u[0-9a-fA-F]{4}|.)/gs, (_, code: string) => toCharacter(code))
}

/** Bare where that survives its parser, which is how the original service writes it; quoted otherwise. */
export function toWord(text: string): string {
  return /^[\w.@-]+$/.test(text) && !/^null$/i.test(text) ? text : toJson(text)
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }

function toCharacter(code: string): string {
  if (code.length === 5) return String.fromCharCode(Number.parseInt(code.slice(1), 16))
  return escapes[code] ?? code
}

function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') quoted = !quoted
    else if (quoted && character === '\\') at += 1
    else if (quoted) continue
    else if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') depth -= 1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}
