import type { CallOptions, PluginHealth, SandboxLimits, SandboxStats } from '@fogbow/sandbox'
import type { IsolationChoice } from './isolation.ts'

/** A plugin instance of the configuration, running or not. */
export interface LivePlugin {
  /** Its name in the configuration. */
  readonly name: string
  readonly packageName: string
  readonly version: string
  /** SHA-256 of the code that it runs; empty while it could not be loaded. */
  readonly bundleHash: string
  /** Kinds that its manifest offers. */
  readonly kinds: readonly string[]
  /** `kind.method` of everything that it can do; empty while it could not be loaded. */
  readonly offered: ReadonlySet<string>
  /** What it may reach. */
  readonly capabilities: PluginCapabilities
  /** Absent while it could not be loaded. */
  readonly isolation?: IsolationChoice | undefined
  readonly limits?: SandboxLimits | undefined
  /** Why it was out of service last. */
  readonly lastFailure?: { message: string; at: number } | undefined
  health(): PluginHealth
  stats(): SandboxStats
  /** @throws unavailable_provider that says why, while it does not run; otherwise as `Sandbox.call` */
  call(method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown>
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface PluginCapabilities {
  network: readonly string[]
  secrets: readonly string[]
  storage: boolean
}
