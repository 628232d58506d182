import { asFogbowError, FogbowError, toErrorRecord } from '@fogbow/plugin-sdk'
import type { LoadedConfig, PluginConfig } from '../config/index.ts'
import { absentPlugin } from './absent-plugin.ts'
import type { LivePlugin } from './live-plugin.ts'
import { createMovedPlugins } from './moved-plugins.ts'
import { obtainPackage } from './plugin-package.ts'
import { createPluginSlot, type DrainClock, type PluginSlot } from './plugin-slot.ts'
import {
  type ObtainedPlugin,
  type PluginParts,
  startPlugin,
  tooManyZombies,
} from './start-plugin.ts'
import type { MachineIsolation } from './tiers.ts'

export interface PluginHost {
  /** Starts what the configuration names, replaces what changed in it, stops what it names no more. Never throws for a plugin. */
  apply(loaded: LoadedConfig): Promise<void>
  /** @throws configuration_error when the configuration names no such plugin */
  get(name: string): PluginSlot
  list(): PluginSlot[]
  /**
   * Starts another version of a plugin, or the same with other settings, beside the one that runs. Nothing is sent to it
   * yet; whoever asked must either hand it over or stop it.
   * @throws FogbowError: what keeps it from running
   */
  prepare(name: string, loaded: LoadedConfig, obtained: ObtainedPlugin): Promise<LivePlugin>
  /** Makes a prepared version the present one. Resolves when the version before is gone. */
  handOver(name: string, next: LivePlugin, loaded: LoadedConfig): Promise<void>
  /**
   * Ends a plugin and starts it again; one that could not be loaded is loaded anew.
   * @param originalIsolation - a plugin that was moved because its thread did not end gets a thread again
   * @throws not_found; what keeps it from starting
   */
  restart(name: string, options?: { originalIsolation?: boolean }): Promise<void>
  /** How plugins can be isolated here, and what it costs at present. Looks at the machine when nobody has yet. */
  isolation(): Promise<SiteIsolation>
  /** What an administrator has to do; undefined when there is nothing. */
  alarm(): string | undefined
  stop(): Promise<void>
}

/** How long calls may go on at a version that another one replaced, ms. */
const DRAIN_MS = 30_000
const NOT_ENDED = 'the version before could not be ended'

export interface PluginHostParts extends PluginParts {
  clock?: DrainClock
  /** How long calls may go on at a version that another one replaced, ms. */
  drainMs?(): number
}

const systemClock: DrainClock = {
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

export interface SiteIsolation extends MachineIsolation {
  /** Threads that cannot be stopped; at `zombieLimit` the site should be restarted. */
  zombies: number
  zombieLimit: number
}

/** Turns entries of the configuration into running plugins: installed version + sandbox + configuration + capabilities. */
export function createPluginHost(parts: PluginHostParts): PluginHost {
  const running = new Map<string, { plugin: PluginSlot; fingerprint: string }>()
  const { clock = systemClock } = parts
  const moved = createMovedPlugins(parts.store)
  let applying: Promise<void> = Promise.resolve()
  let current: LoadedConfig | undefined

  /** One after the other, so that no plugin is started twice. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    applying = applying.catch(() => {}).then(work)
    return applying
  }

  async function applyOne(name: string, config: PluginConfig, loaded: LoadedConfig): Promise<void> {
    const before = running.get(name)
    const alive = before?.plugin.health().state
    if (
      before?.fingerprint === fingerprintOf(config, loaded) &&
      (alive === 'ready' || alive === 'starting')
    ) {
      if (await isOutdated(before.plugin)) await takeUp(name, config, loaded)
      return
    }
    await replace(name, config, loaded)
  }

  /** Whether another version was installed behind its back, by the command line on this machine. */
  async function isOutdated({ packageName, bundleHash }: PluginSlot): Promise<boolean> {
    const installed = await parts.registry.find(packageName).catch(() => undefined)
    return installed !== undefined && installed.hash !== bundleHash
  }

  /** One that does not start does not take the place of one that runs. */
  async function takeUp(name: string, config: PluginConfig, loaded: LoadedConfig): Promise<void> {
    try {
      const obtained = await obtainPackage(name, config, loaded, parts.registry)
      const next = await prepare(name, loaded, obtained)
      handOver(name, next, loaded).catch((err) => parts.log.error({ err, plugin: name }, NOT_ENDED))
    } catch (error) {
      const reason = asFogbowError(error).message
      parts.log.error(
        { plugin: name, reason },
        'the installed version does not run, the one before goes on',
      )
    }
  }

  async function replace(name: string, config: PluginConfig, loaded: LoadedConfig): Promise<void> {
    // First the old one ends: two at once would each believe that what is stored changes through itself alone.
    await running.get(name)?.plugin.stop()
    const plugin = await startPlugin(name, config, loaded, { ...parts, moved }).catch((error) => {
      const { code, message } = asFogbowError(error)
      parts.log.error(
        {
          plugin: name,
          package: config.package,
          file: loaded.file,
          reason: message,
          ...(code === 'internal_error' && { err: error }),
        },
        'plugin could not be loaded',
      )
      return absentPlugin(name, config.package, toErrorRecord(error))
    })
    running.set(name, {
      plugin: createPluginSlot(plugin, clock),
      fingerprint: fingerprintOf(config, loaded),
    })
  }

  function slot(name: string): PluginSlot {
    const entry = running.get(name)
    if (entry) return entry.plugin
    const message = `No plugin is named '${name}' in the configuration`
    throw new FogbowError('configuration_error', message)
  }

  async function prepare(
    name: string,
    loaded: LoadedConfig,
    obtained: ObtainedPlugin,
  ): Promise<LivePlugin> {
    const config = loaded.config.plugins[name]
    if (!config) throw new FogbowError('configuration_error', `plugins.${name} is not configured`)
    const isShared = () => running.get(name)?.plugin.health().state === 'ready'
    const options = { obtained, isAwaited: true, isShared }
    const plugin = await startPlugin(name, config, loaded, { ...parts, moved }, options)
    const { state, reason } = plugin.health()
    if (state === 'ready') return plugin
    await plugin.stop()
    const { name: packageName, version } = obtained.plugin
    throw new FogbowError(
      'plugin_failure',
      `${packageName} ${version} does not start as '${name}': ${reason?.message ?? state}`,
    )
  }

  async function handOver(name: string, next: LivePlugin, loaded: LoadedConfig): Promise<void> {
    const config = loaded.config.plugins[name]
    const entry = running.get(name)
    if (!config || !entry) {
      await next.stop()
      throw new FogbowError('configuration_error', `plugins.${name} is not configured any more`)
    }
    running.set(name, { plugin: entry.plugin, fingerprint: fingerprintOf(config, loaded) })
    current = loaded
    await entry.plugin.switchTo(next, parts.drainMs?.() ?? DRAIN_MS)
  }

  async function applyAll(loaded: LoadedConfig): Promise<void> {
    const wanted = loaded.config.plugins
    current = loaded
    await Promise.all(
      Object.entries(wanted).map(([name, config]) => applyOne(name, config, loaded)),
    )
    for (const [name, { plugin }] of running) {
      if (Object.hasOwn(wanted, name)) continue
      running.delete(name)
      await plugin.stop()
    }
  }

  async function startAnew(name: string, forgetMove: boolean): Promise<void> {
    const config = current?.config.plugins[name]
    if (!current || !config) return
    await running.get(name)?.plugin.stop()
    if (forgetMove) await moved.forget(name)
    await replace(name, config, current)
    const plugin = host.get(name)
    // One that still could not be loaded says why.
    if (!plugin.isolation) await plugin.restart()
  }

  const host: PluginHost = {
    apply: (loaded) => inTurn(() => applyAll(loaded)),
    get: slot,
    prepare,
    handOver,
    list: () => [...running.values()].map((entry) => entry.plugin),
    async restart(name, { originalIsolation = false } = {}) {
      const plugin = running.get(name)?.plugin
      if (!plugin) throw new FogbowError('not_found', `There is no plugin '${name}' at this site`)
      const isNew =
        originalIsolation ||
        plugin.isolation === undefined ||
        plugin.isolation.moved ||
        (await isOutdated(plugin))
      await (isNew ? inTurn(() => startAnew(name, originalIsolation)) : plugin.restart())
    },
    async isolation() {
      const { zombies, zombieLimit } = parts.tiers
      return { ...(await parts.tiers.machine()), zombies, zombieLimit }
    },
    alarm: () =>
      parts.tiers.zombies >= parts.tiers.zombieLimit ? tooManyZombies(parts.tiers) : undefined,
    async stop() {
      await Promise.all([...running.values()].map((entry) => entry.plugin.stop()))
    },
  }
  return host
}

/** What a plugin was started with; it has to be started anew when this changes. */
function fingerprintOf(config: PluginConfig, { config: site }: LoadedConfig): string {
  return JSON.stringify([config, site.minimumIsolation, site.isolation.reviewed, site.network])
}
