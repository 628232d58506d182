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
/** Lists and objects in one frame: far slower to read and check than texts and numbers of the same length. */
const MOST_PARTS = 100_000
/** A text of this length may take much memory and time when it is tangled, so that is checked before it is parsed. */
const LONG = 262_144

/**
 * Reads a frame without trusting it.
 * @throws ProtocolError
 */
export function parseFrame(frame: unknown, longest: number): Message[] {
  if (typeof frame !== 'string') {
    throw new ProtocolError(`a frame must be a text, not ${typeof frame}`)
  }
  if (frame.length > longest) {
    throw new ProtocolError(
      `a frame of ${frame.length} characters is longer than the ${longest} allowed`,
    )
  }
  if (isTangled(frame)) {
    throw new ProtocolError(
      `a frame must not nest deeper than ${DEPTH} or hold more than ${MOST_PARTS} lists and objects`,
    )
  }
  const messages = parse(frame)
  if (!isMessages(messages)) throw new ProtocolError('a frame must be a list of messages')
  return messages
}

/** Reads a frame of the host, which the guest has to trust anyway. */
export function parseTrustedFrame(frame: unknown): Message[] {
  return JSON.parse(frame as string)
}

function parse(frame: string): unknown {
  try {
    return JSON.parse(frame)
  } catch {
    throw new ProtocolError('a frame must be JSON')
  }
}

function isMessages(value: unknown): value is Message[] {
  if (!Array.isArray(value)) return false
  for (const message of value) {
    if (!Array.isArray(message) || typeof message[0] !== 'number') return false
  }
  return true
}

/** What is wrong with a value that somebody else made: it nests too deep, or a key of it names a part of the language. */
export function problemOf(value: unknown, depth = DEPTH): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (depth === 0) return `must not nest deeper than ${DEPTH}`
  return Array.isArray(value) ? problemOfItems(value, depth) : problemOfFields(value, depth)
}

function problemOfItems(list: unknown[], depth: number): string | undefined {
  for (let at = 0; at < list.length; at++) {
    const problem = problemOf(list[at], depth - 1)
    if (problem) return problem
  }
  return undefined
}

function problemOfFields(value: object, depth: number): string | undefined {
  // By far the fastest way over a parsed object; it inherits nothing that could be enumerated.
  for (const key in value) {
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') {
      return `must not have the key '${key}'`
    }
    const problem = problemOf((value as Record<string, unknown>)[key], depth - 1)
    if (problem) return problem
  }
  return undefined
}

/**
 * Whether a long text nests too deep or holds too many lists and objects.
 * @param room - true for a sender: less is allowed, so that there is room for what the frame adds
 */
export function isTangled(text: string, room = false): boolean {
  if (text.length <= LONG) return false
  return room ? exceeds(text, DEPTH - ROOM, MOST_PARTS - ROOM) : exceeds(text, DEPTH, MOST_PARTS)
}

/** Levels and lists that a frame puts around a message. */
const ROOM = 4

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** `[` and `{` differ in this bit only, and so do `]` and `}`. */
const CASE_BIT = 0x20
const OPEN = 0x7b
const CLOSE = 0x7d

/** Counts brackets outside of strings; strings, most of a frame, are skipped by a search for their end. */
function exceeds(text: string, mostDepth: number, mostParts: number): boolean {
  let depth = 0
  let parts = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfText(text, at + 1)
    else if ((code | CASE_BIT) === OPEN) {
      if (++depth > mostDepth || ++parts > mostParts) return true
    } else if ((code | CASE_BIT) === CLOSE) depth--
  }
  return false
}

function endOfText(text: string, start: number): number {
  let end = text.indexOf('"', start)
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end === -1 ? text.length : end
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}
