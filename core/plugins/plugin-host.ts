import { isAbsolute, resolve } from 'node:path'
import {
  asFogbowError,
  FogbowError,
  type PluginManifest,
  type Schema,
  toErrorRecord,
} from '@fogbow/plugin-sdk'
import { completerFor } from '@fogbow/plugin-sdk/validate'
import { type InstalledPlugin, type Registry, resolvePackageFolder } from '@fogbow/registry'
import {
  type Bundle,
  defaultLimits,
  type HostMethod,
  isolationLevels,
  type Launcher,
  supervise,
} from '@fogbow/sandbox'
import type { Logger } from 'pino'
import { type LoadedConfig, type PluginConfig, resolveReference } from '../config/index.ts'
import type { Store } from '../store/index.ts'
import { absentPlugin } from './absent-plugin.ts'
import type { SecretReader } from './brokers/broker.ts'
import { fetchBroker, resolvePattern } from './brokers/fetch.ts'
import { secretsBroker } from './brokers/secrets.ts'
import { storageBroker } from './brokers/storage.ts'
import type { LivePlugin, PluginCapabilities } from './live-plugin.ts'

export interface PluginHost {
  /** Starts what the configuration names, replaces what changed in it, stops what it names no more. Never throws for a plugin. */
  apply(loaded: LoadedConfig): Promise<void>
  /** @throws configuration_error when the configuration names no such plugin */
  get(name: string): LivePlugin
  list(): LivePlugin[]
  stop(): Promise<void>
}

export interface PluginHostParts {
  registry: Registry
  store: Store
  log: Logger
  /** How plugins are isolated. */
  launcher: Launcher
  readSecret: SecretReader
}

/** Turns entries of the configuration into running plugins: installed version + sandbox + configuration + capabilities. */
export function createPluginHost(parts: PluginHostParts): PluginHost {
  const running = new Map<string, { plugin: LivePlugin; fingerprint: string }>()
  let applying: Promise<void> = Promise.resolve()

  async function applyOne(name: string, config: PluginConfig, loaded: LoadedConfig): Promise<void> {
    const before = running.get(name)
    const fingerprint = JSON.stringify(config)
    const alive = before?.plugin.health().state
    if (before?.fingerprint === fingerprint && (alive === 'ready' || alive === 'starting')) return
    // First the old one ends: two at once would each believe that what is stored changes through itself alone.
    await before?.plugin.stop()
    const plugin = await startPlugin(name, config, loaded, parts).catch((error) => {
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
    running.set(name, { plugin, fingerprint })
  }

  async function applyAll(loaded: LoadedConfig): Promise<void> {
    const wanted = loaded.config.plugins
    await Promise.all(
      Object.entries(wanted).map(([name, config]) => applyOne(name, config, loaded)),
    )
    for (const [name, { plugin }] of running) {
      if (Object.hasOwn(wanted, name)) continue
      running.delete(name)
      await plugin.stop()
    }
  }

  return {
    apply(loaded) {
      // One after the other, so that no plugin is started twice.
      applying = applying.catch(() => {}).then(() => applyAll(loaded))
      return applying
    },
    get(name) {
      const entry = running.get(name)
      if (!entry)
        throw new FogbowError(
          'configuration_error',
          `No plugin is named '${name}' in the configuration`,
        )
      return entry.plugin
    },
    list: () => [...running.values()].map((entry) => entry.plugin),
    async stop() {
      await Promise.all([...running.values()].map((entry) => entry.plugin.stop()))
    },
  }
}

async function startPlugin(
  name: string,
  config: PluginConfig,
  loaded: LoadedConfig,
  parts: PluginHostParts,
): Promise<LivePlugin> {
  checkIsolation(name, parts.launcher.level, loaded)
  const { plugin: installed, bundle } = await obtain(name, config, loaded, parts.registry)
  const settings = checkSettings(name, config, installed)
  await checkSecrets(name, config, installed, loaded, parts)
  const capabilities = grantedCapabilities(config, installed.manifest, settings)
  const log = parts.log.child({ plugin: name })
  const supervised = await supervise(
    {
      name,
      bundle,
      config: settings,
      kinds: installed.manifest.kinds,
      limits: { ...defaultLimits, memoryMiB: config.memoryMiB },
      host: brokers(name, config, capabilities, loaded, parts),
      onLog: (line) => log[line.level]({ ...line.fields }, line.message),
    },
    { launcher: parts.launcher },
  )
  supervised.onHealth((health) =>
    log.info({ state: health.state, reason: health.reason?.message }, 'plugin changed state'),
  )
  return {
    name,
    packageName: installed.name,
    version: installed.version,
    kinds: installed.manifest.kinds,
    get offered() {
      return supervised.offered
    },
    capabilities,
    health: () => supervised.health(),
    stats: () => supervised.stats(),
    call: (method, args, options) => supervised.call(method, args, options),
    restart: () => supervised.restart(),
    stop: () => supervised.stop(),
  }
}

/** Finds the package of a configuration entry: installed before, or a folder, tarball or package beside the configuration. */
async function obtain(
  name: string,
  config: PluginConfig,
  loaded: LoadedConfig,
  registry: Registry,
): Promise<{ plugin: InstalledPlugin; bundle: Bundle }> {
  const source = localSource(config.package, loaded.folder)
  try {
    if (source) {
      const before = (await registry.list()).find((plugin) => plugin.source === source)
      return await registry.load((before ?? (await registry.install(source))).name)
    }
    if (await registry.find(config.package)) return await registry.load(config.package)
    const folder = await resolvePackageFolder(config.package, loaded.folder)
    if (folder) return await registry.load((await registry.install(folder)).name)
  } catch (cause) {
    const error = asFogbowError(cause)
    throw new FogbowError('configuration_error', `plugins.${name}: ${error.message}`, { cause })
  }
  throw new FogbowError(
    'configuration_error',
    `plugins.${name}.package: '${config.package}' is not installed; add it with: fogbow plugin add ${config.package}`,
  )
}

function localSource(packageName: string, folder: string): string | undefined {
  if (isAbsolute(packageName)) return packageName
  return packageName.startsWith('./') || packageName.startsWith('../')
    ? resolve(folder, packageName)
    : undefined
}

function checkSettings(
  name: string,
  config: PluginConfig,
  installed: InstalledPlugin,
): Record<string, unknown> {
  const settings = structuredClone(config.config) as Record<string, unknown>
  const schema = installed.manifest.config as Schema | undefined
  const problem = schema && completerFor(schema)(settings)
  if (!problem) return settings
  const key = `plugins.${name}.config${problem.field ? `.${problem.field}` : ''}`
  throw new FogbowError(
    'configuration_error',
    `${key} ${problem.message} (schema of ${installed.name} ${installed.version})`,
    {
      details: { field: key },
    },
  )
}

/** A secret that cannot be read is told at the start, and not when somebody logs in. */
async function checkSecrets(
  name: string,
  config: PluginConfig,
  installed: InstalledPlugin,
  loaded: LoadedConfig,
  parts: PluginHostParts,
): Promise<void> {
  const asked = installed.manifest.capabilities?.secrets ?? []
  for (const [secret, reference] of Object.entries(secretReferences(config, loaded))) {
    const key = `plugins.${name}.secrets.${secret}`
    if (!asked.includes(secret)) {
      const problem = `is no secret of ${installed.name}, which asks for ${asked.join(', ') || 'none'}`
      throw new FogbowError('configuration_error', `${key} ${problem}`, { details: { field: key } })
    }
    await parts.readSecret(reference, key)
  }
}

function secretReferences(config: PluginConfig, loaded: LoadedConfig): Record<string, string> {
  const references = Object.entries(config.secrets)
  return Object.fromEntries(
    references.map(([secret, reference]) => [secret, resolveReference(reference, loaded)]),
  )
}

function grantedCapabilities(
  config: PluginConfig,
  manifest: PluginManifest,
  settings: Record<string, unknown>,
): PluginCapabilities {
  const asked = manifest.capabilities
  const granted = config.grants.network
  const hosts = (asked?.network ?? []).filter(
    (host) => granted.includes('*') || granted.includes(host),
  )
  return {
    network: hosts.map((host) => resolvePattern(host, settings)).filter((host) => host !== ''),
    secrets: asked?.secrets ?? [],
    storage: asked?.storage ?? false,
  }
}

function brokers(
  name: string,
  config: PluginConfig,
  capabilities: PluginCapabilities,
  loaded: LoadedConfig,
  parts: PluginHostParts,
): Record<string, HostMethod> {
  return {
    ...fetchBroker(name, capabilities.network),
    ...secretsBroker(
      name,
      capabilities.secrets,
      secretReferences(config, loaded),
      parts.readSecret,
    ),
    ...(capabilities.storage ? storageBroker(name, parts.store) : {}),
  }
}

function checkIsolation(
  name: string,
  level: (typeof isolationLevels)[number],
  loaded: LoadedConfig,
): void {
  const wanted = loaded.config.minimumIsolation
  if (isolationLevels.indexOf(level) >= isolationLevels.indexOf(wanted)) return
  throw new FogbowError(
    'configuration_error',
    `minimumIsolation: plugin '${name}' can only be isolated as '${level}' here, not as '${wanted}'`,
  )
}
