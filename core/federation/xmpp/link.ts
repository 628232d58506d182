import type { Clock } from './clock.ts'
import {
  type Connection,
  type ConnectionOptions,
  type LinkReason,
  openConnection,
} from './connection.ts'
import type { XmppCounters } from './counters.ts'
import { type Liveness, type LivenessOptions, watchLiveness } from './liveness.ts'
import type { Log } from './log.ts'
import { createReconnect, isRefusal, type ReconnectOptions } from './reconnect.ts'
import type { Element } from './stanza.ts'

export interface LinkState {
  /**
   * `connecting`: first attempt. `offline`: down, or not reached; it is tried again. `refused`: the server turned us away
   * (conflict, wrong secret, unknown component), an administrator has to act; it is tried again after long pauses.
   */
  readonly state: 'connecting' | 'online' | 'offline' | 'refused' | 'stopped'
  /** ms since the epoch */
  readonly since: number
  /** Why the link is not up. */
  readonly reason?: LinkReason
  /** ms since the epoch of the next attempt; absent while one is under way */
  readonly retryAt?: number
}

export type LinkListener = (link: LinkState) => void

/** The connection to the server, made anew whenever it is lost. */
export interface Link {
  readonly state: LinkState
  onChange(listener: LinkListener): () => void
  start(): void
  /** Final. */
  stop(): Promise<void>
  /** @returns false when the link is down */
  send(xml: string): boolean
}

export interface LinkParts {
  readonly connection: ConnectionOptions
  readonly liveness: LivenessOptions
  readonly reconnect: ReconnectOptions
  readonly clock: Clock
  readonly log: Log
  readonly counters: XmppCounters
}

export interface LinkEvents {
  stanza(stanza: Element, bytes: number): void
  refused(head: Element, limit: string): void
  /** Nothing was heard for a while: makes the server say something. */
  ping(): void
  /** What was sent and not answered will not be answered any more. */
  down(): void
}

export function createLink(parts: LinkParts, events: LinkEvents): Link {
  const { clock, log, counters, liveness } = parts
  const { jid, host, port } = parts.connection
  const listeners = new Set<LinkListener>()
  const reconnect = createReconnect(clock, parts.reconnect)
  let state: LinkState = { state: 'stopped', since: clock.now() }
  let connection: Connection | undefined
  let watch: Liveness | undefined
  let cancelRetry: (() => void) | undefined
  let stopped: PromiseWithResolvers<void> | undefined

  function change(next: Omit<LinkState, 'since'>): void {
    const since = next.state === state.state ? state.since : clock.now()
    state = { ...next, since }
    for (const listener of listeners)
      try {
        listener(state)
      } catch (err) {
        log.error({ err, jid }, 'a listener to the state of the link failed')
      }
  }

  function connect(): void {
    cancelRetry = undefined
    connection = openConnection(parts.connection, clock, {
      online: up,
      heard: () => watch?.heard(),
      stanza: events.stanza,
      refused: events.refused,
      closed: down,
    })
  }

  function up(): void {
    counters.links += 1
    reconnect.online()
    watch = watchLiveness(clock, liveness, events.ping, silent)
    log.info({ jid, host, port }, 'linked to the XMPP server')
    change({ state: 'online' })
  }

  function silent(): void {
    const silenceMs = liveness.pingAfterMs + liveness.silenceMs
    connection?.destroy({
      condition: 'silent',
      text: `the server was silent for ${silenceMs} ms`,
    })
  }

  function down(reason: LinkReason): void {
    counters.linksLost += 1
    connection = undefined
    watch?.stop()
    watch = undefined
    if (stopped) finish()
    else tryLater(reason)
    events.down()
  }

  function tryLater(reason: LinkReason): void {
    const pauseMs = reconnect.pauseMs(reason.condition)
    const refused = isRefusal(reason.condition)
    const fields = { jid, host, port, reason, pauseMs }
    if (refused) log.error(fields, 'the XMPP server refuses this component')
    else log.warn(fields, 'no link to the XMPP server')
    cancelRetry = clock.after(pauseMs, retry)
    change({ state: refused ? 'refused' : 'offline', reason, retryAt: clock.now() + pauseMs })
  }

  function retry(): void {
    const { retryAt: _, ...trying } = state
    change(trying)
    connect()
  }

  function finish(): void {
    change({ state: 'stopped' })
    stopped?.resolve()
  }

  return {
    get state() {
      return state
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    start() {
      if (state.state !== 'stopped' || stopped) return
      change({ state: 'connecting' })
      connect()
    },
    stop() {
      if (stopped) return stopped.promise
      stopped = Promise.withResolvers()
      cancelRetry?.()
      if (connection) connection.close()
      else finish()
      return stopped.promise
    },
    send: (xml) => connection?.send(xml) ?? false,
  }
}
