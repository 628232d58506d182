import type { Clock } from '../host.ts'

/** A clock that moves only when told to. */
export interface FakeClock extends Clock {
  /** Moves on by `ms`; sleepers that are due wake in the order of their time. */
  advance(ms: number): Promise<void>
}

interface Sleeper {
  at: number
  wake: () => void
}

/**
 * @param start - ms since the epoch
 * @param moving - true: a sleep takes no time but moves the clock on, so that nobody has to call `advance`
 */
export function createFakeClock(start: number, moving = false): FakeClock {
  let now = start
  const sleepers = new Set<Sleeper>()

  const nextUntil = (end: number) =>
    [...sleepers].filter((sleeper) => sleeper.at <= end).sort((a, b) => a.at - b.at)[0]

  const clock: FakeClock = {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const giveUp = () => {
          sleepers.delete(sleeper)
          reject(signal?.reason)
        }
        const sleeper = {
          at: now + ms,
          wake: () => {
            signal?.removeEventListener('abort', giveUp)
            resolve()
          },
        }
        if (signal?.aborted) return giveUp()
        signal?.addEventListener('abort', giveUp, { once: true })
        sleepers.add(sleeper)
        if (moving) void clock.advance(ms)
      }),
    async advance(ms) {
      const end = now + ms
      await settle()
      for (let sleeper = nextUntil(end); sleeper; sleeper = nextUntil(end)) {
        now = Math.max(now, sleeper.at)
        sleepers.delete(sleeper)
        sleeper.wake()
        await settle()
      }
      now = Math.max(now, end)
    },
  }
  return clock
}

/** Lets everything that is ready to run do so, so that what woke up can go to sleep again. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}
