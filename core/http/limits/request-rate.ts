import { type Clock, FogbowError } from '@fogbow/plugin-sdk'

/** Counts requests of each caller in windows of one minute. */
export interface RequestRate {
  /** @throws too_many_requests with the time to wait, when the window is used up */
  check(caller: string): void
  count(caller: string): void
  isKnown(caller: string): boolean
  forget(caller: string): void
}

const WINDOW_MS = 60_000

/**
 * All windows end together, so that forgetting is one new map and idle callers cost neither timers nor memory.
 * Synchronous: it is in the way of every request.
 * @param requestsPerMinute - 0 for no limit
 */
export function createRequestRate(
  requestsPerMinute: number,
  clock: Pick<Clock, 'now'>,
): RequestRate {
  let counts = new Map<string, number>()
  let endsAt = 0

  return {
    check(caller) {
      if (requestsPerMinute === 0) return
      const now = clock.now()
      if (now >= endsAt) {
        counts = new Map()
        endsAt = now + WINDOW_MS
      }
      if ((counts.get(caller) ?? 0) >= requestsPerMinute) throw tooMany(endsAt - now)
    },
    count(caller) {
      if (requestsPerMinute > 0) counts.set(caller, (counts.get(caller) ?? 0) + 1)
    },
    isKnown: (caller) => counts.has(caller),
    forget: (caller) => {
      counts.delete(caller)
    },
  }
}

function tooMany(waitMs: number): FogbowError {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
  const message = `Too many requests. Go on in ${retryAfterSeconds} s, and ask less often`
  return new FogbowError('too_many_requests', message, { details: { retryAfterSeconds } })
}
