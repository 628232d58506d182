import type { Clock } from '../clock.ts'

/** Stands still until it is moved. */
export interface ManualClock extends Clock {
  /** Runs what is due on the way, in order. */
  advance(ms: number): void
  /** ms until each thing that is still to run */
  pending(): number[]
  /** Sets the time without any of it passing, as an administrator does. */
  set(byMs: number): void
  /** What `random` answers; 0 at first. */
  chance: number
}

export function createManualClock(start = 1_000_000): ManualClock {
  let now = start
  let timers: { at: number; run: () => void }[] = []

  const next = (until: number) =>
    timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0]

  return {
    chance: 0,
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    random() {
      return this.chance
    },
    advance(ms) {
      const until = now + ms
      for (let timer = next(until); timer; timer = next(until)) {
        const { at, run } = timer
        timers = timers.filter((other) => other !== timer)
        now = at
        run()
      }
      now = until
    },
    set(byMs) {
      now += byMs
      for (const timer of timers) timer.at += byMs
    },
    pending: () => timers.map(({ at }) => at - now).toSorted((a, b) => a - b),
  }
}
