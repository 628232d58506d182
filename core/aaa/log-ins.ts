import { asFogbowError } from '@fogbow/plugin-sdk'
import { identitySources, type SiteConfig } from '../config/index.ts'
import { sourceForLogIn } from './choose-source.ts'
import { createExpiringCache } from './expiring-cache.ts'
import type { LogInLimits } from './log-in-limits.ts'
import type { LogInOutcome, LogInRecords } from './log-in-records.ts'
import type { AaaPipeline } from './pipeline.ts'

/** Log-ins as they come from outside: limited, recorded, and telling nothing by the time that they take. */
export interface LogIns {
  /** @throws unauthenticated, too_many_requests, invalid_parameter, and what its plugin throws */
  logIn(
    credentials: Readonly<Record<string, string>>,
    from: { requestId: string; address: string; signal?: AbortSignal },
  ): Promise<string>
  /**
   * Records one that went on at an identity provider, which limits guessing itself.
   * @param userName - null when nobody came back
   * @param error - what it ended with, unless somebody logged in
   */
  noteElsewhere(
    source: string,
    userName: string | null,
    from: { requestId: string; address: string },
    error?: unknown,
  ): Promise<void>
  /** Newest first. */
  records: LogInRecords
}

export interface LogInClock {
  /** ms since the epoch */
  now(): number
  /** Runs once after a pause. */
  after(ms: number, run: () => void): unknown
}

/** A refusal is answered at a multiple of this: how long it took tells nothing of whether the user exists. */
const REFUSAL_STEP_MS = 250
/** Of those who come while they have to wait, one in such a time is recorded. */
const LOCKED_OUT_RECORD_MS = 60_000
const SHORTEST_SECRET = 4

export function createLogIns(parts: {
  aaa: AaaPipeline
  limits: LogInLimits
  records: LogInRecords
  config: () => SiteConfig
  clock: LogInClock
  onLogIn?(source: string, outcome: LogInOutcome): void
}): LogIns {
  const { aaa, limits, records, clock } = parts
  const lockedOut = createExpiringCache<true>(10_000, clock.now)

  /** Whoever goes on while locked out would fill the records. */
  function isWorthRecording(outcome: LogInOutcome, ...who: string[]): boolean {
    if (outcome !== 'locked out') return true
    const key = JSON.stringify(who)
    if (lockedOut.get(key)) return false
    lockedOut.set(key, true, clock.now() + LOCKED_OUT_RECORD_MS)
    return true
  }

  async function record(
    { requestId, address }: { requestId: string; address: string },
    source: string | undefined,
    userName: string | null,
    outcome: LogInOutcome,
    reason: string | null,
  ): Promise<void> {
    parts.onLogIn?.(source ?? 'none', outcome)
    if (!isWorthRecording(outcome, source ?? '', userName ?? '', address)) return
    await records.add({
      timestamp: clock.now(),
      request_id: requestId.slice(0, 64),
      user_name: userName?.slice(0, 255) ?? null,
      source: source ?? null,
      address: address.slice(0, 64),
      outcome,
      reason,
    })
  }

  return {
    records,
    noteElsewhere: (source, userName, from, error) =>
      error === undefined
        ? record(from, source, userName, 'ok', null)
        : record(from, source, userName, outcomeOf(error), asFogbowError(error).message),

    async logIn(credentials, { requestId, address, signal }) {
      const startedAt = clock.now()
      const userName = nameIn(credentials)
      let source: string | undefined
      const note = (outcome: LogInOutcome, reason: string | null) =>
        record({ requestId, address }, source, credentials.username ?? null, outcome, reason)
      try {
        source = sourceForLogIn(identitySources(parts.config()), credentials).name
        const attempt = { source, userName, address }
        const run = () => aaa.createToken(credentials, signal)
        const token = await limits.attempt(attempt, run, isRefusal)
        await note('ok', null)
        return token
      } catch (error) {
        const { message } = asFogbowError(error)
        await note(outcomeOf(error), withoutSecrets(message, credentials))
        if (isRefusal(error)) await untilNextStep(clock, startedAt)
        throw error
      }
    },
  }
}

function isRefusal(error: unknown): boolean {
  return asFogbowError(error).code === 'unauthenticated'
}

function outcomeOf(error: unknown): LogInOutcome {
  const { code } = asFogbowError(error)
  if (code === 'too_many_requests') return 'locked out'
  return code === 'unauthenticated' || code === 'invalid_parameter' ? 'refused' : 'failed'
}

/** Without user name, everything that is no secret tells who it is. */
function nameIn(credentials: Readonly<Record<string, string>>): string {
  const { username } = credentials
  if (username !== undefined && username !== '') return username
  const rest = Object.entries(credentials).filter(([key]) => !isSecret(key))
  return JSON.stringify(rest.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function isSecret(key: string): boolean {
  return !['username', 'domain', 'project', 'email', 'applicationCredentialId'].includes(key)
}

/** What a plugin says may quote what was typed. */
function withoutSecrets(text: string, credentials: Readonly<Record<string, string>>): string {
  return Object.entries(credentials)
    .filter(([key, value]) => isSecret(key) && value.length >= SHORTEST_SECRET)
    .reduce((shown, [, value]) => shown.replaceAll(value, '…'), text)
}

function untilNextStep(clock: LogInClock, startedAt: number): Promise<void> {
  const tookMs = Math.max(0, clock.now() - startedAt)
  const restMs = REFUSAL_STEP_MS - (tookMs % REFUSAL_STEP_MS)
  return new Promise((resolve) => clock.after(restMs, resolve))
}
