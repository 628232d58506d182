/**
 * A frame is one text: a JSON list of messages, each a list that opens with its type.
 *
 * | message | form |
 * | --- | --- |
 * | call | `[0, id, method, args, remainingMs]`; `remainingMs` 0: no deadline |
 * | ok | `[1, id, value]` |
 * | error | `[2, id, {code, message, details?}]` |
 * | cancel | `[3, id]` |
 * | credit | `[4, calls]`: how many calls the receiver may have under way from now on |
 * | event | `[5, name, data]` |
 *
 * Ids are counted by the caller; each direction has its own.
 */
export const messageType = { call: 0, ok: 1, error: 2, cancel: 3, credit: 4, event: 5 } as const

export type Message = readonly [type: number, ...rest: unknown[]]

/** Thrown when the other side does not keep to the protocol; the channel is then of no further use. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

const DEPTH = 64
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype'])
/** Texts without which no forbidden key can be there; an escape may spell one. */
const suspicious = ['proto', 'constructor', '\\u']

/**
 * Reads a frame without trusting it: length and depth are checked before parsing, keys that name parts of the language
 * are refused after.
 * @throws ProtocolError
 */
export function parseFrame(frame: unknown, longest: number): Message[] {
  if (typeof frame !== 'string')
    throw new ProtocolError(`a frame must be a text, not ${typeof frame}`)
  if (frame.length > longest) {
    throw new ProtocolError(
      `a frame of ${frame.length} characters is longer than the ${longest} allowed`,
    )
  }
  checkDepth(frame)
  const messages = parse(frame)
  if (suspicious.some((part) => frame.includes(part))) checkKeys(messages)
  if (!Array.isArray(messages) || !messages.every(isMessage)) {
    throw new ProtocolError('a frame must be a list of messages')
  }
  return messages
}

function parse(frame: string): unknown {
  try {
    return JSON.parse(frame)
  } catch {
    throw new ProtocolError('a frame must be JSON')
  }
}

function isMessage(value: unknown): value is Message {
  return Array.isArray(value) && typeof value[0] === 'number'
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** `[` and `{` differ in this bit only, and so do `]` and `}`. */
const CASE_BIT = 0x20
const OPEN = 0x7b
const CLOSE = 0x7d

/** Counts nesting outside of texts; texts, most of a frame, are skipped by a search for their end. */
function checkDepth(frame: string): void {
  let depth = 0
  for (let at = 0; at < frame.length; at++) {
    const code = frame.charCodeAt(at)
    if (code === QUOTE) at = endOfText(frame, at + 1)
    else if ((code | CASE_BIT) === OPEN) depth++
    else if ((code | CASE_BIT) === CLOSE) depth--
    if (depth > DEPTH) throw new ProtocolError(`a frame must not nest deeper than ${DEPTH}`)
  }
}

function endOfText(frame: string, start: number): number {
  let end = frame.indexOf('"', start)
  while (end !== -1 && isEscaped(frame, end)) end = frame.indexOf('"', end + 1)
  return end === -1 ? frame.length : end
}

function isEscaped(frame: string, at: number): boolean {
  let backslashes = 0
  while (frame.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}

function checkKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const key of Object.keys(value)) {
    if (forbiddenKeys.has(key)) throw new ProtocolError(`the key '${key}' is not allowed`)
    checkKeys((value as Record<string, unknown>)[key])
  }
}
