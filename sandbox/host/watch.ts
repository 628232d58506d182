import type { SandboxEnd } from '../sandbox.ts'
import type { SandboxClock } from './clock.ts'
import type { GuestUsage, LaunchedGuest } from './launcher.ts'

export interface WatchSettings {
  /** How often memory is looked at while there is work, ms. */
  tickMs: number
  /** How often a sign of life is asked for while there is work, ms. */
  pingEveryMs: number
  /** Silence after which a busy guest is stopped, ms; one that is not busy is given five times as long. */
  unresponsiveAfterMs: number
  /** How often a guest without calls is looked at while timers of its plugin are pending, ms. */
  quietTickMs: number
}

export const defaultWatchSettings: WatchSettings = {
  tickMs: 25,
  pingEveryMs: 250,
  unresponsiveAfterMs: 2000,
  quietTickMs: 5000,
}

export interface WatchParts {
  guest: LaunchedGuest
  clock: SandboxClock
  settings: WatchSettings
  memoryMiB: number
  /** Resident memory of this process, bytes; for guests that live in it. */
  residentBytes(): number
  onFault(cause: SandboxEnd['cause'], problem: string): void
}

export interface Watch {
  /** Calls are under way in either direction. */
  setActive(active: boolean): void
  /** Timers of the plugin are pending, so that it may begin to work by itself. */
  setTimers(pending: boolean): void
  /** Signs of life are asked for; while a bundle is evaluated there can be none. */
  expectSignsOfLife(): void
  readonly usage: GuestUsage
  refresh(): void
  stop(): void
}

const MIB = 1_048_576
const RESIDENT_STEP = 8 * MIB
const USAGE_EVERY_MS = 1000
/** A thread that does not say how much it uses for this long is judged by the memory of the process. */
const USAGE_PATIENCE_MS = 500
const BLOCKED_FACTOR = 5

/** Looks after one guest while it has work: memory by what it uses, life by its answers. Idle guests cost nothing. */
export function createWatch(parts: WatchParts): Watch {
  const { guest, clock, settings, onFault } = parts
  let active = false
  /** There was work since the last sign of life. */
  let worked = false
  let timers = false
  let stopped = false
  let expectsLife = false
  let cancelTick: (() => void) | undefined
  let usage: GuestUsage = { cpuMs: 0, heapBytes: 0 }
  let asked: { at: number; resident: number } | undefined
  let lastAnswer = { at: 0, resident: 0 }
  /** How long a ping has gone without answer, in ticks of this side: a site that stood still itself blames nobody. */
  let silentMs: number | undefined
  let lastPong = 0
  let dozing = false

  const limitBytes = parts.memoryMiB * MIB

  function tick(): void {
    cancelTick = undefined
    if (stopped) return
    const now = clock.now()
    watchMemory(now)
    if (!stopped) watchLife(now)
    if (!stopped) schedule()
  }

  /** With nothing under way it goes on until a last sign of life shows that nothing is left running. */
  function schedule(): void {
    const awake = active || worked || silentMs !== undefined
    if (stopped || (cancelTick && !(dozing && awake))) return
    cancelTick?.()
    dozing = !awake
    if (awake) cancelTick = clock.after(settings.tickMs, tick)
    else cancelTick = timers ? clock.after(settings.quietTickMs, quietTick) : undefined
  }

  function quietTick(): void {
    worked = true
    tick()
  }

  const residentBytes = () => guest.residentBytes?.() ?? parts.residentBytes()

  function watchMemory(now: number): void {
    const resident = residentBytes()
    const grown = resident - lastAnswer.resident >= RESIDENT_STEP
    if (asked) judgeSilence(now, resident)
    else if (grown || now - lastAnswer.at >= USAGE_EVERY_MS) ask(now, resident)
  }

  function ask(now: number, resident: number): void {
    asked = { at: now, resident }
    void guest.usage().then((answer) => {
      asked = undefined
      lastAnswer = { at: clock.now(), resident }
      if (!answer || stopped) return
      usage = answer
      if (usage.heapBytes > limitBytes) {
        fault(
          'memory',
          `uses ${Math.ceil(usage.heapBytes / MIB)} MiB of memory, ${parts.memoryMiB} are allowed`,
        )
      }
    })
  }

  /** Deep in one allocation after the other a thread answers nothing; then the growth of the process is its own. */
  function judgeSilence(now: number, resident: number): void {
    if (!asked || now - asked.at < USAGE_PATIENCE_MS) return
    if (resident - asked.resident < limitBytes || guest.busyShare() < 0.5) return
    fault(
      'memory',
      `made the process grow by ${Math.ceil((resident - asked.resident) / MIB)} MiB, ${parts.memoryMiB} are allowed`,
    )
  }

  function watchLife(now: number): void {
    if (!expectsLife) worked = active
    else if (silentMs === undefined) {
      if (active ? now - lastPong >= settings.pingEveryMs : worked) ping()
    } else {
      silentMs += settings.tickMs
      if (silentMs < settings.unresponsiveAfterMs) return
      if (guest.busyShare() >= 0.9) {
        fault('unresponsive', `held its thread for ${silentMs} ms without a pause`)
      } else if (silentMs >= BLOCKED_FACTOR * settings.unresponsiveAfterMs) {
        fault('unresponsive', `gave no sign of life for ${silentMs} ms`)
      }
    }
  }

  function ping(): void {
    silentMs = 0
    worked = active
    guest.busyShare()
    guest.ping(() => {
      silentMs = undefined
      lastPong = clock.now()
    })
  }

  function fault(cause: SandboxEnd['cause'], problem: string): void {
    stop()
    onFault(cause, problem)
  }

  function stop(): void {
    stopped = true
    cancelTick?.()
  }

  return {
    setActive(now) {
      active = now
      worked = true
      if (now) lastPong = clock.now()
      schedule()
    },
    setTimers(pending) {
      timers = pending
      schedule()
    },
    expectSignsOfLife() {
      expectsLife = true
    },
    get usage() {
      return usage
    },
    refresh() {
      if (!asked && !stopped) ask(clock.now(), residentBytes())
    },
    stop,
  }
}
