import type { MemberId } from '../contract.ts'
import { readAnswer } from '../own/messages.ts'
import { NAMESPACE, PING } from '../own/protocol.ts'
import { signRequest } from '../own/signed-request.ts'
import { jidOf } from '../site-jid.ts'
import { Refusal, type RefusalReason, reopen, type Trust } from '../trust/index.ts'
import { refusalReasons } from '../trust/refusal.ts'
import {
  type Clock,
  childNamed,
  createRandomIds,
  element,
  textOf,
  type XmppComponent,
  XmppError,
} from '../xmpp/index.ts'

/** How a member answered one signed ping, as far as that can be believed. */
export type PingOutcome =
  /** `kid`: the key that signed; absent when nothing is signed in that dialect. */
  | {
      readonly kind: 'answered'
      readonly latencyMs: number
      readonly kid?: string
      /** Their clock against ours; + when theirs is ahead. Exact to half the latency. */
      readonly clockDifferenceMs?: number
    }
  /** Its answer is not believed here. */
  | {
      readonly kind: 'not believed'
      readonly reason: RefusalReason
      readonly kid?: string
      readonly clockDifferenceMs?: number
    }
  /** It, or somebody on the way, says that our ping is not believed there. Nobody signed that. */
  | { readonly kind: 'refused'; readonly reason: RefusalReason }
  /** A server on the way could not hand it over. */
  | { readonly kind: 'not delivered'; readonly condition: string; readonly text: string }
  | { readonly kind: 'silent'; readonly afterMs: number }
  /** There is no link to the own server. */
  | { readonly kind: 'not sent'; readonly text: string }

export interface PingParts {
  readonly component: XmppComponent
  readonly trust: Trust
  readonly clock: Clock
  readonly timeoutMs?: number
}

export const PING_TIMEOUT_MS = 8000

/** Asks once, past the breaker and without repeating: what goes wrong is what is looked for. */
export function createSignedPing({
  component,
  trust,
  clock,
  timeoutMs = PING_TIMEOUT_MS,
}: PingParts) {
  const newId = createRandomIds()

  async function ask(member: MemberId): Promise<PingOutcome> {
    const expiresAt = clock.now() + timeoutMs
    const signed = signRequest(trust, {
      ...{ member, id: newId(), expiresAt, method: PING, params: {} },
      keys: trust.announced,
    })
    const question = element('request', { xmlns: NAMESPACE }, [
      await trust.hide(member, signed.text),
    ])
    const begun = clock.now()
    const answer = await component.request(jidOf(member), 'get', [question], { timeoutMs })
    const latencyMs = clock.now() - begun
    const wrapped = childNamed(answer, 'answer')
    if (!wrapped) throw new Refusal('malformed', 'it is no answer')
    const text = await trust.reveal(textOf(wrapped))
    const { kid, issuedAt } = reopen(text)
    const clockDifferenceMs = Math.round(issuedAt - (begun + latencyMs / 2))
    try {
      readAnswer(trust.open('answer', text, { from: member }), signed)
      return { kind: 'answered', latencyMs, kid, clockDifferenceMs }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      // Its times are believed only when its signature is: that is checked before them.
      const isTime = error.reason === 'not-yet-valid' || error.reason === 'expired'
      return {
        ...{ kind: 'not believed', reason: error.reason, kid },
        ...(isTime && { clockDifferenceMs }),
      }
    }
  }

  return async (member: MemberId): Promise<PingOutcome> => {
    try {
      return await ask(member)
    } catch (error) {
      if (error instanceof Refusal) return { kind: 'not believed', reason: error.reason }
      return toOutcome(error, timeoutMs)
    }
  }
}

/** What a request over XMPP ended with, if not with an answer. @throws anything that is no XmppError */
export function toOutcome(error: unknown, timeoutMs: number): PingOutcome {
  if (!(error instanceof XmppError)) throw error
  const { kind, condition, text, message } = error
  if (kind === 'timeout') return { kind: 'silent', afterMs: timeoutMs }
  if (kind !== 'stanza') return { kind: 'not sent', text: message }
  const reason = refusalReasons.find((known) => known === text)
  if (reason) return { kind: 'refused', reason }
  return { kind: 'not delivered', condition, text }
}
