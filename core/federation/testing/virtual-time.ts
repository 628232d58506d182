import type { Clock } from '../xmpp/index.ts'

/** Passes only when the test says so, and only once everything that could happen before has happened. */
export interface VirtualTime extends Clock {
  /** Lets time pass. @param busy - whether something is under way that no timer waits for */
  pass(ms: number, busy?: () => boolean): Promise<void>
  /** As if nobody had run for so long: what was due comes late. */
  skip(ms: number): void
  /** What is decided by chance; a half at first. */
  chance: () => number
}

const QUIET_TURNS = 3

export function createVirtualTime(): VirtualTime {
  let now = 1_700_000_000_000
  let alarms: { at: number; run: () => void }[] = []

  async function quiet(busy: () => boolean): Promise<void> {
    for (let turns = 0; turns < QUIET_TURNS; turns = busy() ? 0 : turns + 1)
      await new Promise((resolve) => setImmediate(resolve))
  }

  function ring(until: number): boolean {
    const next = alarms.reduce<(typeof alarms)[number] | undefined>(
      (first, alarm) => (alarm.at <= until && !(first && first.at <= alarm.at) ? alarm : first),
      undefined,
    )
    if (!next) return false
    alarms = alarms.filter((alarm) => alarm !== next)
    now = Math.max(now, next.at)
    next.run()
    return true
  }

  return {
    chance: () => 0.5,
    now: () => now,
    random() {
      return this.chance()
    },
    after(ms, run) {
      const alarm = { at: now + Math.max(0, ms), run }
      alarms.push(alarm)
      return () => {
        alarms = alarms.filter((other) => other !== alarm)
      }
    },
    skip(ms) {
      now += ms
    },
    async pass(ms, busy = () => false) {
      const until = now + ms
      do await quiet(busy)
      while (ring(until))
      now = until
    },
  }
}
