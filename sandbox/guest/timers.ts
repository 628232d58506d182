import type { NativeTimers } from './platform.ts'

const MOST_TIMERS = 10_000

export interface GuestTimers {
  /** What plugins see in place of the platform's functions: tokens are numbers, nothing else comes back. */
  globals: Record<string, unknown>
  readonly pending: number
}

interface TimersOptions {
  native: NativeTimers
  /** A callback threw. */
  onError(error: unknown): void
  /** Timers began to be pending, or none is any more. */
  onPending(pending: boolean): void
}

export function createGuestTimers({ native, onError, onPending }: TimersOptions): GuestTimers {
  const stops = new Map<number, () => void>()
  let lastToken = 0

  function add(start: (token: number) => () => void): number {
    if (stops.size >= MOST_TIMERS)
      throw new RangeError(`At most ${MOST_TIMERS} timers may be pending`)
    const token = ++lastToken
    stops.set(token, start(token))
    if (stops.size === 1) onPending(true)
    return token
  }

  function remove(token: unknown): void {
    const stop = stops.get(token as number)
    if (!stop) return
    stop()
    stops.delete(token as number)
    if (stops.size === 0) onPending(false)
  }

  function run(callback: (...args: unknown[]) => unknown, args: unknown[]): void {
    try {
      callback(...args)
    } catch (error) {
      onError(error)
    }
  }

  function once(callback: unknown, ms: unknown, args: unknown[]): number {
    const wanted = toCallback(callback)
    const delay = toDelay(ms)
    return add((token) => {
      const timer = native.setTimeout(() => {
        remove(token)
        run(wanted, args)
      }, delay)
      return () => native.clearTimeout(timer)
    })
  }

  function repeatedly(callback: unknown, ms: unknown, args: unknown[]): number {
    const wanted = toCallback(callback)
    const delay = toDelay(ms)
    return add((token) => {
      let timer = native.setTimeout(tick, delay)
      function tick(): void {
        run(wanted, args)
        if (stops.has(token)) timer = native.setTimeout(tick, delay)
      }
      return () => native.clearTimeout(timer)
    })
  }

  function immediately(callback: unknown, args: unknown[]): number {
    const wanted = toCallback(callback)
    return add((token) => {
      const immediate = native.setImmediate(() => {
        remove(token)
        run(wanted, args)
      })
      return () => native.clearImmediate(immediate)
    })
  }

  return {
    globals: {
      setTimeout: (callback: unknown, ms?: unknown, ...args: unknown[]) => once(callback, ms, args),
      setInterval: (callback: unknown, ms?: unknown, ...args: unknown[]) =>
        repeatedly(callback, ms, args),
      setImmediate: (callback: unknown, ...args: unknown[]) => immediately(callback, args),
      clearTimeout: (token: unknown) => remove(token),
      clearInterval: (token: unknown) => remove(token),
      clearImmediate: (token: unknown) => remove(token),
      queueMicrotask: (callback: unknown) => {
        const wanted = toCallback(callback)
        void Promise.resolve().then(() => run(wanted, []))
      },
    },
    get pending() {
      return stops.size
    },
  }
}

function toCallback(value: unknown): (...args: unknown[]) => unknown {
  if (typeof value !== 'function') throw new TypeError('The callback must be a function')
  return value as (...args: unknown[]) => unknown
}

const LONGEST_DELAY_MS = 2 ** 31 - 1

function toDelay(value: unknown): number {
  const ms = Number(value) || 0
  return Math.min(Math.max(ms, 0), LONGEST_DELAY_MS)
}
