import type { ErrorCode, ErrorRecord } from '@fogbow/plugin-sdk'

/** How strongly a plugin is separated from the host, weakest first. */
export const isolationLevels = ['worker', 'process', 'process+ns'] as const
export type IsolationLevel = (typeof isolationLevels)[number]

/** Code that passed the install gate. What runs is exactly these bytes. */
export interface Bundle {
  /** A script in CommonJS form whose `module.exports.default` (or `module.exports`) is the plugin definition. */
  code: string
  /** SHA-256 of `code`, lower-case hex. */
  hash: string
}

export interface SandboxLimits {
  /** Longest time to evaluate the bundle and run the plugin's `create`, ms. */
  loadTimeoutMs: number
  /** Heap and array buffers above which the sandbox is stopped, MiB. */
  memoryMiB: number
  /** Calls that may be under way in the sandbox at once; more wait. */
  callsInFlight: number
  /** Calls that may wait; more are refused with `too_many_requests`. */
  callsWaiting: number
  /** Calls of the plugin to its host that may be under way at once. */
  hostCallsInFlight: number
  /** Longest message in either direction, characters. */
  messageLength: number
}

/** A capability broker: answers one method that the plugin calls on its host, such as `storage.get`. */
export type HostMethod = (args: readonly unknown[], call: HostCall) => unknown | Promise<unknown>

export interface HostCall {
  /** Aborts when the plugin gives up the call or its sandbox ends. */
  signal: AbortSignal
  /** Byte streams between this plugin and its host. */
  streams: HostStreams
}

/**
 * Byte streams of one sandbox, by number. The plugin pulls what it reads and waits for what it writes, so that neither
 * side holds more than one chunk; all that is open ends with the sandbox.
 */
export interface HostStreams {
  /**
   * Lets the plugin read `source`, a chunk at a time; `return` of its iterator is called when the plugin gives up, also
   * while a `next` is pending.
   * @returns the number to answer with
   * @throws too_many_requests when too many are open; the source is returned then
   */
  offer(source: AsyncIterable<Uint8Array>): number
  /**
   * Lets the plugin write to `sink`.
   * @returns the number to answer with
   * @throws too_many_requests when too many are open; the sink is aborted then
   */
  receive(sink: ByteSink): number
  /**
   * What the plugin writes to a stream that it opened itself; each can be taken once.
   * @throws invalid_parameter when there is no such stream
   */
  take(id: unknown): AsyncIterable<Uint8Array>
  /** Forgets a stream that the host has ended or replaced: its number is of no use any more, nothing else happens. */
  release(id: number): void
}

export interface ByteSink {
  /** Resolves when more may be written. */
  write(chunk: Uint8Array): Promise<void>
  /** Nothing more will be written. */
  close(): Promise<void>
  /** The plugin gave up, or its sandbox ended. */
  abort(reason: Error): void
}

/** One line that a plugin logs. */
export interface PluginLogLine {
  level: 'debug' | 'info' | 'warn' | 'error'
  message: string
  fields?: Record<string, unknown>
}

export interface SandboxSpec {
  /** Name of the plugin instance, as it appears in logs, metrics and errors. */
  name: string
  bundle: Bundle
  config: Record<string, unknown>
  /** Kinds that the plugin must offer; each required method of their contracts must be there. */
  kinds: readonly string[]
  limits: SandboxLimits
  /** What the plugin may call on the host, by name. Nothing else can be reached. */
  host: Readonly<Record<string, HostMethod>>
  onLog(line: PluginLogLine): void
  /** Called once for every call that ended, whatever its outcome. */
  onCall?(call: FinishedCall): void
}

/** What became of one call, for metrics. */
export interface FinishedCall {
  /** `kind.method` */
  method: string
  ms: number
  outcome: 'ok' | ErrorCode
}

export interface CallOptions {
  signal?: AbortSignal | undefined
  /** Shorter or longer than the contract's own time limit, ms. */
  timeoutMs?: number | undefined
}

export interface SandboxStats {
  calls: number
  errors: number
  inFlight: number
  waiting: number
  restarts: number
  /** Calls of the plugin to its host that were refused as `unauthorized`. */
  deniedHostCalls: number
  cpuMs: number
  heapBytes: number
}

/** One running sandbox. Ends once and for all; every call that it still owes is answered with `plugin_failure`. */
export interface Sandbox {
  readonly level: IsolationLevel
  /** `kind.method` of everything that the plugin offers. */
  readonly offered: ReadonlySet<string>
  /**
   * Calls `kind.method`. Parameters and answer are checked against the contract.
   * @throws FogbowError: what the plugin threw, or timeout, plugin_failure, too_many_requests, not_implemented
   */
  call(method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown>
  stats(): SandboxStats
  /** Resolves when it ended, whatever the cause; never rejects. */
  readonly ended: Promise<SandboxEnd>
  stop(): Promise<void>
}

export interface SandboxEnd {
  /** `stopped` on request, otherwise what went wrong. */
  cause: 'stopped' | 'crashed' | 'unresponsive' | 'memory' | 'protocol'
  message: string
  /** Its thread could not be stopped: another start may cost another core. */
  zombie?: true
}

export type PluginState = 'starting' | 'ready' | 'backing-off' | 'quarantined' | 'stopped'

export interface PluginHealth {
  state: PluginState
  level: IsolationLevel
  /** Why it is not ready, or why it was restarted last. */
  reason?: ErrorRecord
  /** ms since the epoch of the next attempt, while backing off */
  retryAt?: number
  /** Set when it runs at another level than it was meant to, and why. */
  moved?: { from: IsolationLevel; reason: string }
}

/** A plugin that is kept running: restarted with back-off when its sandbox ends, quarantined when that does not help. */
export interface SupervisedPlugin {
  readonly name: string
  readonly offered: ReadonlySet<string>
  health(): PluginHealth
  stats(): SandboxStats
  /** As `Sandbox.call`; while there is no sandbox it throws `unavailable_provider` that says why. */
  call(method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown>
  /** Leaves quarantine and starts anew. */
  restart(): Promise<void>
  onHealth(listener: (health: PluginHealth) => void): void
  stop(): Promise<void>
}
