import { FogbowError } from '@fogbow/plugin-sdk'
import type { CallOptions } from '@fogbow/sandbox'
import type { LivePlugin } from './live-plugin.ts'
import { isNewOrder, type Trial } from './trial.ts'

/** Time as far as draining needs it. */
export interface DrainClock {
  /** @returns what cancels it */
  after(ms: number, run: () => void): () => void
}

/**
 * A plugin instance of the configuration: what stays while versions of it come and go. New calls go to the present
 * version; what is under way at an older one ends there.
 */
export interface PluginSlot extends LivePlugin {
  readonly present: LivePlugin
  /** The version that is being tried out beside the present one. */
  readonly trial: Trial | undefined
  /** Why it takes no new orders; undefined when it does. */
  readonly closedForNew: string | undefined
  closeForNew(reason: string | undefined): void
  /**
   * From now on `next` is called. Resolves when the version before has answered everything and was stopped, or was stopped
   * because `drainMs` went by.
   */
  switchTo(next: LivePlugin, drainMs: number): Promise<void>
  /** Sends some of the new orders to another version. */
  startTrial(trial: Trial): void
  /** Ends it: its version answers what it has under way, for no longer than `drainMs`, and is stopped. */
  endTrial(drainMs: number): Promise<void>
}

export function createPluginSlot(first: LivePlugin, clock: DrainClock): PluginSlot {
  let present = new Version(first)
  let tried: { version: Version; trial: Trial } | undefined
  let closed: string | undefined

  function choose(method: string, args: readonly unknown[]): Version {
    if (closed !== undefined && isNewOrder(method)) {
      const message = `Plugin '${first.name}' takes no new orders: ${closed}`
      throw new FogbowError('unavailable_provider', message)
    }
    return tried?.trial.takes(method, args) ? tried.version : present
  }

  async function call(
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown> {
    const version = choose(method, args)
    if (!tried) return version.call(method, args, options)
    const { trial } = tried
    const side = version === present ? 'present' : 'tried'
    try {
      const answer = await version.call(method, args, options)
      trial.note(side, undefined)
      return answer
    } catch (error) {
      trial.note(side, error)
      throw error
    }
  }

  return {
    name: first.name,
    get packageName() {
      return present.plugin.packageName
    },
    get version() {
      return present.plugin.version
    },
    get bundleHash() {
      return present.plugin.bundleHash
    },
    get kinds() {
      return present.plugin.kinds
    },
    get offered() {
      return present.plugin.offered
    },
    get capabilities() {
      return present.plugin.capabilities
    },
    get isolation() {
      return present.plugin.isolation
    },
    get limits() {
      return present.plugin.limits
    },
    get lastFailure() {
      return present.plugin.lastFailure
    },
    get present() {
      return present.plugin
    },
    get trial() {
      return tried?.trial
    },
    get closedForNew() {
      return closed
    },
    closeForNew(reason) {
      closed = reason
    },
    health: () => present.plugin.health(),
    stats: () => present.plugin.stats(),
    call,
    restart: () => present.plugin.restart(),
    async switchTo(next, drainMs) {
      const before = present
      const other = tried
      tried = undefined
      // One that was tried out brings along what it has under way.
      const isTried = other?.trial.plugin === next
      present = isTried ? other.version : new Version(next)
      await Promise.all([
        before.retire(drainMs, clock),
        isTried ? undefined : other?.version.retire(drainMs, clock),
      ])
    },
    startTrial(trial) {
      tried = { trial, version: new Version(trial.plugin) }
    },
    async endTrial(drainMs) {
      const ended = tried?.version
      tried = undefined
      await ended?.retire(drainMs, clock)
    },
    async stop() {
      const also = tried?.trial.plugin
      tried = undefined
      await Promise.all([present.plugin.stop(), also?.stop()])
    },
  }
}

/** Counts what is under way at one version. */
class Version {
  readonly plugin: LivePlugin
  #inFlight = 0
  #onIdle: (() => void) | undefined

  constructor(plugin: LivePlugin) {
    this.plugin = plugin
  }

  async call(method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown> {
    this.#inFlight++
    try {
      return await this.plugin.call(method, args, options)
    } finally {
      if (--this.#inFlight === 0) this.#onIdle?.()
    }
  }

  /** Nothing new comes to it any more. */
  async retire(drainMs: number, clock: DrainClock): Promise<void> {
    await this.#drained(drainMs, clock)
    await this.plugin.stop()
  }

  #drained(ms: number, clock: DrainClock): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = clock.after(ms, resolve)
      this.#onIdle = () => {
        cancel()
        resolve()
      }
    })
  }
}
