import { connect, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions as TlsOptions } from 'node:tls'
import { FogbowError, type PluginHost } from '@fogbow/plugin-sdk'
import { Client, ResultCodeError } from 'ldapts'
import { directoryProblem } from './problems.ts'
import type { Settings } from './settings.ts'

/** A connection to the directory, and who it speaks for. */
interface Connection {
  client: Client
  boundAs: string | undefined
  /** Whether it can be used again. */
  isOpen(): boolean
  /** Rejects as soon as the connection ends: the library does not see the end of one with StartTLS. */
  lost: Promise<never>
}

/** Connections to the directory, kept open and used again; one has one user at a time. */
export interface Connections {
  /**
   * Runs with a connection, bound as the account that searches if `as` says so. What was kept open may have been closed by the
   * directory meanwhile: then it runs once more, so that it must be safe to repeat.
   * @throws unavailable_provider that names the directory, configuration_error, too_many_requests
   */
  use<Answer>(as: 'searcher' | 'anybody', run: (client: Client) => Promise<Answer>): Promise<Answer>
}

const MOST_IN_USE = 8
const MOST_WAITING = 50
const MOST_KEPT = 4

export function createConnections(host: PluginHost<unknown>, settings: Settings): Connections {
  const { url, bindDn } = settings
  const kept: Connection[] = []
  const places = createPlaces(MOST_IN_USE, MOST_WAITING)
  host.signal.addEventListener('abort', () => {
    for (const { client } of kept.splice(0)) void client.unbind().catch(() => {})
  })

  async function open(): Promise<Connection> {
    const { timeoutMs } = settings
    const end = Promise.withResolvers<never>()
    end.promise.catch(() => {})
    let ended = false
    let isDialled = false
    function watched<Kind extends Socket>(socket: Kind): Kind {
      let problem = new Error('the connection ended before there was an answer')
      socket.once('error', (error: Error) => {
        problem = error
      })
      socket.once('close', () => {
        ended = true
        end.reject(problem)
      })
      return socket
    }
    const client = new Client({
      url,
      timeout: timeoutMs,
      connectTimeout: timeoutMs,
      createConnection: (...address: unknown[]) => {
        // The library would connect anew by itself: bound as nobody, and without TLS.
        if (isDialled) throw new Error('the connection ended')
        isDialled = true
        return watched(connect(...(address as [number, string])))
      },
      createSecureConnection: (...address: unknown[]) =>
        watched(connectTls(...(address as [TlsOptions]))),
    })
    const connection = {
      client,
      boundAs: undefined,
      isOpen: () => !ended && client.isConnected,
      lost: end.promise,
    }
    if (settings.startTls) await secure(connection)
    return connection
  }

  async function secure(connection: Connection): Promise<void> {
    const waiting = new AbortController()
    const expiry = host.clock.sleep(settings.timeoutMs, waiting.signal).then(() => {
      throw new Error('StartTLS timed out')
    })
    expiry.catch(() => {})
    try {
      await Promise.race([connection.client.startTLS(), expiry])
    } catch (error) {
      await discard(connection)
      throw error
    } finally {
      waiting.abort()
    }
  }

  /** Prefers one that is bound already; never one that was closed. */
  function take(boundAs: string | undefined): Connection | undefined {
    const open = kept.splice(0).filter((connection) => connection.isOpen())
    const best = open.findIndex((connection) => connection.boundAs === boundAs)
    const [taken] = open.splice(Math.max(best, 0), 1)
    kept.push(...open)
    return taken
  }

  async function give(connection: Connection): Promise<void> {
    if (connection.isOpen() && kept.length < MOST_KEPT && !host.signal.aborted)
      kept.push(connection)
    else await discard(connection)
  }

  async function bindSearcher(connection: Connection): Promise<void> {
    // An anonymous one has never spoken for anybody, or has to be told to forget it.
    if (connection.boundAs === bindDn) return
    const password = bindDn === undefined ? '' : await host.secrets.get('bindPassword')
    if (bindDn !== undefined && password === '')
      throw new FogbowError('configuration_error', "secret 'bindPassword' of ldap is empty")
    try {
      await Promise.race([connection.client.bind(bindDn ?? '', password), connection.lost])
      connection.boundAs = bindDn
    } catch (error) {
      throw directoryProblem(error, url, `the account '${bindDn ?? 'anonymous'}'`)
    }
  }

  async function attempt<Answer>(
    connection: Connection,
    as: 'searcher' | 'anybody',
    run: (client: Client) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      if (as === 'searcher') await bindSearcher(connection)
      else connection.boundAs = 'somebody'
      return await Promise.race([run(connection.client), connection.lost])
    } finally {
      await give(connection)
    }
  }

  return {
    async use(as, run) {
      const release = await places.take()
      try {
        const reused = take(as === 'searcher' ? bindDn : 'somebody')
        if (reused) {
          const tried = await attempt(reused, as, run).then(
            (answer) => ({ answer }),
            (error: unknown) => {
              if (reused.isOpen() || !isLost(error)) throw error
              return undefined
            },
          )
          if (tried) return tried.answer
        }
        return await attempt(await open(), as, run)
      } catch (error) {
        throw directoryProblem(error, url, 'what it was asked')
      } finally {
        release()
      }
    },
  }
}

/** The connection ended before there was an answer. */
function isLost(error: unknown): boolean {
  if (error instanceof FogbowError) return error.code === 'unavailable_provider'
  return !(error instanceof ResultCodeError)
}

async function discard({ client }: Connection): Promise<void> {
  await client.unbind().catch(() => {})
}

/** So many at once; more wait in line, and beyond that they are refused. */
function createPlaces(most: number, mostWaiting: number) {
  let taken = 0
  const waiting: (() => void)[] = []
  const release = () => {
    const next = waiting.shift()
    if (next) next()
    else taken -= 1
  }
  return {
    async take(): Promise<() => void> {
      if (taken < most) {
        taken += 1
        return release
      }
      if (waiting.length >= mostWaiting)
        throw new FogbowError('too_many_requests', 'too many logins at once; try again shortly', {
          details: { retryAfterSeconds: 5 },
        })
      await new Promise<void>((resolve) => waiting.push(resolve))
      return release
    },
  }
}
