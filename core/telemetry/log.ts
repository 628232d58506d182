import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'

/** What is never written, wherever it stands in a line. */
const secretKeys = [
  'tokenValue',
  'password',
  'credentials',
  'secret',
  'secrets',
  'authorization',
  'token',
]

const STANDARD_OUTPUT = 1

/** JSON lines on standard output; readable lines when that is a terminal. */
export function createLog(level: string): Logger {
  const options = {
    level,
    base: null,
    redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`]), censor: '[secret]' },
  }
  if (!process.stdout.isTTY)
    return pino(options, pino.destination({ fd: STANDARD_OUTPUT, sync: true }))
  return pino(
    options,
    pretty({ colorize: !process.env.NO_COLOR, ignore: 'pid,hostname', sync: true }),
  )
}
