import { type FederationUser, FogbowError } from '@fogbow/plugin-sdk'
import type { Proof, Trust } from '../trust/index.ts'
import type { Clock } from '../xmpp/index.ts'
import { backOffMs } from './back-off.ts'
import { type Answered, type Exchange, NoAnswer } from './exchange.ts'
import { errorOf, unavailable } from './messages.ts'
import { MORE, PAGE_ITEMS } from './protocol.ts'
import { signRequest } from './signed-request.ts'

/** Asks what changes nothing: again while there is time, each time under an id of its own. */
export interface Reads {
  /** @throws FogbowError: what the member answered; unavailable_provider when it did not */
  ask(member: string, method: string, params: object, settings: ReadSettings): Promise<unknown>
}

export interface ReadSettings {
  readonly timeoutMs: number
  readonly user?: FederationUser | undefined
  readonly signal?: AbortSignal | undefined
  /** 4 when absent */
  readonly attempts?: number
  /** Whatever else would do. */
  readonly isSigned?: boolean
  /** The answer is a list, fetched page by page. */
  readonly isList?: boolean | undefined
}

const SIGNED_FOR_MS = 60_000
/** Of one list. */
const MOST_ITEMS = 100_000
const ATTEMPTS = 4
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2000
/** An attempt that may be lost gets half of the time left, but not less. */
const SHORTEST_ATTEMPT_MS = 2000

export interface ReadParts {
  readonly exchange: Exchange
  readonly trust: Trust
  readonly clock: Clock
  readonly newId: () => string
}

export function createReads({ exchange, trust, clock, newId }: ReadParts): Reads {
  /** Members that want signatures, or do not know our key yet. */
  const signedUntil = new Map<string, number>()

  function proofFor(member: string, isSigned: boolean | undefined): Proof {
    if (isSigned || (signedUntil.get(member) ?? 0) > clock.now()) return 'signed'
    return trust.proofOfReads(member)
  }

  async function attempt(
    member: string,
    method: string,
    params: object,
    { user, signal, isSigned, isList }: ReadSettings,
    expiresAt: number,
    timeoutMs: number,
  ): Promise<Answered> {
    const proof = proofFor(member, isSigned)
    // Whoever hears our signature learns our other keys with it: from then on they will do.
    const keys = proof === 'signed' ? trust.announced : undefined
    const limit = isList ? PAGE_ITEMS : undefined
    const what = { member, id: newId(), expiresAt, method, params, user, limit, proof, keys }
    try {
      return await exchange.ask(member, 'get', signRequest(trust, what), { timeoutMs, signal })
    } catch (error) {
      const isDoubted = error instanceof NoAnswer && error.isDoubted && proof === 'shared'
      if (!isDoubted || expiresAt <= clock.now()) throw error
      signedUntil.set(member, clock.now() + SIGNED_FOR_MS)
      const again = { timeoutMs, user, signal, isList, isSigned: true }
      return attempt(member, method, params, again, expiresAt, timeoutMs)
    }
  }

  async function askOnce(
    member: string,
    method: string,
    params: object,
    settings: ReadSettings,
  ): Promise<ListPart> {
    const { timeoutMs, attempts = ATTEMPTS } = settings
    const deadline = clock.now() + timeoutMs
    for (let count = 1; ; count += 1) {
      const timeLeft = deadline - clock.now()
      const share = count === attempts ? timeLeft : timeLeft / 2
      const atOnce = Math.min(timeLeft, Math.max(SHORTEST_ATTEMPT_MS, share))
      let problem: NoAnswer
      try {
        const answered = await attempt(member, method, params, settings, deadline, atOnce)
        await trust.learn(member, answered.envelope)
        return toResult(member, answered)
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error
        problem = error
      }
      const pause = backOffMs(clock, count - 1, FIRST_PAUSE_MS, LONGEST_PAUSE_MS)
      const isOver = clock.now() + pause >= deadline || count >= attempts
      if (problem.isLasting || isOver || settings.signal?.aborted) throw failed(member, problem)
      await new Promise<void>((resolve) => clock.after(pause, resolve))
    }
  }

  /** The pages after the first. */
  async function theRest(
    member: string,
    first: ListPart,
    { signal, user: _user, ...settings }: ReadSettings,
    deadline: number,
  ): Promise<unknown[]> {
    const items = itemsOf(member, first.result)
    for (let cursor = first.next; cursor !== undefined; ) {
      const how = { ...settings, isList: false, signal, timeoutMs: deadline - clock.now() }
      const { result } = await askOnce(member, MORE, { cursor }, how)
      const page = (result ?? {}) as { items?: unknown; next?: unknown }
      const more = itemsOf(member, page.items)
      items.push(...more)
      if (more.length === 0 || items.length > MOST_ITEMS)
        throw unavailable(member, `answers with a list that does not end (${items.length} items)`)
      cursor = typeof page.next === 'string' ? page.next : undefined
    }
    return items
  }

  return {
    async ask(member, method, params, settings) {
      const deadline = clock.now() + settings.timeoutMs
      for (let isFirst = true; ; isFirst = false) {
        const timeoutMs = deadline - clock.now()
        const first = await askOnce(member, method, params, { ...settings, timeoutMs })
        if (!settings.isList || first.next === undefined) return first.result
        try {
          return await theRest(member, first, settings, deadline)
        } catch (error) {
          // The member was restarted meanwhile.
          if (!isFirst || !(error instanceof FogbowError) || error.code !== 'not_found') throw error
        }
      }
    },
  }
}

interface ListPart {
  readonly result: unknown
  readonly next?: string
}

function itemsOf(member: string, items: unknown): unknown[] {
  if (Array.isArray(items)) return [...items]
  throw unavailable(member, 'answered with a page that is no list')
}

function failed(member: string, { message }: NoAnswer): FogbowError {
  return unavailable(member, `gave no answer: ${message}`)
}

function toResult(member: string, { said }: Answered): ListPart {
  if ('result' in said) return said
  if ('error' in said) throw errorOf(said.error)
  throw unavailable(member, 'did not answer in time by its own clock')
}
