import type { DialectParts } from '../dialect.ts'
import { type Envelope, Refusal, type Trust } from '../trust/index.ts'
import { childNamed, XmppError } from '../xmpp/index.ts'
import { readAnswer, type Said } from './messages.ts'
import type { Parcels } from './parcels.ts'
import type { SignedRequest } from './signed-request.ts'

/** Sends one signed request once. */
export interface Exchange {
  /** @throws NoAnswer when nothing came that can be believed */
  ask(member: string, type: 'get' | 'set', request: SignedRequest, once: Once): Promise<Answered>
}

export interface Once {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

export interface Answered {
  readonly said: Said
  readonly envelope: Envelope
}

/** No signed answer came. What servers say without a signature is a hint, never a proof. */
export class NoAnswer extends Error {
  /** Whether the member may have got the request. */
  readonly sent: boolean
  /** The same request will hardly fare better a moment later. */
  readonly isLasting: boolean
  /** Somebody says that it is not believed to be ours. */
  readonly isDoubted: boolean

  constructor(message: string, fields: { sent: boolean; isLasting: boolean; isDoubted?: boolean }) {
    super(message)
    this.name = 'NoAnswer'
    this.sent = fields.sent
    this.isLasting = fields.isLasting
    this.isDoubted = fields.isDoubted ?? false
  }
}

const lastingConditions = new Set([
  'bad-request',
  'feature-not-implemented',
  'forbidden',
  'not-acceptable',
  'not-allowed',
  'not-authorized',
  'policy-violation',
])
/** A link that is down comes back too late for somebody who waits. */
const lastingKinds = new Set(['aborted', 'too-large', 'invalid', 'offline'])

export interface ExchangeParts extends Pick<DialectParts, 'request' | 'heard' | 'clock'> {
  readonly trust: Trust
  readonly parcels: Parcels
}

export function createExchange({ trust, parcels, request, heard, clock }: ExchangeParts): Exchange {
  async function send(
    member: string,
    type: 'get' | 'set',
    signed: SignedRequest,
    { timeoutMs, signal }: Once,
    progress: { sent: boolean },
  ): Promise<Answered> {
    const until = clock.now() + timeoutMs
    const wrapped = parcels.wrap(member, 'request', await trust.hide(member, signed.text))
    const options = signal ? { timeoutMs, signal } : { timeoutMs }
    const answer = await request(member, type, [wrapped], options)
    progress.sent = true
    const timeLeft = Math.max(1, until - clock.now())
    const text = await parcels.unwrap(member, childNamed(answer, 'answer'), timeLeft)
    const envelope = trust.open('answer', await trust.reveal(text), { from: member })
    if (envelope.proof !== signed.proof)
      throw new Refusal('unsigned', `its answer is ${envelope.proof}, not ${signed.proof}`)
    const said = readAnswer(envelope, signed)
    heard(member)
    return { said, envelope }
  }

  return {
    async ask(member, type, signed, once) {
      const progress = { sent: false }
      try {
        return await send(member, type, signed, once, progress)
      } catch (error) {
        if (error instanceof Refusal) {
          trust.refusals.note(error, member)
          const lasting = error.reason === 'too-large' || error.reason === 'unencrypted'
          throw new NoAnswer(
            progress.sent
              ? `an answer that cannot be believed came from ${member} (${error.reason}: ${error.message})`
              : error.message,
            { sent: progress.sent, isLasting: lasting },
          )
        }
        if (!(error instanceof XmppError)) throw error
        const { kind, condition, message } = error
        const isLasting =
          kind === 'stanza' ? lastingConditions.has(condition) : lastingKinds.has(kind)
        const isDoubted = condition === 'not-authorized'
        throw new NoAnswer(message, { sent: progress.sent || error.sent, isLasting, isDoubted })
      }
    },
  }
}
