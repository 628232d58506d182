import type { Clock } from './clock.ts'

export interface ReconnectOptions {
  readonly firstMs: number
  readonly longestMs: number
  /** When the server refused us: nothing changes until somebody acts, and knocking disturbs who is in our place. */
  readonly firstRefusedMs: number
  readonly longestRefusedMs: number
  /** A link that held for this long starts the count of attempts anew. */
  readonly stableMs: number
}

/**
 * Stream errors that come back at every attempt (RFC 6120, section 4.9.3): another process has our name, the secret is
 * wrong, or the server does not know the component.
 */
const refusals = new Set(['conflict', 'not-authorized', 'host-unknown'])

export function isRefusal(condition: string): boolean {
  return refusals.has(condition)
}

export interface Reconnect {
  /** The link came up. */
  online(): void
  /** The link, or an attempt, ended. @returns the pause before the next attempt */
  pauseMs(condition: string): number
}

/** Doubles the pause with each failure up to a limit, and takes a random half of it off: what fell together returns apart. */
export function createReconnect(clock: Clock, options: ReconnectOptions): Reconnect {
  let failures = 0
  let refused = 0
  let onlineSince: number | undefined
  const pause = (first: number, longest: number, count: number) => {
    const full = Math.min(longest, first * 2 ** Math.min(count, 30))
    return Math.round(full * (1 - clock.random() / 2))
  }
  return {
    online() {
      onlineSince = clock.now()
    },
    pauseMs(condition) {
      const held = onlineSince !== undefined && clock.now() - onlineSince >= options.stableMs
      onlineSince = undefined
      if (held) {
        failures = 0
        refused = 0
      }
      if (isRefusal(condition)) {
        refused += 1
        return pause(options.firstRefusedMs, options.longestRefusedMs, refused - 1)
      }
      failures += 1
      return pause(options.firstMs, options.longestMs, failures - 1)
    },
  }
}
