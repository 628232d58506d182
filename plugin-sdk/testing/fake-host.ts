import { FogbowError } from '../errors.ts'
import type { Connect, Log, PluginHost } from '../host.ts'
import { connectNowhere } from './direct-connect.ts'
import { createFakeClock, type FakeClock } from './fake-clock.ts'
import { createMemoryStorage, type StoredText } from './memory-storage.ts'

export interface FakeHostOptions<Config> {
  config?: Config
  secrets?: Record<string, string>
  /** Time at the start, ms since the epoch; 2030-01-01 when absent. */
  now?: number
  /** Answers the plugin's requests; without it each one fails as if the network were down. */
  fetch?: typeof fetch
  /** Opens the plugin's connections; without it each one fails as if the network were down. */
  connect?: Connect
  /** Entries of an earlier host, to emulate a restart over the same storage. */
  entries?: StoredText
  /** Clock of an earlier host. */
  clock?: FakeClock
}

export interface LoggedLine {
  level: keyof Log
  message: string
  fields?: Record<string, unknown>
}

/** A host for tests: nothing of it leaves the process, and all that the plugin did can be looked at. */
export interface FakeHost<Config = Record<string, unknown>> extends PluginHost<Config> {
  readonly clock: FakeClock
  /** Live: what a test changes here the plugin reads next time. */
  readonly secretValues: Record<string, string>
  readonly entries: StoredText
  readonly logged: LoggedLine[]
  /** Aborts `signal`, as a site that stops the plugin does. */
  stop(): void
  /** A host as the plugin finds it after a restart: same storage, secrets and clock. */
  restarted(): FakeHost<Config>
}

const START = Date.UTC(2030, 0, 1)

export function createFakeHost<Config = Record<string, unknown>>(
  options: FakeHostOptions<Config> = {},
): FakeHost<Config> {
  const { config = {} as Config, secrets = {}, entries = new Map() } = options
  const { fetch = noNetwork, connect = connectNowhere } = options
  const clock = options.clock ?? createFakeClock(options.now ?? START)
  const logged: LoggedLine[] = []
  const stopping = new AbortController()
  return {
    config: structuredClone(config),
    log: recordInto(logged),
    fetch,
    connect,
    secrets: { get: async (name) => readSecret(secrets, name) },
    storage: createMemoryStorage(entries),
    clock,
    signal: stopping.signal,
    secretValues: secrets,
    entries,
    logged,
    stop: () => stopping.abort(),
    restarted: () => createFakeHost({ config, secrets, entries, clock, fetch, connect }),
  }
}

function recordInto(lines: LoggedLine[]): Log {
  const at =
    (level: keyof Log) =>
    (message: string, fields?: Record<string, unknown>): void => {
      lines.push({ level, message, ...(fields && { fields: structuredClone(fields) }) })
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function readSecret(secrets: Record<string, string>, name: string): string {
  const value = Object.hasOwn(secrets, name) ? secrets[name] : undefined
  if (value !== undefined) return value
  throw new FogbowError('configuration_error', `secret '${name}' is not configured`)
}

async function noNetwork(): Promise<Response> {
  throw new TypeError('fetch failed: this test gave its host no network')
}
