import { randomUUID } from 'node:crypto'
import {
  type Clock,
  domainOf,
  type Element,
  element,
  elementsOf,
  type IqHandler,
  STREAM_NAMESPACE,
  StanzaError,
  serialise,
  type XmppComponent,
  XmppError,
} from '../../xmpp/index.ts'
import { errorElement, readStanzaError } from '../../xmpp/stanza-error.ts'
import { parseStanza } from './parse-stanza.ts'

/** What happens to a request on its way: it is lost, its answer is lost, or a server answers in the place of the peer. */
export type Fault = 'lose' | 'lose answer' | { readonly bounce: string }

export interface MemoryNetwork {
  component(jid: string): XmppComponent
  /** Every stanza that travelled, as its reader got it. */
  readonly stanzas: readonly Element[]
  /** Asked about each request. */
  fault: (iq: Element) => Fault | undefined
}

/** Components that reach each other within this process; what travels is written and read as XML all the same. */
export function createMemoryNetwork(clock: Clock): MemoryNetwork {
  const handlers = new Map<string, IqHandler>()
  const components = new Set<string>()
  const stanzas: Element[] = []

  function travel(stanza: Element): Element {
    const arrived = parseStanza(serialise(stanza))
    stanzas.push(arrived)
    return arrived
  }

  async function answer(iq: Element): Promise<Element> {
    const { type = '', to = '', from = '', id = '' } = iq.attributes
    const back = (kind: string, children: readonly Element[]) =>
      element('iq', { type: kind, id, from: to, to: from }, children)
    const refuse = (error: StanzaError) => back('error', [errorElement(error)])
    if (!components.has(domainOf(to)))
      return refuse(new StanzaError('remote-server-not-found', 'no route'))
    const payload = payloadOf(iq)
    const handler = handlers.get(`${domainOf(to)} ${type} ${payload?.namespace}`)
    if (!payload || !handler) return refuse(new StanzaError('bad-request', 'nothing answers that'))
    const signal = new AbortController().signal
    try {
      return back('result', await handler({ type: type as 'get', id, from, payload, iq, signal }))
    } catch (error) {
      if (error instanceof StanzaError) return refuse(error)
      throw error
    }
  }

  function carry(iq: Element, timeoutMs: number): Promise<Element> {
    const { to } = iq.attributes
    const fault = network.fault(iq)
    return new Promise((resolve, reject) => {
      const cancel = clock.after(timeoutMs, () =>
        reject(new XmppError('timeout', `${to} did not answer`, { sent: true })),
      )
      const settle = (result: Element) => {
        if (fault === 'lose answer') return
        cancel()
        const arrived = travel(result)
        if (arrived.attributes.type === 'result') return resolve(arrived)
        const fields = readStanzaError(arrived)
        const why = `${to} answered ${fields.condition}`
        reject(new XmppError('stanza', why, { sent: true, answer: fields }))
      }
      if (fault === 'lose') return
      if (typeof fault === 'object') {
        const error = errorElement(new StanzaError(fault.bounce, 'from the server'))
        settle(element('iq', { type: 'error', from: to }, [error]))
      } else answer(travel(iq)).then(settle, reject)
    })
  }

  const network: MemoryNetwork = {
    stanzas,
    fault: () => undefined,
    component(jid) {
      components.add(jid)
      return {
        jid,
        link: { state: 'online' } as XmppComponent['link'],
        onLink: () => () => {},
        start() {},
        async stop() {
          components.delete(jid)
        },
        request: (to, type, children, { timeoutMs, id = randomUUID() }) =>
          carry(element('iq', { type, id, from: jid, to }, children), timeoutMs),
        serve: (type, namespace, handler) =>
          void handlers.set(`${jid} ${type} ${namespace}`, handler),
        counters: () => ({}) as ReturnType<XmppComponent['counters']>,
      }
    },
  }
  return network
}

function payloadOf(iq: Element): Element | undefined {
  const own = elementsOf(iq).filter(({ namespace }) => namespace !== STREAM_NAMESPACE)
  return own.find(({ name }) => name === 'query') ?? own[0]
}
