import type { Clock } from './clock.ts'

export interface LivenessOptions {
  /** Longest silence of the server before it is asked whether it is there. */
  readonly pingAfterMs: number
  /** How long it may stay silent then. */
  readonly silenceMs: number
}

export interface Liveness {
  /** The server sent something, no matter what. */
  heard(): void
  stop(): void
}

/**
 * Notices a link that is broken without a word (a frozen server, a firewall that forgot the connection): TCP alone takes
 * many minutes for it. It is noticed `pingAfterMs + silenceMs` after the last sign of life.
 */
export function watchLiveness(
  clock: Clock,
  options: LivenessOptions,
  ping: () => void,
  dead: () => void,
): Liveness {
  let heardAt = clock.now()
  let asked = false
  let cancel = clock.after(options.pingAfterMs, check)

  function check(): void {
    // The clock may have been set back.
    heardAt = Math.min(heardAt, clock.now())
    const quietMs = clock.now() - heardAt
    if (quietMs < options.pingAfterMs) {
      cancel = clock.after(options.pingAfterMs - quietMs, check)
      return
    }
    asked = true
    cancel = clock.after(options.silenceMs, () => (asked ? dead() : check()))
    ping()
  }

  return {
    heard() {
      heardAt = clock.now()
      asked = false
    },
    stop: () => cancel(),
  }
}
