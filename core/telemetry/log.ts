import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import { withoutSecrets } from './without-secrets.ts'

const STANDARD_OUTPUT = 1

/**
 * JSON lines on standard output; readable lines when that is a terminal.
 * @param site - in every line, so that logs of several sites can be kept together
 */
export function createLog(level: string, site: string): Logger {
  const options = {
    level,
    base: { site },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: withoutSecrets },
  }
  // Not waiting for the pipe keeps a slow reader of the log from slowing down the site.
  if (!process.stdout.isTTY)
    return pino(options, pino.destination({ fd: STANDARD_OUTPUT, sync: false }))
  return pino(options, pretty({ colorize: !process.env.NO_COLOR, ignore: 'site', sync: true }))
}
