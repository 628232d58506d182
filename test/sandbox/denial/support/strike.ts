import type { PluginHealth, SandboxEnd } from '@fogbow/sandbox'
import type { Lag } from './event-loop-lag.ts'
import type { NeighbourAnswers } from './neighbour.ts'
import type { MemoryUse } from './process-use.ts'

/** One attempt of a plugin to take the host's time, its memory or its neighbours' share. */
export interface Strike {
  /** What `getToken` of the plugin runs, with `host`, `user` and `call` in sight. */
  code: string
  /** Further plugins strike as well, each with one of these instead of `code`. */
  others?: string[]
  /** Code at the top of the bundle, which runs while it is loaded. */
  before?: string
  /** Code of the whole bundle, instead of both. */
  bundle?: string
  /** Calls of the host under way at once. */
  calls?: number
  callTimeoutMs?: number
  memoryMiB?: number
  /**
   * Strikes once before memory is looked at: what an allocator keeps of the first flood of long texts it uses again for the
   * next, so only what a second one adds is lost.
   */
  rehearsed?: true
  /** It is kept running as a site does it, and called once more when it has gone on elsewhere. */
  supervised?: true
  /** Silence after which it is stopped, ms, where it must not be before it has struck. */
  unresponsiveAfterMs?: number
  /** How long it is left alone after its answer, for what it does later, ms. */
  lingerMs?: number
}

/** What a victim is told. */
export interface Order {
  level: string
  /** Where the compiled guest may be kept. */
  cacheDir: string
  strike: Strike
}

/** What the plugin that strikes came to. */
export interface Outcome {
  /** `ok` or the code of the error, each once. */
  answers: string[]
  /** Messages of the errors among them, each once. */
  problems: string[]
  /** What its last answer said. */
  said?: unknown
  /** Why its sandbox ended, when it did before it was told to. */
  end?: SandboxEnd
  /** Where a plugin that is kept running goes on, and what it answers there. */
  after?: { health: PluginHealth; answer: unknown }
}

/** What of the plugin that strikes came through to the host. */
export interface Counts {
  logLines: number
  logCharacters: number
  hostCalls: number
}

/** What came of one strike, as the host that suffered it saw it. */
export interface Report extends Outcome, Counts {
  lag: Lag
  neighbour: { during: NeighbourAnswers; after: NeighbourAnswers }
  /** How long the slowest end of a sandbox took, ms. */
  killMs: number
  memory: MemoryUse
  /** Share of a core that is in use when all is over, children included. */
  busyShare: number
}
