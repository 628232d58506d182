import { asFogbowError, FogbowError, toErrorRecord } from '@fogbow/plugin-sdk'
import type {
  CallOptions,
  PluginHealth,
  Sandbox,
  SandboxSpec,
  SandboxStats,
  SupervisedPlugin,
} from '../sandbox.ts'
import { type SandboxClock, systemClock } from './clock.ts'
import type { Launcher } from './launcher.ts'
import { type SandboxOptions, startSandbox, ZombieError } from './start-sandbox.ts'
import { workerLauncher } from './worker-launcher.ts'

export interface RestartPolicy {
  /** Pause after the first failure, ms; doubles with each further one. */
  firstPauseMs: number
  longestPauseMs: number
  /** Failures within the window after which the plugin is left alone until somebody restarts it. */
  failures: number
  windowMs: number
}

export const defaultRestartPolicy: RestartPolicy = {
  firstPauseMs: 500,
  longestPauseMs: 60_000,
  failures: 5,
  windowMs: 600_000,
}

export interface SuperviseOptions extends SandboxOptions {
  /** Where a plugin goes on whose thread could not be stopped; without one it is quarantined. */
  afterZombie?: Launcher
  /** `supervise` resolves after this time, ms, even if the first start is still under way. */
  startPatienceMs?: number
  restarts?: Partial<RestartPolicy>
  /** 0 to 1; spreads restarts so that plugins that failed together do not return together. */
  random?: () => number
}

/** Keeps a plugin running. Resolves when the first start has succeeded or failed, or takes long; `health` says which. */
export async function supervise(
  spec: SandboxSpec,
  options: SuperviseOptions = {},
): Promise<SupervisedPlugin> {
  const plugin = new Supervision(spec, options)
  const first = plugin.start()
  const { startPatienceMs, clock = systemClock } = options
  await (startPatienceMs === undefined ? first : withPatience(first, startPatienceMs, clock))
  return plugin
}

function withPatience(done: Promise<void>, ms: number, clock: SandboxClock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, resolve)
    void done.then(() => {
      cancel()
      resolve()
    })
  })
}

class Supervision implements SupervisedPlugin {
  readonly name: string
  readonly #spec: SandboxSpec
  readonly #options: SandboxOptions
  /** In use; another one after a move. */
  #launcher: Launcher
  readonly #afterZombie: Launcher | undefined
  #moved: PluginHealth['moved']
  readonly #clock: SandboxClock
  readonly #policy: RestartPolicy
  readonly #random: () => number
  readonly #listeners: ((health: PluginHealth) => void)[] = []
  #health: PluginHealth
  #sandbox: Sandbox | undefined
  #offered: ReadonlySet<string> = new Set()
  #failures: number[] = []
  #starts = 0
  #cancelRetry: (() => void) | undefined
  /** The start under way, if there is one. */
  #starting: { giveUp: AbortController; over: Promise<void> } | undefined
  /** Counts of the sandboxes that are gone. */
  #past: SandboxStats = { ...noStats }
  #generation = 0

  constructor(spec: SandboxSpec, options: SuperviseOptions) {
    const launcher = options.launcher ?? workerLauncher({ cacheDir: options.cacheDir })
    this.name = spec.name
    this.#spec = spec
    this.#options = options
    this.#launcher = launcher
    this.#afterZombie = options.afterZombie
    this.#clock = options.clock ?? systemClock
    this.#policy = { ...defaultRestartPolicy, ...options.restarts }
    this.#random = options.random ?? Math.random
    this.#health = { state: 'starting', level: launcher.level }
  }

  get offered(): ReadonlySet<string> {
    return this.#offered
  }

  health(): PluginHealth {
    return this.#health
  }

  onHealth(listener: (health: PluginHealth) => void): void {
    this.#listeners.push(listener)
  }

  start(): Promise<void> {
    const giveUp = new AbortController()
    const over = this.#start(giveUp.signal)
    this.#starting = { giveUp, over }
    return over
  }

  async #start(signal: AbortSignal): Promise<void> {
    const generation = ++this.#generation
    this.#starts++
    try {
      const sandbox = await startSandbox(this.#spec, {
        ...this.#options,
        launcher: this.#launcher,
        signal,
      })
      if (generation !== this.#generation) return sandbox.stop()
      this.#adopt(sandbox, generation)
    } catch (error) {
      if (generation !== this.#generation) return
      this.#fail(asFogbowError(error), error instanceof ZombieError)
    }
  }

  #adopt(sandbox: Sandbox, generation: number): void {
    this.#sandbox = sandbox
    this.#offered = sandbox.offered
    this.#change({ state: 'ready', ...(this.#health.reason && { reason: this.#health.reason }) })
    void sandbox.ended.then((end) => {
      this.#past = add(this.#past, sandbox.stats())
      if (generation !== this.#generation) return
      this.#sandbox = undefined
      this.#fail(new FogbowError('plugin_failure', end.message), end.zombie === true)
    })
  }

  /** @param zombie - another attempt at this level would cost what the last one did, for good */
  #fail(error: FogbowError, zombie: boolean): void {
    if (zombie && this.#move(error)) return
    const now = this.#clock.now()
    this.#failures = [...this.#failures.filter((at) => now - at < this.#policy.windowMs), now]
    const reason = toErrorRecord(error)
    if (zombie || this.#failures.length >= this.#policy.failures) {
      this.#change({ state: 'quarantined', reason })
      return
    }
    const pauseMs = this.#pauseMs()
    this.#cancelRetry = this.#clock.after(pauseMs, () => void this.#startAgain())
    this.#change({ state: 'backing-off', reason, retryAt: now + pauseMs })
  }

  /** Goes on at once where it can be stopped whatever it does. */
  #move(error: FogbowError): boolean {
    const from = this.#launcher
    if (!this.#afterZombie || from === this.#afterZombie) return false
    this.#launcher = this.#afterZombie
    this.#moved = { from: from.level, reason: error.message }
    this.#change({ state: 'starting', reason: toErrorRecord(error) })
    void this.start()
    return true
  }

  #pauseMs(): number {
    const { firstPauseMs, longestPauseMs } = this.#policy
    const pauseMs = Math.min(firstPauseMs * 2 ** (this.#failures.length - 1), longestPauseMs)
    return Math.round(pauseMs * (0.75 + this.#random() / 2))
  }

  async #startAgain(): Promise<void> {
    this.#cancelRetry = undefined
    this.#change({ state: 'starting', ...(this.#health.reason && { reason: this.#health.reason }) })
    await this.start()
  }

  async restart(): Promise<void> {
    await this.#leave()
    this.#failures = []
    this.#change({ state: 'starting' })
    await this.start()
  }

  async stop(): Promise<void> {
    await this.#leave()
    this.#change({ state: 'stopped' })
  }

  /** Whatever is running or planned is of no concern any more. */
  async #leave(): Promise<void> {
    this.#generation++
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
    const sandbox = this.#sandbox
    this.#sandbox = undefined
    this.#starting?.giveUp.abort()
    await Promise.all([sandbox?.stop(), this.#starting?.over])
  }

  call(method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown> {
    return this.#sandbox?.call(method, args, options) ?? Promise.reject(this.#notReady())
  }

  #notReady(): FogbowError {
    const { state, reason } = this.#health
    const message = `Plugin '${this.name}' is ${state}${reason ? `: ${reason.message}` : ''}`
    return new FogbowError('unavailable_provider', message)
  }

  stats(): SandboxStats {
    const now = this.#sandbox?.stats()
    const restarts = Math.max(this.#starts - 1, 0)
    return { ...(now ? add(this.#past, now) : this.#past), restarts }
  }

  #change(health: Omit<PluginHealth, 'level' | 'moved'>): void {
    const moved = this.#moved && { moved: this.#moved }
    this.#health = { ...health, level: this.#launcher.level, ...moved }
    for (const listener of this.#listeners) listener(this.#health)
  }
}

const noStats: SandboxStats = {
  calls: 0,
  errors: 0,
  inFlight: 0,
  waiting: 0,
  restarts: 0,
  deniedHostCalls: 0,
  cpuMs: 0,
  heapBytes: 0,
}

/** Counts add up over the sandboxes of a plugin; what it holds at present is that of the latest. */
function add(past: SandboxStats, now: SandboxStats): SandboxStats {
  return {
    ...now,
    calls: past.calls + now.calls,
    errors: past.errors + now.errors,
    deniedHostCalls: past.deniedHostCalls + now.deniedHostCalls,
    cpuMs: past.cpuMs + now.cpuMs,
  }
}
