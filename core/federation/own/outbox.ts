import { FogbowError } from '@fogbow/plugin-sdk'
import type { Store } from '../../store/index.ts'
import type { RemoteMethod } from '../contract.ts'
import type { DialectCallSettings } from '../dialect.ts'
import { reopen, type Trust } from '../trust/index.ts'
import type { Clock, Log } from '../xmpp/index.ts'
import type { Attempt, Attempts } from './attempts.ts'
import { backOffMs } from './back-off.ts'
import { type Command, type CommandOutcome, objectOf, paramsHashOf } from './command.ts'
import { createLanes } from './lanes.ts'
import { errorOf, unavailable } from './messages.ts'
import { createOutboxTable, type StoredCommand } from './outbox-table.ts'
import { KEEP_ANSWER_MS } from './protocol.ts'
import { signRequest } from './signed-request.ts'
import { awaitOutcome } from './waiting.ts'

/** Asks commands of members until their outcome is known, however often this process or the way there breaks. */
export interface Outbox {
  /** @throws FogbowError: the answer; unavailable_provider when it is not known in time, and then it goes on by itself */
  ask(
    member: string,
    method: RemoteMethod,
    params: Readonly<Record<string, unknown>>,
    settings: DialectCallSettings,
  ): Promise<unknown>
  /** What waits for the member is tried at once. */
  wake(member: string): void
  /** Takes up what is pending. */
  start(): Promise<void>
  /** Nothing is sent or written afterwards. */
  stop(): Promise<void>
  /** Commands whose outcome is not known. */
  readonly pending: number
}

export interface OutboxParts {
  readonly store: Store
  readonly trust: Trust
  readonly attempts: Attempts
  readonly clock: Clock
  readonly log: Log
  readonly newId: () => string
}

const LIFETIME_MS = 900_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** The member is at it: its answer is worth asking for soon. */
const PENDING_PAUSE_MS = 500
/** What was pending at the start is spread over this time. */
const RESUMED_WITHIN_MS = 1000
const MOST_AT_A_TIME = 16
const MOST_PENDING = { commands: 4096, length: 32 * 1024 * 1024 }
const FORGET_EVERY_MS = 3_600_000

export function createOutbox(parts: OutboxParts): Outbox {
  const { store, trust, attempts, clock, log, newId } = parts
  const table = createOutboxTable(store)
  const lanes = createLanes(MOST_AT_A_TIME)
  const commands = new Map<string, Command>()
  const byKey = new Map<string, Command>()
  /** The newest of each object. */
  const byObject = new Map<string, Command>()
  const started = Promise.withResolvers<void>()
  let forgetAt = 0
  let stopped = false

  function keep(command: Command): void {
    commands.set(command.id, command)
    const { member, key, object } = command
    if (key !== undefined) byKey.set(nameOf(member, key), command)
    if (object !== undefined) byObject.set(nameOf(member, object), command)
  }

  function drop(command: Command): void {
    command.state = 'ended'
    command.cancelPause()
    commands.delete(command.id)
    const { member, key, object } = command
    if (key !== undefined) deleteIf(byKey, nameOf(member, key), command)
    if (object !== undefined) deleteIf(byObject, nameOf(member, object), command)
  }

  function settle(command: Command, outcome: CommandOutcome): void {
    drop(command)
    for (const waiting of command.waiting) waiting.settle(outcome)
    command.waiting.clear()
  }

  function fail(command: Command, error: FogbowError): void {
    for (const waiting of command.waiting) waiting.fail(error)
    command.waiting.clear()
  }

  /** @throws unavailable_provider when too much waits for the member already */
  function assertRoom(member: string, length: number): void {
    let count = 0
    let total = length
    for (const command of commands.values())
      if (command.member === member) {
        count += 1
        total += command.request.length
      }
    if (count >= MOST_PENDING.commands || total > MOST_PENDING.length)
      throw unavailable(member, `was not asked: ${count} commands wait for it already`)
  }

  function create(
    member: string,
    method: RemoteMethod,
    params: Readonly<Record<string, unknown>>,
    { user, key, lifetimeMs = LIFETIME_MS }: DialectCallSettings,
  ): Command {
    const expiresAt = clock.now() + lifetimeMs
    const what = { member, id: newId(), expiresAt, method: method.name, params, user }
    const { id, text, hash } = signRequest(trust, what)
    assertRoom(member, text.length)
    return {
      ...blank(),
      ...objectOf(method, params),
      id,
      member,
      method: method.name,
      key,
      paramsHash: paramsHashOf(method.name, params),
      request: text,
      hash,
      expiresAt,
    }
  }

  /** @returns the outcome if it is known from an earlier time */
  async function makeDurable(command: Command): Promise<CommandOutcome | undefined> {
    await started.promise
    const { member, key } = command
    const former = key === undefined ? undefined : await table.findByKey(member, key)
    if (former) assertSame(former, command.paramsHash)
    if (former?.outcome) return former.outcome
    if (stopped) throw unavailable(member, 'was not asked: this site stops')
    await table.add(command)
    return undefined
  }

  async function begin(command: Command, older: Command | undefined): Promise<void> {
    try {
      const outcome = await makeDurable(command)
      if (outcome) return settle(command, outcome)
      if (older) supersede(older, command)
      if (command.isSuperseded) await table.remove(command.id)
      else enqueue(command)
    } catch (error) {
      drop(command)
      fail(command, toFogbowError(error, command.member))
    }
  }

  function supersede(older: Command, newer: Command): void {
    for (const waiting of older.waiting) newer.waiting.add(waiting)
    older.waiting.clear()
    older.isSuperseded = true
    if (older.state === 'pausing' || older.state === 'new') drop(older)
  }

  function enqueue(command: Command): void {
    if (stopped || command.state === 'ended') return
    command.state = 'queued'
    lanes.enter(command.member, () => attempt(command))
  }

  async function attempt(command: Command): Promise<void> {
    if (stopped || command.state === 'ended') return
    if (command.isSuperseded) return drop(command)
    command.state = 'under way'
    try {
      await take(command, await attempts.make(command))
    } catch (err) {
      log.error({ err, peer: command.member, command: command.id }, 'an attempt failed')
      pause(command, LONGEST_PAUSE_MS)
    }
  }

  async function take(command: Command, attempt: Attempt): Promise<void> {
    if (stopped) return
    if ('outcome' in attempt) return end(command, attempt.outcome)
    command.hint = attempt.hint
    if (attempt.error) fail(command, errorOf(attempt.error))
    if (command.isSuperseded) return drop(command)
    const { attempts: before } = command
    command.attempts += 1
    pause(
      command,
      attempt.isPending
        ? PENDING_PAUSE_MS
        : backOffMs(clock, before, FIRST_PAUSE_MS, LONGEST_PAUSE_MS),
    )
  }

  async function end(command: Command, outcome: CommandOutcome): Promise<void> {
    await table.end(command.id, outcome, clock.now())
    settle(command, outcome)
    forgetOld()
  }

  function pause(command: Command, ms: number): void {
    if (stopped) return
    command.state = 'pausing'
    command.cancelPause = clock.after(ms, () => enqueue(command))
  }

  function forgetOld(): void {
    if (clock.now() < forgetAt) return
    forgetAt = clock.now() + FORGET_EVERY_MS
    table
      .forget(clock.now() - KEEP_ANSWER_MS)
      .catch((err) => log.error({ err }, 'old outcomes could not be forgotten'))
  }

  function resume(stored: StoredCommand): void {
    const { id, member, method, key, paramsHash, object, generation, request, expiresAt } = stored
    const newer = object === undefined ? undefined : byObject.get(nameOf(member, object))
    if (newer && (newer.generation ?? 0) > (generation ?? 0)) return
    const { hash } = reopen(request)
    const command: Command = {
      ...blank(),
      ...{ id, member, method, key, paramsHash, object, generation, request, hash, expiresAt },
      maybeSent: true,
      hint: 'this site was restarted',
    }
    keep(command)
    pause(command, clock.random() * RESUMED_WITHIN_MS)
  }

  return {
    async ask(member, method, params, settings) {
      const { key } = settings
      const former = key === undefined ? undefined : byKey.get(nameOf(member, key))
      if (former) {
        assertSame(former, paramsHashOf(method.name, params))
        return awaitOutcome(clock, former, settings)
      }
      const command = create(member, method, params, settings)
      const { object, generation = 0 } = command
      const older = object === undefined ? undefined : byObject.get(nameOf(member, object))
      if (older && (older.generation ?? 0) >= generation)
        return awaitOutcome(clock, older, settings)
      keep(command)
      const outcome = awaitOutcome(clock, command, settings)
      void begin(command, older)
      return outcome
    },

    wake(member) {
      for (const command of commands.values()) {
        if (command.member !== member || command.state !== 'pausing') continue
        command.cancelPause()
        command.attempts = 0
        enqueue(command)
      }
    },

    async start() {
      for (const stored of await table.pending()) resume(stored)
      forgetOld()
      started.resolve()
    },

    async stop() {
      stopped = true
      started.resolve()
      for (const command of commands.values()) {
        command.cancelPause()
        fail(
          command,
          unavailable(
            command.member,
            `may have got '${command.method}': it is asked again after the start`,
          ),
        )
      }
    },

    get pending() {
      return commands.size
    },
  }
}

function blank() {
  return {
    waiting: new Set<never>(),
    state: 'new' as const,
    attempts: 0,
    maybeSent: false,
    isSuperseded: false,
    hint: 'it was not tried yet',
    cancelPause: () => {},
  }
}

function nameOf(member: string, what: string): string {
  return `${member}\n${what}`
}

function deleteIf(map: Map<string, Command>, name: string, command: Command): void {
  if (map.get(name) === command) map.delete(name)
}

function assertSame(former: { paramsHash: string; key: string | undefined }, hash: string): void {
  if (former.paramsHash !== hash)
    throw new FogbowError(
      'idempotency_conflict',
      `'${former.key}' names another request already; ask under a key of its own`,
    )
}

function toFogbowError(error: unknown, member: string): FogbowError {
  if (error instanceof FogbowError) return error
  const why = error instanceof Error ? error.message : String(error)
  return new FogbowError('internal_error', `${member} was not asked: ${why}`, { cause: error })
}
