import { asFogbowError, type ErrorCode, FogbowError } from '@fogbow/plugin-sdk'
import { guestEvent, guestProtocol, type LoadRequest, loadMethod } from '../guest/protocol.ts'
import { type Caller, createPeer, type Peer, type ServedCall } from '../rpc/peer.ts'
import type {
  CallOptions,
  FinishedCall,
  HostCall,
  HostMethod,
  HostStreams,
  Sandbox,
  SandboxEnd,
  SandboxSpec,
  SandboxStats,
} from '../sandbox.ts'
import { type SandboxClock, systemClock } from './clock.ts'
import { checkOffer, type OfferedMethod } from './contract-check.ts'
import { createDeadlines, type Deadlines } from './deadlines.ts'
import { createStreamTable, type StreamTable } from './host-streams.ts'
import type { LaunchedGuest, Launcher } from './launcher.ts'
import { createLogReader } from './log-line.ts'
import { type CallDesk, OutgoingCall } from './outgoing-call.ts'
import { createWatch, defaultWatchSettings, type Watch, type WatchSettings } from './watch.ts'
import { workerLauncher } from './worker-launcher.ts'

export interface SandboxOptions {
  /** How to isolate; one launcher serves any number of sandboxes. Absent: a worker launcher of its own. */
  launcher?: Launcher
  /** For the launcher made when there is none: where the compiled guest may be kept. */
  cacheDir?: string
  clock?: SandboxClock
  watch?: Partial<WatchSettings>
  /** Gives up the start while it is under way. */
  signal?: AbortSignal
}

/** Room in a frame beside the longest message: what a batch may hold. */
const FRAME_ROOM = 131_072

/**
 * Starts a guest, puts the plugin into it and waits until it can be called.
 * @throws FogbowError: what the plugin's `create` threw; timeout, plugin_failure when it cannot be loaded or does not offer what its kinds require
 */
export async function startSandbox(
  spec: SandboxSpec,
  options: SandboxOptions = {},
): Promise<Sandbox> {
  const launcher = options.launcher ?? workerLauncher({ cacheDir: options.cacheDir })
  const guest = await launcher.launch({ memoryMiB: spec.limits.memoryMiB })
  const run = new GuestRun(spec, guest, options)
  const giveUp = () => void run.stop()
  options.signal?.addEventListener('abort', giveUp)
  if (options.signal?.aborted) giveUp()
  try {
    await run.load()
  } catch (error) {
    await run.stop()
    const { zombie, message } = await run.ended
    throw zombie ? new ZombieError('plugin_failure', message, { cause: error }) : error
  } finally {
    options.signal?.removeEventListener('abort', giveUp)
  }
  return toSandbox(run, launcher)
}

/** A start failed and left a thread behind that cannot be stopped. */
export class ZombieError extends FogbowError {}

/**
 * Defects of the site and flaws of requests to it. From a plugin they say nothing of what it did before: an answer that is
 * too large to cross is no refusal.
 */
const notOfPlugins: ReadonlySet<ErrorCode> = new Set([
  'internal_error',
  'method_not_allowed',
  'payload_too_large',
  'unsupported_media_type',
  'idempotency_conflict',
])

/** What `stats` and `call` of a sandbox come from. */
class GuestRun {
  readonly ended: Promise<SandboxEnd>
  #offered: ReadonlyMap<string, OfferedMethod> = new Map()
  readonly spec: SandboxSpec
  readonly #guest: LaunchedGuest
  readonly #clock: SandboxClock
  readonly #deadlines: Deadlines
  readonly #streams: StreamTable
  readonly #peer: Peer
  readonly #desk: CallDesk
  readonly #watch: Watch
  readonly #readLogLine = createLogReader(() => performance.now())
  #resolveEnded!: (end: SandboxEnd) => void
  #ending = false
  #calls = 0
  #errors = 0
  #denied = 0

  constructor(spec: SandboxSpec, guest: LaunchedGuest, options: SandboxOptions) {
    this.spec = spec
    this.#guest = guest
    this.#clock = options.clock ?? systemClock
    this.#deadlines = createDeadlines(this.#clock)
    this.#streams = createStreamTable(this.#deadlines, this.#clock)
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
    this.#watch = createWatch({
      guest,
      clock: this.#clock,
      settings: { ...defaultWatchSettings, ...options.watch },
      memoryMiB: spec.limits.memoryMiB,
      residentBytes: () => process.memoryUsage.rss(),
      onFault: (cause, problem) => void this.#finish(cause, problem),
    })
    this.#peer = createPeer({
      transport: guest.transport,
      serve: (method, args, call) => this.#serveHost(method, args, call),
      onEvent: (name, data) => this.#receiveEvent(name, data),
      onActivity: (active) => this.#watch.setActive(active),
      onEnd: (error, protocol) =>
        void this.#finish(protocol ? 'protocol' : 'crashed', error.message),
      credit: spec.limits.callsInFlight,
      mostCredit: spec.limits.callsInFlight,
      waiting: spec.limits.callsWaiting,
      served: spec.limits.hostCallsInFlight,
      messageLength: spec.limits.messageLength,
      frameLength: spec.limits.messageLength + FRAME_ROOM,
    })
    this.#desk = { plugin: spec.name, peer: this.#peer, deadlines: this.#deadlines }
  }

  get offered(): ReadonlySet<string> {
    return new Set(this.#offered.keys())
  }

  async load(): Promise<void> {
    const { name, bundle, config, kinds, limits } = this.spec
    const request: LoadRequest = {
      protocol: guestProtocol,
      name,
      code: bundle.code,
      config,
      now: this.#clock.now(),
      limits: { callsInFlight: limits.callsInFlight, messageLength: limits.messageLength },
    }
    this.#peer.grant(limits.hostCallsInFlight)
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const settings = { timeoutMs: limits.loadTimeoutMs, unlimited: true }
    new OutgoingCall(this.#desk, loadMethod, settings, { resolve, reject }).send([request])
    const offer = await promise.catch((error) => {
      throw this.#describe(error, 'could not be loaded')
    })
    this.#offered = checkOffer(name, kinds, offer)
    this.#watch.expectSignsOfLife()
  }

  call(method: string, args: readonly unknown[], options: CallOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const offered = this.#methodOf(method)
      offered.checkArguments(args)
      this.#calls++
      const { timeoutMs = offered.timeoutMs, signal } = options
      const call = new PluginCall(this, offered, resolve, reject)
      new OutgoingCall(this.#desk, method, { timeoutMs, signal }, call).send(args)
    })
  }

  describeFailure(method: string, error: unknown): FogbowError {
    this.#errors++
    return this.#describe(error, `failed in ${method}`)
  }

  #methodOf(method: string): OfferedMethod {
    const offered = this.#offered.get(method)
    if (offered) return offered
    throw new FogbowError('not_implemented', `Plugin '${this.spec.name}' does not offer ${method}`)
  }

  /** A plugin answers with any error of the catalogue that is about clouds; what is none is its own failure. */
  #describe(error: unknown, what: string): FogbowError {
    const known = asFogbowError(error)
    if (!notOfPlugins.has(known.code)) return known
    return new FogbowError(
      'plugin_failure',
      `Plugin '${this.spec.name}' ${what}: ${known.message}`,
      { cause: error },
    )
  }

  #serveHost(method: string, args: readonly unknown[], call: ServedCall): unknown {
    try {
      const answer = this.#hostMethod(method)(args, new ServedHostCall(call, this.#streams))
      if (answer instanceof Promise) answer.catch(this.#countDenied)
      return answer
    } catch (error) {
      this.#countDenied(error)
      throw error
    }
  }

  #hostMethod(method: string): HostMethod {
    for (const methods of [this.#streams.methods, this.spec.host]) {
      const serve = Object.hasOwn(methods, method) ? methods[method] : undefined
      if (serve) return serve
    }
    throw new FogbowError(
      'unauthorized',
      `Plugin '${this.spec.name}' may not call ${method.slice(0, 64)}`,
    )
  }

  readonly #countDenied = (error: unknown): void => {
    if (error instanceof FogbowError && error.code === 'unauthorized') this.#denied++
  }

  #receiveEvent(name: string, data: unknown): void {
    if (name === guestEvent.timers) this.#watch.setTimers(data === true)
    const line = name === guestEvent.log ? this.#readLogLine(data) : undefined
    if (line) this.spec.onLog(line)
  }

  /** The end, whoever sees it first. */
  #finish(cause: SandboxEnd['cause'], problem: string): Promise<SandboxEnd> {
    if (!this.#ending) {
      this.#ending = true
      void this.#stopGuest(cause, problem)
    }
    return this.ended
  }

  async #stopGuest(cause: SandboxEnd['cause'], problem: string): Promise<void> {
    this.#watch.stop()
    this.#deadlines.stop()
    const message = `Plugin '${this.spec.name}' ${cause === 'stopped' ? 'was stopped' : describeEnd(cause, problem)}`
    const killed = this.#guest.kill()
    const reason = new FogbowError('plugin_failure', message)
    this.#peer.end(reason)
    this.#streams.end(reason)
    const zombie = (await killed) === 'zombie'
    const end: SandboxEnd = zombie
      ? {
          cause,
          message: `${message}; its thread cannot be stopped and holds a core until the site is restarted`,
          zombie,
        }
      : { cause, message }
    this.#resolveEnded(end)
  }

  async stop(): Promise<void> {
    await this.#finish('stopped', '')
  }

  stats(): SandboxStats {
    this.#watch.refresh()
    const { inFlight, waiting } = this.#peer.counts
    return {
      calls: this.#calls,
      errors: this.#errors,
      inFlight,
      waiting,
      restarts: 0,
      deniedHostCalls: this.#denied,
      ...this.#watch.usage,
    }
  }
}

function describeEnd(cause: SandboxEnd['cause'], problem: string): string {
  return cause === 'crashed' || cause === 'protocol'
    ? `ended: ${problem}`
    : `was stopped: it ${problem}`
}

/** A call of a method of the plugin: what comes back is checked, and told to the metrics and to its caller. */
class PluginCall implements Caller {
  readonly #run: GuestRun
  readonly #offered: OfferedMethod
  readonly #succeed: (answer: unknown) => void
  readonly #fail: (error: unknown) => void
  readonly #startedAt: number

  constructor(
    run: GuestRun,
    offered: OfferedMethod,
    succeed: (answer: unknown) => void,
    fail: (error: unknown) => void,
  ) {
    this.#run = run
    this.#offered = offered
    this.#succeed = succeed
    this.#fail = fail
    this.#startedAt = run.spec.onCall ? performance.now() : 0
  }

  resolve(answer: unknown): void {
    try {
      const checked = this.#offered.checkAnswer(this.#run.spec.name, answer)
      this.#tell('ok')
      this.#succeed(checked)
    } catch (error) {
      this.reject(error)
    }
  }

  reject(error: unknown): void {
    try {
      const described = this.#run.describeFailure(this.#offered.name, error)
      this.#tell(described.code)
      this.#fail(described)
    } catch (defect) {
      this.#fail(defect)
    }
  }

  #tell(outcome: FinishedCall['outcome']): void {
    const { onCall } = this.#run.spec
    if (!onCall) return
    onCall({ method: this.#offered.name, ms: performance.now() - this.#startedAt, outcome })
  }
}

/** Makes its parts when they are first asked for: most brokers answer at once. */
class ServedHostCall implements HostCall {
  readonly #call: ServedCall
  readonly #table: StreamTable
  #signal: AbortSignal | undefined
  #streams: HostStreams | undefined

  constructor(call: ServedCall, table: StreamTable) {
    this.#call = call
    this.#table = table
  }

  get streams(): HostStreams {
    this.#streams ??= this.#table.streamsFor(this.signal)
    return this.#streams
  }

  get signal(): AbortSignal {
    if (!this.#signal) {
      const controller = new AbortController()
      this.#signal = controller.signal
      this.#call.onCancel(() => controller.abort())
    }
    return this.#signal
  }
}

function toSandbox(run: GuestRun, launcher: Launcher): Sandbox {
  return {
    level: launcher.level,
    offered: run.offered,
    call: (method, args, options) => run.call(method, args, options),
    stats: () => run.stats(),
    ended: run.ended,
    stop: () => run.stop(),
  }
}
