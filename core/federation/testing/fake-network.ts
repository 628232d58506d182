import {
  type Clock,
  type Element,
  element,
  type IqHandler,
  type LinkListener,
  type LinkState,
  StanzaError,
  serialise,
  type XmppComponent,
  XmppError,
} from '../xmpp/index.ts'
import { errorElement, readStanzaError, toStanzaError } from '../xmpp/stanza-error.ts'

/** What the servers between the sites do with one stanza. */
export interface Fate {
  /** After how long each copy arrives; none when it is lost. */
  readonly arrivals: readonly number[]
}

export interface Carried {
  readonly from: string
  readonly to: string
  readonly kind: 'request' | 'answer'
  readonly iq: Element
}

export interface FakeNetwork {
  /** A later component takes the place of an earlier one of that name. */
  attach(jid: string, life: Life): FakeComponent
  fate(stanza: Carried): Fate
  /** What the servers make of a stanza: a forged one, for example. */
  tamper(stanza: Carried): Element
  /** Everything that was sent. */
  readonly carried: Carried[]
}

export interface FakeComponent extends XmppComponent {
  setOnline(online: boolean): void
}

/** Of one process: nothing of it happens after its end. */
export interface Life {
  readonly isOver: boolean
  /** Something is about to happen, or has just happened. */
  step(): void
}

const LATENCY_MS = 1
const MAX_STANZA_BYTES = 48 * 1024

/** Servers and sites in one process, and as unreliable as a test wants them. */
export function createFakeNetwork(clock: Clock): FakeNetwork {
  const components = new Map<string, { deliver(stanza: Carried): void; life: Life }>()

  function carry(stanza: Carried): void {
    network.carried.push(stanza)
    const changed = { ...stanza, iq: network.tamper(stanza) }
    for (const ms of network.fate(stanza).arrivals) clock.after(ms, () => arrive(changed))
  }

  function arrive(stanza: Carried): void {
    const target = components.get(stanza.to)
    if (target && !target.life.isOver) target.deliver(stanza)
    else if (stanza.kind === 'request') bounce(stanza)
  }

  function bounce(stanza: Carried): void {
    const error = errorElement(new StanzaError('remote-server-timeout', 'Component unavailable'))
    const { id } = stanza.iq.attributes
    const iq = element('iq', { type: 'error', id, from: stanza.to, to: stanza.from }, [error])
    components.get(stanza.from)?.deliver({ from: stanza.to, to: stanza.from, kind: 'answer', iq })
  }

  const network: FakeNetwork = {
    carried: [],
    fate: () => ({ arrivals: [LATENCY_MS] }),
    tamper: ({ iq }) => iq,
    attach(jid, life) {
      const { component, deliver } = createFakeComponent(jid, life, clock, carry)
      components.set(jid, { deliver, life })
      return component
    },
  }
  return network
}

function createFakeComponent(
  jid: string,
  life: Life,
  clock: Clock,
  carry: (stanza: Carried) => void,
) {
  const handlers = new Map<string, IqHandler>()
  const calls = new Map<string, { resolve(iq: Element): void; reject(error: XmppError): void }>()
  const listeners = new Set<LinkListener>()
  const stopping = new AbortController()
  let link: LinkState = { state: 'online', since: 0 }
  let count = 0

  function send(kind: Carried['kind'], to: string, iq: Element): void {
    life.step()
    if (life.isOver || link.state !== 'online') return
    assertFits(iq)
    carry({ from: jid, to, kind, iq })
  }

  function deliver({ from, kind, iq }: Carried): void {
    if (life.isOver || link.state !== 'online') return
    life.step()
    if (life.isOver) return
    if (kind === 'request') return void serve(from, iq)
    const call = calls.get(`${from} ${iq.attributes.id}`)
    calls.delete(`${from} ${iq.attributes.id}`)
    if (iq.attributes.type === 'result') call?.resolve(iq)
    else call?.reject(toXmppError(from, iq))
  }

  async function serve(from: string, iq: Element): Promise<void> {
    const type = iq.attributes.type as 'get' | 'set'
    const children = iq.children as Element[]
    const isServed = ({ namespace }: Element) => handlers.has(`${type} ${namespace}`)
    const payload = children.find(isServed) ?? (children[0] as Element)
    const handler = handlers.get(`${type} ${payload.namespace}`)
    const { id = '' } = iq.attributes
    const reply = (answerType: string, children: readonly Element[]) =>
      send('answer', from, element('iq', { type: answerType, id, from: jid, to: from }, children))
    try {
      if (!handler) throw new StanzaError('feature-not-implemented', 'nothing answers that')
      const served = { type, id, from, payload, iq, signal: stopping.signal }
      reply('result', await handler(served))
    } catch (error) {
      reply('error', [errorElement(toStanzaError(error))])
    }
  }

  const component: FakeComponent = {
    jid,
    get link() {
      return link
    },
    onLink(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    setOnline(online) {
      link = { state: online ? 'online' : 'offline', since: clock.now() }
      for (const listener of listeners) listener(link)
    },
    start() {},
    async stop() {
      stopping.abort()
    },
    request(to, type, children, { timeoutMs, signal, id = `iq${++count}` }) {
      return new Promise((resolve, reject) => {
        if (link.state !== 'online')
          return reject(new XmppError('offline', 'the link is down', { sent: false }))
        const key = `${to} ${id}`
        const cancel = clock.after(timeoutMs, () => {
          calls.delete(key)
          reject(new XmppError('timeout', `${to} did not answer`, { sent: true }))
        })
        signal?.addEventListener('abort', () =>
          reject(new XmppError('aborted', 'not waited for', { sent: true })),
        )
        calls.set(key, {
          resolve: (iq) => {
            cancel()
            if (!life.isOver) resolve(iq)
          },
          reject: (error) => {
            cancel()
            if (!life.isOver) reject(error)
          },
        })
        send('request', to, element('iq', { type, id, from: jid, to }, children))
      })
    },
    serve: (type, namespace, handler) => void handlers.set(`${type} ${namespace}`, handler),
    counters: () => {
      throw new Error('the fake counts nothing')
    },
  }
  return { component, deliver }
}

function toXmppError(from: string, iq: Element): XmppError {
  const answer = readStanzaError(iq)
  const why = `${from} answered ${answer.condition}: ${answer.text}`
  return new XmppError('stanza', why, { sent: true, answer })
}

function assertFits(iq: Element): void {
  const xml = serialise(iq)
  if (Buffer.byteLength(xml) > MAX_STANZA_BYTES)
    throw new Error(`a stanza of ${Buffer.byteLength(xml)} bytes`)
  if (!/^[\x20-\x7e]*$/.test(xml)) throw new Error('a stanza that is not ASCII')
}
