import { type Clock, FogbowError } from '@fogbow/plugin-sdk'

/** Turns away who failed too often, for longer with each further failure. */
export interface Lockout {
  /** @throws too_many_requests while the key is locked out */
  check(key: string): void
  failed(key: string): void
  succeeded(key: string): void
}

export interface LockoutOptions {
  clock: Pick<Clock, 'now'>
  /** Failures that have no consequence; 0 switches the lock-out off. */
  freeFailures: number
}

const FIRST_LOCK_MS = 1_000
const LONGEST_LOCK_MS = 15 * 60_000
/** Beyond it the oldest entry is forgotten, so that a flood of names cannot fill the memory. */
const MAX_KEYS = 50_000

interface Failures {
  count: number
  lockedUntil: number
  forgottenAt: number
}

export function createLockout({ clock, freeFailures }: LockoutOptions): Lockout {
  const byKey = new Map<string, Failures>()

  function failuresOf(key: string): Failures | undefined {
    const failures = byKey.get(key)
    if (failures && failures.forgottenAt <= clock.now()) {
      byKey.delete(key)
      return undefined
    }
    return failures
  }

  return {
    check(key) {
      const waitMs = (failuresOf(key)?.lockedUntil ?? 0) - clock.now()
      if (waitMs <= 0) return
      const retryAfterSeconds = Math.ceil(waitMs / 1000)
      const message = `Too many failed log-ins. Try again in ${retryAfterSeconds} s`
      throw new FogbowError('too_many_requests', message, { details: { retryAfterSeconds } })
    },
    failed(key) {
      if (freeFailures === 0) return
      const now = clock.now()
      const count = (failuresOf(key)?.count ?? 0) + 1
      const excess = count - freeFailures
      const lockMs =
        excess < 0 ? 0 : Math.min(FIRST_LOCK_MS * 2 ** Math.min(excess, 20), LONGEST_LOCK_MS)
      byKey.delete(key)
      byKey.set(key, {
        count,
        lockedUntil: now + lockMs,
        forgottenAt: now + lockMs + LONGEST_LOCK_MS,
      })
      if (byKey.size > MAX_KEYS) byKey.delete(byKey.keys().next().value ?? key)
    },
    succeeded(key) {
      byKey.delete(key)
    },
  }
}
