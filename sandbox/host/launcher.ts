import type { Transport } from '../rpc/transport.ts'
import type { IsolationLevel } from '../sandbox.ts'

/** One way to isolate: starts guests that wait for a plugin. Each guest runs one plugin and is never used again. */
export interface Launcher {
  readonly level: IsolationLevel
  /**
   * Resolves when plugin code may be put in; the guest itself may still be getting ready.
   * @throws configuration_error when this machine does not isolate as the level promises
   */
  launch(limits: LaunchLimits): Promise<LaunchedGuest>
  /** Ends guests that wait for a plugin, if it keeps any; those that were launched are not its own any more. */
  close?(): Promise<void>
}

export interface LaunchLimits {
  /** What the plugin may hold, MiB. A launcher may set a hard limit above it as a second line behind the watch. */
  memoryMiB: number
}

export interface LaunchedGuest {
  readonly transport: Transport
  /** Asks for a sign of life, on a channel of its own; calls back when it comes. */
  ping(onPong: () => void): void
  /** Share of the time since the last question in which it was busy, 0 to 1; answered without its help. */
  busyShare(): number
  /** Bytes that grow when it does, known at once and without its help; absent: those of this process. */
  residentBytes?(): number
  /** Resolves with undefined when it cannot be learnt any more. */
  usage(): Promise<GuestUsage | undefined>
  /** Ends it, whatever it is doing. Never rejects. */
  kill(): Promise<KillOutcome>
  /** Resolves with a reason when it is gone. */
  readonly exited: Promise<string>
}

export interface GuestUsage {
  cpuMs: number
  /** Heap and array buffers; of a process all memory of its own. */
  heapBytes: number
}

/** `zombie`: it cannot be stopped, holds a core and its memory, and only the end of the process will free them. */
export type KillOutcome = 'dead' | 'zombie'
