import { FogbowError } from '@fogbow/plugin-sdk'
import type { RemoteCall, RemoteMethod } from '../contract.ts'
import type { DialectParts } from '../dialect.ts'
import { siteOf } from '../site-jid.ts'
import {
  CLOCK_SKEW_MS,
  createReplays,
  type Envelope,
  MAX_ENVELOPE_LENGTH,
  Refusal,
  type RefusalReason,
  type Trust,
} from '../trust/index.ts'
import { type Element, type ServedIq, StanzaError } from '../xmpp/index.ts'
import { withDeadline } from './deadline.ts'
import type { CarryOut, Inbox, StatusQuestion } from './inbox.ts'
import { answerClaims, errorSaid, readRequest, type Said } from './messages.ts'
import { createPages, type ListPage } from './pages.ts'
import type { Parcels } from './parcels.ts'
import { MORE, PING, STATUS } from './protocol.ts'

/** Answers what members ask in this dialect. */
export interface Serving {
  /** @throws StanzaError when the request cannot be believed: then nobody is there to whom an answer could be signed */
  answer(iq: ServedIq): Promise<readonly Element[]>
}

export interface ServingParts
  extends Pick<DialectParts, 'methods' | 'server' | 'clock' | 'heard' | 'log'> {
  readonly trust: Trust
  readonly parcels: Parcels
  readonly inbox: () => Inbox
  readonly isMember: (site: string) => boolean
  /** Tries to learn the keys of a member of which none is known. @returns whether there are some now */
  readonly introduce: (member: string) => Promise<boolean>
}

/** Longest time in which the content of a request may arrive. */
const ARRIVAL_MS = 30_000

/** What a command has to itself, however late it was begun. */
const SHORTEST_COMMAND_MS = 60_000

const conditions: Partial<Record<RefusalReason, string>> = {
  malformed: 'bad-request',
  'too-deep': 'bad-request',
  'wrong-type': 'bad-request',
  'bad-content': 'bad-request',
  'too-large': 'policy-violation',
  'not-yet-valid': 'not-acceptable',
  expired: 'not-acceptable',
  busy: 'resource-constraint',
}

export function createServing(parts: ServingParts): Serving {
  const { trust, parcels, methods, clock, heard } = parts
  const replays = createReplays(clock)
  const pages = createPages(clock)

  async function open(from: string, payload: Element) {
    const text = await trust.reveal(await parcels.unwrap(from, payload, ARRIVAL_MS))
    const opening = { from, expired: 'told' } as const
    try {
      return { text, envelope: trust.open('request', text, opening) }
    } catch (error) {
      const isStranger = error instanceof Refusal && error.reason === 'unknown-key'
      if (!isStranger || trust.peerKeys.knows(from) || !(await parts.introduce(from))) throw error
      return { text, envelope: trust.open('request', text, opening) }
    }
  }

  async function answerText(from: string, { type, payload, signal }: ServedIq): Promise<string> {
    const { text, envelope } = await open(from, payload)
    const { method, params } = readRequest(envelope)
    const { effect, newest } = methods.get(method) ?? {}
    const isCommand = effect === 'command'
    if (type !== (isCommand ? 'set' : 'get'))
      throw new Refusal('malformed', `'${method}' is not asked by an iq of type ${type}`)
    trust.assertProof(envelope.proof, isCommand || method === PING ? 'command' : 'read')
    heard(from)
    // Of what is about the newest state an older one changes nothing: it may be carried out as often as it comes.
    if (isCommand && !newest) return parts.inbox().take(from, envelope, text)
    assertInTime(envelope)
    await trust.learn(from, envelope)
    if (!isCommand) replays.assertNew(from, envelope.id, envelope.expiresAt)
    const said = await readSaid(from, envelope, method, params, signal)
    return sealed(from, envelope, said)
  }

  function assertInTime({ expiresAt }: Envelope): void {
    if (clock.now() > expiresAt + CLOCK_SKEW_MS)
      throw new Refusal('expired', `expired ${clock.now() - expiresAt} ms ago`)
  }

  async function readSaid(
    from: string,
    envelope: Envelope,
    method: string,
    params: unknown,
    signal: AbortSignal,
  ): Promise<Said> {
    if (method === STATUS)
      return { result: await parts.inbox().status(from, readStatusQuestion(params)) }
    if (method === PING) return { result: {} }
    try {
      if (method === MORE) return { result: pages.following(from, readCursor(params)) }
      const call = admit(from, envelope, signal)
      return inPages(from, await carryOutInTime(call, signal), readRequest(envelope).limit)
    } catch (error) {
      return failed(from, method, error)
    }
  }

  function inPages(member: string, result: unknown, limit: number | undefined): Said {
    if (limit === undefined || !Array.isArray(result)) return { result }
    const { items, next }: ListPage = pages.first(member, result, limit)
    return { result: items, ...(next !== undefined && { next }) }
  }

  function admit(from: string, envelope: Envelope, signal: AbortSignal): RemoteCall {
    const { expiresAt, issuedAt, id } = envelope
    // Whatever the clocks say, it is not worth more time than it was given.
    const deadline = Math.min(expiresAt + CLOCK_SKEW_MS, clock.now() + (expiresAt - issuedAt))
    return parts.server.admit({ member: from, id, deadline, signal, ...readRequest(envelope) })
  }

  function carryOutInTime(call: RemoteCall, stop: AbortSignal): Promise<unknown> {
    return withDeadline(clock, call.deadline, stop, (signal) =>
      parts.server.answer({ ...call, signal }),
    )
  }

  function failed(from: string, method: string, error: unknown) {
    const said = errorSaid(error)
    if (said.error.code === 'internal_error')
      parts.log.error({ err: error, peer: from, method }, 'a request of a member failed')
    return said
  }

  function sealed(to: string, { id, hash, proof, expiresAt }: Envelope, said: Said): string {
    const sealing = { to, id, proof, expiresAt: expiresAt + CLOCK_SKEW_MS }
    const keys = proof === 'signed' && { keys: trust.announced }
    const make = (claims: Record<string, unknown>) =>
      trust.seal('answer', { ...sealing, claims: { ...claims, ...keys } }).text
    const text = make(answerClaims({ hash }, said))
    if (text.length <= MAX_ENVELOPE_LENGTH) return text
    const tooLarge = new FogbowError('payload_too_large', 'the answer is larger than may be sent')
    return make(answerClaims({ hash }, errorSaid(tooLarge)))
  }

  return {
    async answer(iq) {
      const from = siteOf(iq.from)
      const member = from !== undefined && parts.isMember(from) ? from : undefined
      try {
        if (member === undefined) throw new Refusal('no-site', `${iq.from.slice(0, 255)} asked`)
        if (iq.type === 'get' && iq.payload.name === 'piece')
          return [parcels.piece(member, iq.payload)]
        if (iq.payload.name !== 'request') throw new Refusal('malformed', 'it is no request')
        const text = await trust.hide(member, await answerText(member, iq))
        return [parcels.wrap(member, 'answer', text)]
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        trust.refusals.note(error, member)
        throw new StanzaError(conditions[error.reason] ?? 'not-authorized', error.reason)
      }
    },
  }
}

export interface CommandParts extends Pick<DialectParts, 'server' | 'clock' | 'log'> {
  readonly methods: ReadonlyMap<string, RemoteMethod>
  readonly stopping: AbortSignal
}

/** How the inbox has a command carried out. */
export function createCarryOut({ server, clock, log, stopping }: CommandParts): CarryOut {
  return async (issuer, envelope, isRepeated) => {
    const { method, params, user } = readRequest(envelope)
    const asked = { member: issuer, method, params, id: envelope.id, signal: stopping }
    // What has begun in time is finished, also when it is taken up again later.
    const deadline = Math.max(envelope.expiresAt, clock.now() + SHORTEST_COMMAND_MS)
    let call: RemoteCall
    try {
      call = server.admit({ ...asked, deadline, ...(user !== undefined && { user }) })
    } catch (error) {
      return isRepeated ? errorSaid(noLongerAdmitted(method, error)) : errorSaid(error)
    }
    try {
      const result = await withDeadline(clock, deadline, stopping, (signal) =>
        server.answer({ ...call, signal }),
      )
      return { result }
    } catch (error) {
      const said = errorSaid(error)
      if (said.error.code === 'internal_error')
        log.error({ err: error, peer: issuer, method }, 'a command of a member failed')
      return said
    }
  }
}

/** It was begun when it was still allowed: a refusal would say that nothing was done. */
function noLongerAdmitted(method: string, error: unknown): FogbowError {
  const why = error instanceof Error ? error.message : String(error)
  return new FogbowError(
    'unavailable_provider',
    `${method} was begun, and is not allowed any more: ${why}`,
  )
}

function readCursor(params: unknown): string {
  const { cursor } = (params ?? {}) as Record<string, unknown>
  if (typeof cursor === 'string') return cursor
  throw new FogbowError('invalid_parameter', 'cursor: must be a text')
}

function readStatusQuestion(params: unknown): StatusQuestion {
  const { id, hash, expiresAt } = (params ?? {}) as Record<string, unknown>
  if (typeof id !== 'string' || typeof hash !== 'string' || typeof expiresAt !== 'number')
    throw new Refusal('malformed', 'a question for a status names id, hash and expiresAt')
  return { id, hash, expiresAt }
}
