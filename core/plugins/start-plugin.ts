import type { InstalledPlugin, LockedPlugin, Registry } from '@fogbow/registry'
import {
  type Bundle,
  type FinishedCall,
  type PluginHealth,
  type PluginLogLine,
  type SupervisedPlugin,
  type SuperviseOptions,
  supervise,
} from '@fogbow/sandbox'
import type { VendorSchemas } from '@fogbow/sandbox/gate'
import type { Logger } from 'pino'
import {
  identitySources,
  type LoadedConfig,
  type PluginConfig,
  type SiteConfig,
  sourceSlots,
} from '../config/index.ts'
import type { Store } from '../store/index.ts'
import type { SecretReader } from './brokers/broker.ts'
import { openCapabilities } from './capabilities.ts'
import { chooseIsolation, type IsolationChoice } from './isolation.ts'
import type { LivePlugin } from './live-plugin.ts'
import type { Move, MovedPlugins } from './moved-plugins.ts'
import { obtainPackage } from './plugin-package.ts'
import { checkSecrets, completeSettings } from './plugin-settings.ts'
import type { Tiers } from './tiers.ts'

/** Hears of everything that plugins do, for metrics. */
export interface PluginObserver {
  onCall(plugin: string, call: FinishedCall): void
  /** Bytes between a plugin and the network, since the last time. */
  onTraffic(plugin: string, bytes: { sent: number; received: number }): void
  onLogLine(plugin: string, level: PluginLogLine['level']): void
}

export interface PluginParts {
  registry: Registry
  store: Store
  log: Logger
  tiers: Tiers
  schemas: Pick<VendorSchemas, 'complete'>
  readSecret: SecretReader
  /** Folder of the plugins that come with the site. */
  officialFolder: string
  observer: PluginObserver
  /** A plugin changed its state. */
  onHealth?(name: string, bundleHash: string, health: PluginHealth): void
  now(): number
}

/** How a start differs from that of a plugin that the configuration names and that is installed. */
export interface StartOptions {
  /** What runs, in place of what is installed under the package's name. */
  obtained?: ObtainedPlugin
  /** Waits until the first start succeeded or failed, however long that takes. */
  isAwaited?: boolean
  /** Whether another version of the instance runs beside this one at present. */
  isShared?: () => boolean
}

export interface ObtainedPlugin {
  plugin: InstalledPlugin & { trust?: Pick<LockedPlugin['trust'], 'level' | 'publisher'> }
  bundle: Bundle
}

/** Longest that the start of one plugin holds up everything else. */
const START_PATIENCE_MS = 2000

/**
 * From an entry of the configuration to a running plugin. Resolves also when its first start failed, and before it
 * ended when that takes long, unless nobody can be served without the plugin.
 * @throws FogbowError: what keeps it from being started at all
 */
export async function startPlugin(
  name: string,
  config: PluginConfig,
  loaded: LoadedConfig,
  parts: PluginParts & { moved: MovedPlugins },
  options: StartOptions = {},
): Promise<LivePlugin> {
  const { tiers, moved, observer } = parts
  const { plugin: installed, bundle }: ObtainedPlugin =
    options.obtained ?? (await obtainPackage(name, config, loaded, parts.registry))
  const isolation = await chooseIsolation({
    name,
    installed,
    config,
    site: loaded.config,
    officialFolder: parts.officialFolder,
    machine: tiers.machine,
    move: await moved.find(name, bundle.hash),
  })
  const settings = await completeSettings(name, config, installed, parts.schemas)
  await checkSecrets(name, config, installed, loaded, parts.readSecret)
  const log = parts.log.child({ plugin: name })
  const capabilities = await openCapabilities(name, config, installed.manifest, loaded, {
    store: parts.store,
    readSecret: parts.readSecret,
    onTraffic: (bytes) => observer.onTraffic(name, bytes),
    ...(options.isShared && { isShared: options.isShared }),
    onProblem: (err) => log.error({ err }, 'a secret of the plugin cannot be read'),
  })
  if (isolation.warning) log.warn({ isolation: isolation.level }, isolation.warning)
  const { kinds } = installed.manifest
  const { limits } = config
  const spec = {
    name,
    bundle,
    config: settings,
    kinds,
    limits,
    host: capabilities.methods,
    onLog: (line: PluginLogLine) => {
      observer.onLogLine(name, line.level)
      // Under a name of their own: beside ours they could say that another plugin wrote them.
      log[line.level]({ fields: line.fields }, line.message)
    },
    onCall: (call: FinishedCall) => observer.onCall(name, call),
  }
  const isNeeded = options.isAwaited || isOfAaa(loaded.config, name)
  const supervised = await supervise(spec, launchOptions(isolation, tiers, isNeeded))
  const record = followHealth(supervised, log, parts, bundle.hash)
  const about = {
    name,
    packageName: installed.name,
    version: installed.version,
    bundleHash: bundle.hash,
    kinds,
    capabilities: capabilities.shown,
    limits,
  }
  return toLivePlugin(about, isolation, supervised, record, () => capabilities.close())
}

type About = Pick<
  LivePlugin,
  'name' | 'packageName' | 'version' | 'bundleHash' | 'kinds' | 'capabilities' | 'limits'
>

function toLivePlugin(
  about: About,
  isolation: IsolationChoice,
  supervised: SupervisedPlugin,
  record: HealthRecord,
  close: () => void,
): LivePlugin {
  return {
    ...about,
    get offered() {
      return supervised.offered
    },
    get isolation() {
      return record.move ? { ...isolation, moved: record.move } : isolation
    },
    get lastFailure() {
      return record.lastFailure
    },
    health: () => supervised.health(),
    stats: () => supervised.stats(),
    call: (method, args, options) => supervised.call(method, args, options),
    restart: () => supervised.restart(),
    async stop() {
      await supervised.stop()
      close()
      await record.settled
    },
  }
}

function launchOptions(
  { level }: IsolationChoice,
  tiers: Tiers,
  isNeeded: boolean,
): SuperviseOptions {
  return {
    launcher: level === 'worker' ? tiers.worker : (tiers.process ?? tiers.worker),
    ...(level === 'worker' && tiers.process && { afterZombie: tiers.process }),
    ...(!isNeeded && { startPatienceMs: START_PATIENCE_MS }),
  }
}

interface HealthRecord {
  /** Made while it ran. */
  move?: Move
  lastFailure?: { message: string; at: number }
  /** What had to be written is. */
  settled: Promise<void>
}

/** Writes down what must outlast the sandbox, and what an administrator will ask for. */
function followHealth(
  supervised: SupervisedPlugin,
  log: Logger,
  parts: PluginParts & { moved: MovedPlugins },
  bundleHash: string,
): HealthRecord {
  const record: HealthRecord = { settled: Promise.resolve() }
  function follow({ state, reason, moved }: PluginHealth): void {
    const at = parts.now()
    if (reason && (state === 'backing-off' || state === 'quarantined'))
      record.lastFailure = { message: reason.message, at }
    if (!moved || record.move) return
    record.move = { reason: moved.reason, at }
    record.lastFailure = { message: moved.reason, at }
    log.error(
      { from: moved.from, to: supervised.health().level, reason: moved.reason },
      'plugin was moved to another isolation for good',
    )
    record.settled = parts.moved
      .remember(supervised.name, bundleHash, record.move)
      .catch((err) => log.error({ err }, 'the move of the plugin could not be stored'))
  }
  follow(supervised.health())
  supervised.onHealth((health) => {
    log.info({ state: health.state, reason: health.reason?.message }, 'plugin changed state')
    follow(health)
    parts.onHealth?.(supervised.name, bundleHash, health)
    reportZombies(parts)
  })
  return record
}

/** A thread that does not end takes a core until the site is restarted; without cores the site stands still. */
function reportZombies({ tiers, log }: PluginParts): void {
  const { zombies, zombieLimit } = tiers
  if (zombies >= zombieLimit) log.error({ zombies, zombieLimit }, tooManyZombies(tiers))
}

export function tooManyZombies({ zombies }: Pick<Tiers, 'zombies'>): string {
  return `${zombies} ${zombies === 1 ? 'thread of a plugin' : 'threads of plugins'} cannot be stopped and each holds a core: restart the site`
}

function isOfAaa(config: SiteConfig, name: string): boolean {
  const sources = identitySources(config)
  return (
    config.aaa.authorization === name ||
    sources.some((source) => sourceSlots.some((slot) => source[slot] === name))
  )
}
