import { type Clock, systemClock } from './clock.ts'
import { createCounters, type XmppCounters } from './counters.ts'
import { createFlow, type FlowLimits } from './flow.ts'
import { createIqRequests, type RequestOptions } from './iq-requests.ts'
import { createIqServices, type IqHandler } from './iq-services.ts'
import { createLink, type LinkListener, type LinkState } from './link.ts'
import type { LivenessOptions } from './liveness.ts'
import type { Log } from './log.ts'
import type { ReconnectOptions } from './reconnect.ts'
import { type Element, element } from './stanza.ts'
import type { StanzaLimits } from './stream-parser.ts'

/** One connection to the site's own XMPP server under one name, shared by all services of the host process. */
export interface XmppComponent {
  readonly jid: string
  readonly link: LinkState
  /** @returns what ends the listening */
  onLink(listener: LinkListener): () => void
  /** Connects, and again whenever the link is lost. Never throws: a server may be away. */
  start(): void
  /** Final; what is in flight ends at once. */
  stop(): Promise<void>
  /**
   * Asks a peer.
   * @returns its answer, the `<iq type='result'>`
   * @throws XmppError whose `sent` tells whether anything left
   */
  request(
    to: string,
    type: 'get' | 'set',
    children: readonly Element[],
    options: RequestOptions,
  ): Promise<Element>
  /** Answers requests whose payload has this namespace; a later handler takes the place of an earlier one. */
  serve(type: 'get' | 'set', namespace: string, handler: IqHandler): void
  counters(): Readonly<XmppCounters>
}

export interface XmppComponentOptions {
  /** A domain in lower case, as the server knows the component. */
  readonly jid: string
  /** Where the server listens for components. The link has no TLS (XEP-0114): it belongs in a private segment. */
  readonly host: string
  readonly port: number
  readonly secret: string
  /** Who is pinged; without it the component itself, so that the ping goes to the server and back. */
  readonly pingJid?: string
  readonly onlineWithinMs?: number
  readonly liveness?: Partial<LivenessOptions>
  readonly reconnect?: Partial<ReconnectOptions>
  /** Of one stanza, requests and answers alike; asked at each. */
  readonly maxOutgoingBytes?: () => number
  readonly incoming?: Partial<StanzaLimits>
  /** Requests that this component makes; no bound on bytes may be below `maxOutgoingBytes`. */
  readonly outgoingFlow?: Partial<FlowBounds>
  /** Requests of peers that this component answers; no bound on bytes may be below the largest stanza. */
  readonly servedFlow?: Partial<FlowBounds>
}

export interface FlowBounds {
  readonly perPeer: FlowLimits
  readonly total: FlowLimits
}

export interface XmppComponentParts {
  readonly log: Log
  readonly clock?: Clock
}

const KIB = 1024
const MIB = 1024 * KIB

const defaults = {
  onlineWithinMs: 10_000,
  maxOutgoingBytes: 64 * KIB,
  liveness: { pingAfterMs: 12_000, silenceMs: 5_000 },
  reconnect: {
    firstMs: 500,
    longestMs: 10_000,
    firstRefusedMs: 10_000,
    longestRefusedMs: 600_000,
    stableMs: 10_000,
  },
  incoming: { maxBytes: MIB, maxDepth: 32, maxAttributes: 64, maxChildren: 4096 },
  outgoingFlow: {
    perPeer: { calls: 64, bytes: 256 * KIB, waiting: 1024 },
    total: { calls: 4096, bytes: 4 * MIB, waiting: 8192 },
  },
  servedFlow: {
    perPeer: { calls: 64, bytes: 2 * MIB, waiting: 256 },
    total: { calls: 512, bytes: 32 * MIB, waiting: 2048 },
  },
}
const PING = 'urn:xmpp:ping'
/** A peer must not fill the log. */
const REFUSALS_LOGGED_EVERY_MS = 10_000

export function createXmppComponent(
  options: XmppComponentOptions,
  { log, clock = systemClock }: XmppComponentParts,
): XmppComponent {
  const { jid, host, port, secret, onlineWithinMs = defaults.onlineWithinMs } = options
  const liveness = { ...defaults.liveness, ...options.liveness }
  const outgoing = { ...defaults.outgoingFlow, ...options.outgoingFlow }
  const served = { ...defaults.servedFlow, ...options.servedFlow }
  const counters = createCounters()
  const stopping = new AbortController()
  let quietUntil = 0

  const shared = {
    ownJid: jid,
    maxStanzaBytes: options.maxOutgoingBytes ?? (() => defaults.maxOutgoingBytes),
    counters,
    send: (xml: string) => link.send(xml),
  }
  const requests = createIqRequests({
    ...shared,
    clock,
    flow: createFlow(outgoing.perPeer, outgoing.total),
    online: () => link.state.state === 'online',
  })
  const services = createIqServices({
    ...shared,
    log,
    signal: stopping.signal,
    flow: createFlow(served.perPeer, served.total),
  })
  const link = createLink(
    {
      connection: {
        host,
        port,
        jid,
        secret,
        onlineWithinMs,
        limits: { ...defaults.incoming, ...options.incoming },
      },
      liveness,
      reconnect: { ...defaults.reconnect, ...options.reconnect },
      clock,
      log,
      counters,
    },
    { stanza: arrived, refused, ping, down: requests.disconnected },
  )
  services.serve('get', PING, async () => [])

  /** XEP-0199. Any answer will do, an error too. */
  function ping(): void {
    const question = element('ping', { xmlns: PING })
    const timeoutMs = liveness.silenceMs
    requests.request(options.pingJid ?? jid, 'get', [question], { timeoutMs }).catch(() => {})
  }

  function arrived(stanza: Element, bytes: number): void {
    const { type } = stanza.attributes
    if (stanza.name !== 'iq') counters.ignored += 1
    else if (type === 'result' || type === 'error') requests.answered(stanza)
    else services.arrived(stanza, bytes)
  }

  function refused(head: Element, limit: string): void {
    counters.refused += 1
    const { type, from } = head.attributes
    if (clock.now() >= quietUntil) {
      quietUntil = clock.now() + REFUSALS_LOGGED_EVERY_MS
      log.warn({ peer: from, stanza: head.name, type, limit }, 'refused a stanza')
    }
    if (head.name !== 'iq') return
    if (type === 'result' || type === 'error') requests.refused(head)
    else services.refused(head, limit)
  }

  return {
    jid,
    get link() {
      return link.state
    },
    onLink: link.onChange,
    start: link.start,
    stop() {
      stopping.abort()
      return link.stop()
    },
    request: requests.request,
    serve: services.serve,
    counters: () => ({ ...counters }),
  }
}
