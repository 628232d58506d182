import type { XmppCounters } from './counters.ts'
import type { Flow } from './flow.ts'
import { domainOf } from './jid.ts'
import type { Log } from './log.ts'
import { type Element, element, elementsOf, STREAM_NAMESPACE, serialise } from './stanza.ts'
import { errorElement, StanzaError, toStanzaError } from './stanza-error.ts'

/** A request of a peer. That it comes from `from` is the word of the servers on the way, no proof. */
export interface ServedIq {
  readonly type: 'get' | 'set'
  readonly id: string
  readonly from: string
  /** The child that names the service by its namespace. */
  readonly payload: Element
  /** The whole stanza: some peers put arguments beside the payload. */
  readonly iq: Element
  /** Aborts when the component stops. */
  readonly signal: AbortSignal
}

/** @returns children of the answer; @throws StanzaError or FogbowError to refuse, anything else is a defect */
export type IqHandler = (iq: ServedIq) => Promise<readonly Element[]>

export interface IqServices {
  serve(type: 'get' | 'set', namespace: string, handler: IqHandler): void
  /** @param bytes - size of the stanza */
  arrived(iq: Element, bytes: number): void
  /** A request arrived that is beyond a limit. */
  refused(head: Element, limit: string): void
}

export interface IqServiceParts {
  readonly ownJid: string
  readonly maxStanzaBytes: () => number
  readonly flow: Flow
  readonly counters: XmppCounters
  readonly log: Log
  readonly signal: AbortSignal
  /** @returns false when the link is down */
  readonly send: (xml: string) => boolean
}

/**
 * Answers what peers ask (RFC 6120, section 8.2.3). A service is found by namespace alone, since some peers send more than
 * one child: that of the child named `query`, else that of the first child that has one of its own.
 */
export function createIqServices(parts: IqServiceParts): IqServices {
  const { counters, flow } = parts
  const handlers = new Map<string, IqHandler>()

  function answer(iq: Element, type: 'result' | 'error', children: readonly Element[]): string {
    const { from, to, id } = iq.attributes
    return serialise(element('iq', { type, id, from: to ?? parts.ownJid, to: from }, children))
  }

  function send(xml: string): void {
    if (!parts.send(xml)) counters.droppedAnswers += 1
  }

  function refuse(iq: Element, error: StanzaError): void {
    send(answer(iq, 'error', [errorElement(error)]))
  }

  function fitting(iq: Element, children: readonly Element[]): string {
    const xml = answer(iq, 'result', children)
    if (Buffer.byteLength(xml) <= parts.maxStanzaBytes()) return xml
    counters.oversizedAnswers += 1
    throw new StanzaError('policy-violation', 'the answer is larger than a stanza may be')
  }

  async function run(handler: IqHandler, served: ServedIq): Promise<void> {
    try {
      send(fitting(served.iq, await handler(served)))
      counters.served += 1
    } catch (thrown) {
      const error = toStanzaError(thrown)
      if (error.condition === 'internal-server-error') {
        counters.handlerErrors += 1
        const { from, payload } = served
        parts.log.error({ err: thrown, peer: from, service: payload.namespace }, 'request failed')
      }
      refuse(served.iq, error)
    }
  }

  /** @throws StanzaError when nobody here answers that */
  function find(iq: Element): { handler: IqHandler; payload: Element } {
    const payload = payloadOf(iq)
    if (!payload) throw new StanzaError('bad-request', 'no child of the iq has a namespace')
    const { type, to } = iq.attributes
    if (to && to.toLowerCase() !== parts.ownJid)
      throw new StanzaError('service-unavailable', `nothing answers as ${to}`)
    const handler = handlers.get(`${type} ${payload.namespace}`)
    if (handler) return { handler, payload }
    throw new StanzaError(
      'feature-not-implemented',
      `nothing answers ${type} of ${payload.namespace}`,
    )
  }

  function enqueue(handler: IqHandler, served: ServedIq, bytes: number): void {
    let leave: (() => void) | undefined
    let done = false
    leave = flow.enter(domainOf(served.from), bytes, () => {
      void run(handler, served).finally(() => {
        done = true
        leave?.()
      })
    })
    if (leave && done) leave()
    if (leave) return
    counters.busy += 1
    refuse(served.iq, new StanzaError('resource-constraint', 'too many requests are waiting'))
  }

  return {
    serve(type, namespace, handler) {
      handlers.set(`${type} ${namespace}`, handler)
    },
    arrived(iq, bytes) {
      const head = readHead(iq)
      if (!head) {
        counters.malformed += 1
        return
      }
      try {
        const { handler, payload } = find(iq)
        enqueue(handler, { ...head, payload, iq, signal: parts.signal }, bytes)
      } catch (error) {
        counters.unknown += 1
        refuse(iq, toStanzaError(error))
      }
    },
    refused(iq, limit) {
      if (readHead(iq))
        refuse(iq, new StanzaError('policy-violation', `the request is beyond ${limit}`))
    },
  }
}

/** RFC 7622, section 3.1: three parts of at most 1023 bytes. */
const LONGEST_JID = 3071
const LONGEST_ID = 1023

/** What every request has. A head that is too long counts as none: an answer that repeats it could break our own link. */
function readHead({ attributes }: Element): Pick<ServedIq, 'type' | 'id' | 'from'> | undefined {
  const { type, from, id, to = '' } = attributes
  if ((type !== 'get' && type !== 'set') || !from || !id) return undefined
  if (id.length > LONGEST_ID || from.length > LONGEST_JID || to.length > LONGEST_JID)
    return undefined
  return { type, id, from }
}

function payloadOf(iq: Element): Element | undefined {
  const own = elementsOf(iq).filter(
    ({ namespace }) => namespace !== '' && namespace !== STREAM_NAMESPACE,
  )
  return own.find(({ name }) => name === 'query') ?? own[0]
}
