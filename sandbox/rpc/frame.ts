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

/** Deepest nesting of a frame; a message has to leave room for what stands around it. */
const DEPTH = 64
const MESSAGE_DEPTH = 60
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype'])

/** Messages of a frame. `suspicious`: one may have a key that names a part of the language, to be refused. */
export interface ParsedFrame {
  messages: Message[]
  suspicious: boolean
}

/**
 * Reads a frame without trusting it: length and depth are checked before parsing.
 * @throws ProtocolError
 */
export function parseFrame(frame: unknown, longest: number): ParsedFrame {
  if (typeof frame !== 'string')
    throw new ProtocolError(`a frame must be a text, not ${typeof frame}`)
  if (frame.length > longest) {
    throw new ProtocolError(
      `a frame of ${frame.length} characters is longer than the ${longest} allowed`,
    )
  }
  if (nestsDeeper(frame, DEPTH)) {
    throw new ProtocolError(`a frame must not nest deeper than ${DEPTH}`)
  }
  const messages = parse(frame)
  if (!Array.isArray(messages) || !messages.every(isMessage)) {
    throw new ProtocolError('a frame must be a list of messages')
  }
  return { messages, suspicious: isSuspicious(frame) }
}

/** Whether the other side would refuse the frame: to be asked before sending, so that such a value costs one call only. */
export function nestsTooDeep(message: string): boolean {
  return nestsDeeper(message, MESSAGE_DEPTH)
}

/** Reads a frame of the host, which the guest has to trust anyway. */
export function parseTrustedFrame(frame: unknown): ParsedFrame {
  return { messages: JSON.parse(frame as string), suspicious: false }
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

/** Nothing nests deeper than it opens, which settles it for most single messages. */
function nestsDeeper(text: string, most: number): boolean {
  return opensOften(text, most) && depthExceeds(text, most)
}

function opensOften(text: string, most: number): boolean {
  let opened = 0
  for (let at = text.indexOf('['); at !== -1; at = text.indexOf('[', at + 1)) {
    if (++opened > most) return true
  }
  for (let at = text.indexOf('{'); at !== -1; at = text.indexOf('{', at + 1)) {
    if (++opened > most) return true
  }
  return false
}

/** Counts nesting outside of strings; strings, most of a frame, are skipped by a search for their end. */
function depthExceeds(text: string, most: number): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfText(text, at + 1)
    else if ((code | CASE_BIT) === OPEN) depth++
    else if ((code | CASE_BIT) === CLOSE) depth--
    if (depth > most) return true
  }
  return false
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

/** Whether a forbidden key may be there; an escape may spell one. */
function isSuspicious(frame: string): boolean {
  return frame.includes('proto') || frame.includes('constructor') || frame.includes('\\u')
}

/** A key of a value, at any depth, that must not get into objects of ours. */
export function forbiddenKey(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (const key of Object.keys(value)) {
    if (!Array.isArray(value) && forbiddenKeys.has(key)) return key
    const inside = forbiddenKey((value as Record<string, unknown>)[key])
    if (inside !== undefined) return inside
  }
  return undefined
}
