import { type SandboxClock, systemClock } from './clock.ts'
import type { LaunchedGuest, Launcher, LaunchLimits } from './launcher.ts'

export interface SpareOptions {
  /** How many are kept ready. */
  count: number
  /** What they are made for; a plugin that may use more is given a fresh guest. */
  limits: LaunchLimits
  clock?: SandboxClock
}

/** A spare is made when nothing was launched for this long: plugins that are starting go first. */
const QUIET_MS = 500
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 60_000
/** A spare that is not up by then is given up. */
const PATIENCE_MS = 30_000

/**
 * Keeps guests ready, so that a plugin does not wait for one to start. Each leaves with the plugin that takes it and is
 * replaced by a new one; while they wait they cost memory and nothing else.
 */
export function withSpares(launcher: Launcher, options: SpareOptions): Launcher {
  const { count, limits, clock = systemClock } = options
  const ready = new Set<LaunchedGuest>()
  let making = false
  let growing: LaunchedGuest | undefined
  let cancelTimer: (() => void) | undefined
  let pauseMs = 0
  let closed = false

  /** One at a time, the next when the one before is up. */
  function growLater(): void {
    if (closed || making || ready.size >= count) return
    cancelTimer?.()
    cancelTimer = clock.after(QUIET_MS + pauseMs, () => void grow())
  }

  async function grow(): Promise<void> {
    making = true
    try {
      const guest = await launcher.launch(limits)
      if (closed) return void guest.kill()
      growing = guest
      cancelTimer = clock.after(PATIENCE_MS, () => void guest.kill())
      void guest.exited.then(() => forget(guest))
      guest.ping(() => keep(guest))
    } catch {
      failed()
    }
  }

  function keep(guest: LaunchedGuest): void {
    if (growing !== guest) return
    cancelTimer?.()
    growing = undefined
    making = false
    pauseMs = 0
    ready.add(guest)
    growLater()
  }

  /** One that died: the next is not made at once, whatever killed it may still be there. */
  function forget(guest: LaunchedGuest): void {
    if (growing === guest) failed()
    else if (ready.delete(guest)) backOff()
  }

  function failed(): void {
    cancelTimer?.()
    growing = undefined
    making = false
    backOff()
  }

  function backOff(): void {
    pauseMs = Math.min(Math.max(pauseMs * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS)
    growLater()
  }

  function take(wanted: LaunchLimits): LaunchedGuest | undefined {
    const [guest] = wanted.memoryMiB <= limits.memoryMiB ? ready : []
    if (guest) ready.delete(guest)
    return guest
  }

  growLater()
  return {
    level: launcher.level,
    launch(wanted) {
      const guest = take(wanted)
      growLater()
      return guest ? Promise.resolve(guest) : launcher.launch(wanted)
    },
    async close() {
      closed = true
      cancelTimer?.()
      const guests = growing ? [growing, ...ready] : [...ready]
      growing = undefined
      ready.clear()
      await Promise.all(guests.map((guest) => guest.kill()))
      await launcher.close?.()
    },
  }
}
