import type { Clock } from './clock.ts'
import type { XmppCounters } from './counters.ts'
import type { Flow } from './flow.ts'
import { comparableJid, domainOf } from './jid.ts'
import { createRandomIds } from './random-ids.ts'
import { type Element, element, serialise } from './stanza.ts'
import { readStanzaError } from './stanza-error.ts'
import { XmppError, type XmppErrorKind } from './xmpp-error.ts'

export interface RequestOptions {
  /** From the call on, waiting for room included. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** Id of the stanza; a random one of 128 bits when left out. Never two at a time with the same id to the same peer. */
  readonly id?: string
}

export interface IqRequests {
  /** @throws XmppError */
  request(
    to: string,
    type: 'get' | 'set',
    children: readonly Element[],
    options: RequestOptions,
  ): Promise<Element>
  /** An answer arrived. */
  answered(iq: Element): void
  /** An answer arrived that is too large to be read. */
  refused(head: Element): void
  /** Ends every call at once: the answers are lost with the link. */
  disconnected(): void
}

export interface IqRequestParts {
  readonly ownJid: string
  readonly maxStanzaBytes: () => number
  readonly flow: Flow
  readonly clock: Clock
  readonly counters: XmppCounters
  readonly online: () => boolean
  /** @returns false when the link is down */
  readonly send: (xml: string) => boolean
}

interface Call {
  readonly to: string
  sent: boolean
  fail(kind: XmppErrorKind, why: string, answer?: Element): void
  succeed(answer: Element): void
}

/**
 * Requests that this component makes (RFC 6120, section 8.2.3). An answer counts only if it comes from the very JID
 * that was asked, under an id that cannot be guessed.
 */
export function createIqRequests(parts: IqRequestParts): IqRequests {
  const { flow, clock, counters } = parts
  const calls = new Map<string, Call>()
  const newId = createRandomIds()
  const keyOf = (peer: string, id: string) => `${comparableJid(peer)}\n${id}`

  function write(to: string, type: string, id: string, children: readonly Element[]): string {
    const xml = serialise(element('iq', { type, id, from: parts.ownJid, to }, children))
    const bytes = Buffer.byteLength(xml)
    const most = parts.maxStanzaBytes()
    if (bytes > most) throw unsent('too-large', to, `it has ${bytes} bytes, allowed are ${most}`)
    return xml
  }

  /** @throws XmppError when it can be told at once that nothing will be sent */
  function prepare(
    to: string,
    type: string,
    id: string,
    children: readonly Element[],
    signal: AbortSignal | undefined,
  ): string {
    if (signal?.aborted) throw unsent('aborted', to, 'the caller gave up')
    if (!parts.online()) throw unsent('offline', to, 'the link to the XMPP server is down')
    if (calls.has(keyOf(to, id)))
      throw unsent('invalid', to, `a call with the id ${id} is under way`)
    return write(to, type, id, children)
  }

  function take(iq: Element): Call | undefined {
    const call = calls.get(keyOf(iq.attributes.from ?? '', iq.attributes.id ?? ''))
    if (!call) counters.unexpectedAnswers += 1
    return call
  }

  function carryOut(
    to: string,
    id: string,
    xml: string,
    options: RequestOptions,
  ): Promise<Element> {
    const key = keyOf(to, id)
    const { signal, timeoutMs } = options
    return new Promise((resolve, reject) => {
      let leave: (() => void) | undefined
      const giveUp = () => call.fail('aborted', 'was not waited for any longer')
      const cancelTimeout = clock.after(timeoutMs, () =>
        call.fail('timeout', `did not answer within ${timeoutMs} ms`),
      )
      function end(): void {
        calls.delete(key)
        cancelTimeout()
        signal?.removeEventListener('abort', giveUp)
        leave?.()
      }
      const call: Call = {
        to,
        sent: false,
        fail(kind, why, answer) {
          end()
          const fields = answer && { answer: readStanzaError(answer) }
          reject(new XmppError(kind, `${to} ${why}`, { sent: call.sent, ...fields }))
        },
        succeed(answer) {
          end()
          resolve(answer)
        },
      }
      calls.set(key, call)
      signal?.addEventListener('abort', giveUp, { once: true })
      leave = flow.enter(domainOf(to), Buffer.byteLength(xml), () => {
        call.sent = parts.send(xml)
        if (!call.sent)
          call.fail('offline', 'was not asked: the XMPP server takes nothing at present')
      })
      if (!leave) call.fail('busy', 'was not asked: too many requests to it are waiting')
      // It may have failed while it began, when there was nothing to leave yet.
      else if (calls.get(key) !== call) leave()
    })
  }

  return {
    async request(to, type, children, options) {
      counters.requests += 1
      const id = options.id ?? newId()
      try {
        const xml = prepare(to, type, id, children, options.signal)
        return await carryOut(to, id, xml, options)
      } catch (error) {
        counters.requestsFailed += 1
        throw error
      }
    },
    answered(iq) {
      const call = take(iq)
      if (!call) return
      if (iq.attributes.type === 'result') return call.succeed(iq)
      const { condition, text } = readStanzaError(iq)
      call.fail('stanza', `answered ${condition}${text && `: ${text}`}`, iq)
    },
    refused(head) {
      take(head)?.fail('too-large', 'sent an answer that is larger than allowed')
    },
    disconnected() {
      const under = [...calls.values()]
      // Those that wait go first, or they would begin as soon as the others make room.
      for (const call of under)
        if (!call.sent) call.fail('offline', 'was not asked: the link to the XMPP server broke')
      for (const call of under)
        if (call.sent) call.fail('disconnected', 'was asked, but the link broke before it answered')
    },
  }
}

function unsent(kind: XmppErrorKind, to: string, why: string): XmppError {
  return new XmppError(kind, `Request to ${to} not sent: ${why}`, { sent: false })
}
