import type { Clock } from '../xmpp/index.ts'

/** Spares a peer that cannot be reached, and those who ask for it the wait. */
export interface Breaker {
  readonly state: 'closed' | 'open' | 'half-open'
  /** Whether a request may go out now. A half-open breaker lets one through: its end decides. */
  admit(): boolean
  /** Something reached the peer. @returns whether it was not to be reached before */
  succeeded(): boolean
  failed(): void
  /** The request that was let through told nothing. */
  undecided(): void
}

const FAILURES_TO_OPEN = 5
const FIRST_OPEN_MS = 2000
const LONGEST_OPEN_MS = 60_000

export function createBreaker(clock: Clock): Breaker {
  let failures = 0
  let openings = 0
  let openUntil = 0
  let isProbed = false

  function open(): void {
    const full = Math.min(LONGEST_OPEN_MS, FIRST_OPEN_MS * 2 ** Math.min(openings, 30))
    openUntil = clock.now() + full * (0.5 + clock.random() / 2)
    openings += 1
    isProbed = false
  }

  const isOpen = () => openings > 0

  return {
    get state() {
      if (!isOpen()) return 'closed'
      return clock.now() < openUntil ? 'open' : 'half-open'
    },
    admit() {
      if (!isOpen()) return true
      if (clock.now() < openUntil || isProbed) return false
      isProbed = true
      return true
    },
    succeeded() {
      const wasOpen = isOpen()
      failures = 0
      openings = 0
      isProbed = false
      return wasOpen
    },
    failed() {
      failures += 1
      const isLate = isOpen() && clock.now() < openUntil
      if (failures >= FAILURES_TO_OPEN && !isLate) open()
    },
    undecided() {
      isProbed = false
    },
  }
}
