import type { SandboxClock } from './clock.ts'

/** Deadlines of many short calls on one timer: hardly any of them is ever reached. */
export interface Deadlines {
  /** Runs once after `ms`, unless it is removed before. */
  add(ms: number, run: () => void): Deadline
  /** As `add`, for who is its own deadline; sets when that is. */
  set(deadline: Deadline, ms: number): void
  remove(deadline: Deadline): void
  /** Drops them all. */
  stop(): void
}

export interface Deadline {
  /** ms since the epoch */
  at: number
  run(): void
}

/** The timer stays set when the calls it was set for have ended; it then runs once, finds nothing and is not set again. */
export function createDeadlines(clock: SandboxClock): Deadlines {
  const pending = new Set<Deadline>()
  let timerAt = Number.POSITIVE_INFINITY
  let cancelTimer: (() => void) | undefined
  let stopped = false

  function setTimer(at: number): void {
    if (stopped) return
    cancelTimer?.()
    timerAt = at
    cancelTimer = clock.after(Math.max(at - clock.now(), 0), expire)
  }

  function expire(): void {
    const now = clock.now()
    timerAt = Number.POSITIVE_INFINITY
    let next = Number.POSITIVE_INFINITY
    for (const deadline of [...pending]) {
      if (deadline.at > now) next = Math.min(next, deadline.at)
      else if (pending.delete(deadline)) deadline.run()
    }
    if (next < timerAt) setTimer(next)
  }

  function set(deadline: Deadline, ms: number): void {
    deadline.at = clock.now() + ms
    pending.add(deadline)
    if (deadline.at < timerAt) setTimer(deadline.at)
  }

  return {
    add(ms, run) {
      const deadline = { at: 0, run }
      set(deadline, ms)
      return deadline
    },
    set,
    remove: (deadline) => void pending.delete(deadline),
    stop() {
      stopped = true
      pending.clear()
      cancelTimer?.()
    },
  }
}
