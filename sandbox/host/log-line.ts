import { createTokenBucket } from '../guest/token-bucket.ts'
import type { PluginLogLine } from '../sandbox.ts'

const levels: readonly unknown[] = [
  'debug',
  'info',
  'warn',
  'error',
] satisfies PluginLogLine['level'][]
const LONGEST_MESSAGE = 1024
const LONGEST_FIELDS = 4096
/** More than an honest guest lets through. */
const CHARACTERS_PER_MINUTE = 2 * 1_048_576

/** Reads lines as `readLogLine` does, and holds a guest that does not limit itself to its share. */
export function createLogReader(
  elapsedMs: () => number,
): (data: unknown) => PluginLogLine | undefined {
  const bucket = createTokenBucket(CHARACTERS_PER_MINUTE, elapsedMs)
  return (data) => {
    const line = readLogLine(data)
    if (!line) return undefined
    const { message, fields } = line
    const length = fields ? JSON.stringify(fields).length : 0
    if (!bucket.take(message.length + length + 64)) return undefined
    if (length > LONGEST_FIELDS) delete line.fields
    else if (fields) line.fields = printableFields(fields)
    return line
  }
}

/** Reads `[level, message, fields?]` as a guest sends it; undefined when it is none. */
export function readLogLine(data: unknown): PluginLogLine | undefined {
  if (!Array.isArray(data)) return undefined
  const [level, message, fields] = data
  if (!levels.includes(level) || typeof message !== 'string') return undefined
  const line: PluginLogLine = { level, message: printable(message.slice(0, LONGEST_MESSAGE)) }
  if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) line.fields = fields
  return line
}

/** One line, and nothing that would do something to a terminal on which the log is read. */
function printable(message: string): string {
  return message.replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ')
}

function printableFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [printable(name), printableValue(value)]),
  )
}

function printableValue(value: unknown): unknown {
  if (typeof value === 'string') return printable(value)
  if (typeof value !== 'object' || value === null) return value
  return Array.isArray(value) ? value.map(printableValue) : printableFields(value)
}
