import type { PluginLogLine } from '../sandbox.ts'

const levels: readonly unknown[] = [
  'debug',
  'info',
  'warn',
  'error',
] satisfies PluginLogLine['level'][]
const LONGEST_MESSAGE = 1024

/** Reads `[level, message, fields?]` as a guest sends it; undefined when it is none. */
export function readLogLine(data: unknown): PluginLogLine | undefined {
  if (!Array.isArray(data)) return undefined
  const [level, message, fields] = data
  if (!levels.includes(level) || typeof message !== 'string') return undefined
  const line: PluginLogLine = { level, message: message.slice(0, LONGEST_MESSAGE) }
  if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) line.fields = fields
  return line
}
