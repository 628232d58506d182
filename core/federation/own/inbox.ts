import type { Store } from '../../store/index.ts'
import {
  CLOCK_SKEW_MS,
  type Envelope,
  MAX_ENVELOPE_LENGTH,
  Refusal,
  reopen,
  type Trust,
} from '../trust/index.ts'
import type { Clock, Log } from '../xmpp/index.ts'
import { createInboxTable, type InboxRow } from './inbox-table.ts'
import { answerClaims, type Said } from './messages.ts'
import { KEEP_ANSWER_MS } from './protocol.ts'

/** Carries out each command of a member once in effect, and answers every attempt of it alike. */
export interface Inbox {
  /**
   * @param text - the signed request
   * @returns the signed answer; that it is under way still, when it takes long
   * @throws Refusal `busy`
   */
  take(issuer: string, request: Envelope, text: string): Promise<string>
  /** What is known of a command, without beginning it. */
  status(issuer: string, asked: StatusQuestion): Promise<CommandStatus>
  /** Finishes what was begun and not answered when the process before this one ended. */
  start(): Promise<void>
  /** Nothing is begun or written afterwards. */
  stop(): Promise<void>
}

export interface StatusQuestion {
  readonly id: string
  readonly hash: string
  readonly expiresAt: number
}

export type CommandStatus =
  /** `final`: it came too late for being begun ever. */
  | { readonly state: 'never-seen'; readonly final: boolean }
  | { readonly state: 'in-progress' }
  | { readonly state: 'done'; readonly answer: string }
  /** So long ago that it is not known any more. */
  | { readonly state: 'forgotten' }

/** @param isRepeated - it was begun before, and may have taken effect. Never throws. */
export type CarryOut = (issuer: string, request: Envelope, isRepeated: boolean) => Promise<Said>

export interface InboxParts {
  readonly store: Store
  readonly trust: Trust
  readonly clock: Clock
  readonly log: Log
  readonly carryOut: CarryOut
}

/** A stanza is not held longer; who asks again meets the same execution. */
const HOLD_MS = 10_000
const MOST_UNDER_WAY = 64
/** Of one member; a site that needs more in a week is not asking for instances. */
const MOST_ROWS = 200_000
const FORGET_EVERY_MS = 3_600_000
const RESUMED_AT_A_TIME = 8

/** It was done: no code that says the contrary will do. */
const tooLargeToSay: Said = {
  error: { code: 'plugin_failure', message: 'it was done, but its result is too large to be sent' },
  final: true,
}

interface Execution {
  readonly hash: string
  readonly answer: Promise<string>
}

export function createInbox({ store, trust, clock, log, carryOut }: InboxParts): Inbox {
  const table = createInboxTable(store)
  const underWay = new Map<string, Map<string, Execution>>()
  let rows = new Map<string, number>()
  let forgetAt = clock.now() + FORGET_EVERY_MS
  let stopped = false

  function answerTo(issuer: string, request: Envelope, said: Said): string {
    const expiresAt = request.expiresAt + CLOCK_SKEW_MS + KEEP_ANSWER_MS
    const make = (what: Said) =>
      trust.seal('answer', {
        to: issuer,
        id: request.id,
        expiresAt,
        claims: answerClaims(request, what),
      }).text
    const text = make(said)
    return text.length <= MAX_ENVELOPE_LENGTH ? text : make(tooLargeToSay)
  }

  function executionsOf(issuer: string): Map<string, Execution> {
    let executions = underWay.get(issuer)
    if (!executions) {
      executions = new Map()
      underWay.set(issuer, executions)
    }
    return executions
  }

  /** One execution of a command at a time; whoever comes meanwhile waits for the same. */
  function execution(issuer: string, request: Envelope, text: string): Execution {
    const executions = executionsOf(issuer)
    const running = executions.get(request.id)
    if (running) return running
    if (executions.size >= MOST_UNDER_WAY)
      throw new Refusal('busy', `${executions.size} commands of ${issuer} are under way`)
    const answer = answerOnce(issuer, request, text).finally(() => executions.delete(request.id))
    answer.catch(() => {})
    const begun = { hash: request.hash, answer }
    executions.set(request.id, begun)
    return begun
  }

  async function answerOnce(issuer: string, request: Envelope, text: string): Promise<string> {
    const row = await table.find(issuer, request.id)
    if (row && row.hash !== request.hash) return answerTo(issuer, request, { refused: 'conflict' })
    if (row?.done) return row.answer ?? ''
    const isLate = clock.now() > request.expiresAt + CLOCK_SKEW_MS
    if (isLate && row?.answer) return row.answer
    if (isLate && !row) return answerTo(issuer, request, { refused: 'expired' })
    if (!row) await begin(issuer, request, text)
    return finish(issuer, request, row !== undefined)
  }

  async function begin(issuer: string, request: Envelope, text: string): Promise<void> {
    const count = rows.get(issuer) ?? 0
    if (count >= MOST_ROWS) throw new Refusal('busy', `${count} commands of ${issuer} are kept`)
    const beginUntil = request.expiresAt + CLOCK_SKEW_MS
    assertRunning()
    await table.begin(issuer, request, text, { beginUntil, keepUntil: beginUntil + KEEP_ANSWER_MS })
    rows.set(issuer, count + 1)
  }

  async function finish(issuer: string, request: Envelope, isRepeated: boolean): Promise<string> {
    const said = await carryOut(issuer, request, isRepeated)
    const answer = answerTo(issuer, request, said)
    assertRunning()
    await table.answered(issuer, request.id, answer, !('error' in said) || said.final)
    return answer
  }

  function assertRunning(): void {
    if (stopped) throw new Refusal('busy', 'this site stops')
  }

  function hold(answer: Promise<string>, otherwise: () => string): Promise<string> {
    return new Promise((resolve, reject) => {
      const cancel = clock.after(HOLD_MS, () => resolve(otherwise()))
      answer.then(resolve, reject).finally(cancel)
    })
  }

  function forgetOld(): void {
    if (clock.now() < forgetAt) return
    forgetAt = clock.now() + FORGET_EVERY_MS
    table
      .forget(clock.now())
      .then(() => table.countByIssuer())
      .then((counts) => {
        rows = counts
      })
      .catch((err) => log.error({ err }, 'old commands of members could not be forgotten'))
  }

  function known(issuer: string, row: InboxRow, asked: StatusQuestion): CommandStatus {
    if (row.hash !== asked.hash) return { state: 'never-seen', final: true }
    const isOver = row.done === 1 || clock.now() > row.begin_until
    if (row.answer !== null && isOver) return { state: 'done', answer: row.answer }
    // Begun, and nobody is at it: it is repeated, since nothing else tells its outcome.
    if (row.answer === null) execution(issuer, reopen(row.request), row.request)
    return { state: 'in-progress' }
  }

  return {
    async take(issuer, request, text) {
      assertRunning()
      forgetOld()
      const { hash, answer } = execution(issuer, request, text)
      if (hash !== request.hash) return answerTo(issuer, request, { refused: 'conflict' })
      return hold(answer, () => answerTo(issuer, request, { pending: true }))
    },

    async status(issuer, asked) {
      assertRunning()
      if (underWay.get(issuer)?.has(asked.id)) return { state: 'in-progress' }
      const row = await table.find(issuer, asked.id)
      if (row) return known(issuer, row, asked)
      const beginUntil = asked.expiresAt + CLOCK_SKEW_MS
      if (clock.now() > beginUntil + KEEP_ANSWER_MS) return { state: 'forgotten' }
      return { state: 'never-seen', final: clock.now() > beginUntil }
    },

    async start() {
      rows = await table.countByIssuer()
      const interrupted = (await table.interrupted()).values()
      const resume = async () => {
        for (const { issuer, request } of interrupted) {
          if (stopped) return
          const { answer } = execution(issuer, reopen(request), request)
          await answer.catch((err) =>
            log.error(
              { err, peer: issuer },
              'a command that was interrupted could not be finished',
            ),
          )
        }
      }
      void Promise.all(Array.from({ length: RESUMED_AT_A_TIME }, resume))
    },

    async stop() {
      stopped = true
    },
  }
}
