import { createTokenBucket } from './token-bucket.ts'

const LONGEST_MESSAGE = 1024
const LONGEST_FIELDS = 4096
const CHARACTERS_PER_MINUTE = 1_048_576

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface GuestLog {
  /** @param fields - anything; what JSON cannot express is left out */
  write(level: LogLevel, message: unknown, fields?: unknown): void
  /** As `console` does: several values of any type in one line. */
  print(level: LogLevel, values: readonly unknown[]): void
}

/** Turns what a plugin logs into short plain data, and drops what exceeds its share. */
export function createGuestLog(emit: (line: unknown[]) => void, elapsedMs: () => number): GuestLog {
  const bucket = createTokenBucket(CHARACTERS_PER_MINUTE, elapsedMs)
  let dropped = 0

  function pass(level: LogLevel, message: string, fields: string | undefined): void {
    if (!bucket.take(message.length + (fields?.length ?? 0) + 64)) {
      dropped++
      return
    }
    if (dropped > 0) emit(['warn', `${dropped} lines dropped: the plugin logs too much`])
    dropped = 0
    emit(fields === undefined ? [level, message] : [level, message, JSON.parse(fields)])
  }

  return {
    write(level, message, fields) {
      const text = fields === undefined ? undefined : toJson(fields)
      const fits = text?.startsWith('{') && text.length <= LONGEST_FIELDS
      pass(level, toText(message), fits ? text : undefined)
    },
    print: (level, values) => pass(level, cut(values.map(toText).join(' ')), undefined),
  }
}

function toText(value: unknown): string {
  try {
    if (typeof value === 'string') return cut(value)
    if (value instanceof Error) return cut(`${value.name}: ${value.message}`)
    if (typeof value === 'object' && value !== null) return cut(toJson(value) ?? '[object]')
    return cut(String(value))
  } catch {
    return '[unprintable]'
  }
}

function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

function cut(text: string): string {
  return text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE - 1)}…` : text
}
