import type { ErrorRecord } from '@fogbow/plugin-sdk'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { Trust } from '../trust/index.ts'
import { Refusal } from '../trust/index.ts'
import type { Clock } from '../xmpp/index.ts'
import type { Command, CommandOutcome } from './command.ts'
import { type Exchange, NoAnswer } from './exchange.ts'
import { readAnswer, type Said } from './messages.ts'
import { STATUS } from './protocol.ts'
import type { Reads } from './reads.ts'

/** What one attempt at a command brought. */
export type Attempt =
  | { readonly outcome: CommandOutcome }
  | {
      readonly hint: string
      /** The member is at it. */
      readonly isPending?: true
      /** What the member said went wrong this time; it may go better the next. */
      readonly error?: ErrorRecord
    }

/** Tries a command: until it expires by asking it, afterwards by asking what became of it. */
export interface Attempts {
  make(command: Command): Promise<Attempt>
}

export interface AttemptParts {
  readonly exchange: Exchange
  readonly reads: Reads
  readonly trust: Trust
  readonly clock: Clock
}

/** A member holds a stanza for 10 s at most. */
const ATTEMPT_MS = 15_000

export function createAttempts({ exchange, reads, trust, clock }: AttemptParts): Attempts {
  async function ask(command: Command): Promise<Attempt> {
    const { id, member, request: text, hash } = command
    try {
      const once = { timeoutMs: ATTEMPT_MS }
      const { said } = await exchange.ask(member, 'set', { id, text, hash, proof: 'signed' }, once)
      command.maybeSent = true
      return toAttempt(said)
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      command.maybeSent ||= error.sent
      return { hint: error.message }
    }
  }

  async function askStatus({ id, hash, expiresAt, member }: Command): Promise<Attempt> {
    const settings = { timeoutMs: ATTEMPT_MS, attempts: 1 }
    try {
      const status = await reads.ask(member, STATUS, { id, hash, expiresAt }, settings)
      return readStatus(member, { id, hash }, status)
    } catch (error) {
      if (error instanceof FogbowError) return { hint: error.message }
      throw error
    }
  }

  function readStatus(
    member: string,
    request: { id: string; hash: string },
    status: unknown,
  ): Attempt {
    const { state, final, answer } = (status ?? {}) as Record<string, unknown>
    if (state === 'never-seen' && final === true) return { outcome: { expired: true } }
    if (state === 'forgotten') return { outcome: { error: forgotten(member) } }
    if (state === 'done') return readStored(member, request, String(answer))
    return { hint: `${member} says '${String(state).slice(0, 40)}'` }
  }

  /** What was kept is final by now, whatever it said then. */
  function readStored(
    member: string,
    request: { id: string; hash: string },
    answer: string,
  ): Attempt {
    try {
      const envelope = trust.open('answer', answer, { from: member })
      trust.assertProof(envelope.proof, 'command')
      const said = readAnswer(envelope, request)
      if ('error' in said) return { outcome: { error: said.error } }
      return toAttempt(said)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      trust.refusals.note(error, member)
      return { hint: `the answer that ${member} kept cannot be believed: ${error.reason}` }
    }
  }

  return {
    async make(command) {
      if (clock.now() <= command.expiresAt) return ask(command)
      return command.maybeSent ? askStatus(command) : { outcome: { expired: true } }
    },
  }
}

function toAttempt(said: Said): Attempt {
  if ('result' in said) return { outcome: { result: said.result } }
  if ('error' in said)
    return said.final
      ? { outcome: { error: said.error } }
      : { hint: said.error.message, error: said.error }
  if ('pending' in said) return { hint: 'the member is at it', isPending: true }
  if (said.refused === 'expired') return { outcome: { expired: true } }
  return { outcome: { error: conflict } }
}

const conflict: ErrorRecord = {
  code: 'idempotency_conflict',
  message: 'the member knows another request under the same id',
}

function forgotten(member: string): ErrorRecord {
  return {
    code: 'unavailable_provider',
    message: `${member} does not know any more what became of it: look at what it concerned`,
  }
}
