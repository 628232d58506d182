import type { InstanceSettings, SettingsByInstance } from '@fogbow/registry'
import { type ConfigSource, type LoadedConfig, loadConfig } from '../config/index.ts'
import type { PluginHost } from '../plugins/index.ts'
import type { Store } from '../store/index.ts'
import { type MarketplaceParts, openMarketplace } from './open-marketplace.ts'
import { withSettings } from './settings-layer.ts'
import {
  createSiteMarketplace,
  type SiteMarketplace,
  type SiteMarketplaceParts,
} from './site-marketplace.ts'

export interface SiteMarketplaceOptions
  extends Pick<MarketplaceParts, 'loaded' | 'schemas' | 'readSecret' | 'officialFolder' | 'log'> {
  source: ConfigSource
  plugins: PluginHost
  store: Store
  /** Asks a member what it revoked. Absent when the site is in no federation. */
  askMember?: SiteMarketplaceParts['askMember']
  /** Makes a configuration the one in force. */
  adopt(loaded: LoadedConfig): void
}

/** Opens the marketplace of a site that runs. @throws configuration_error naming the key */
export async function openSiteMarketplace(
  options: SiteMarketplaceOptions,
): Promise<SiteMarketplace> {
  const { source, plugins, loaded } = options
  const opened = await openMarketplace({
    ...options,
    configured: async () => configuredPlugins(loaded(), plugins),
    env: source.env,
    clock: { now: Date.now },
  })
  return createSiteMarketplace({
    ...opened,
    ...options,
    loadedWith: (settings) =>
      loadConfig({ ...source, complete: async (written) => withSettings(written, settings) }),
    clock: { now: Date.now, every },
  })
}

/** What the file says of each plugin instance; a folder or tarball goes by the name of the package in it. */
function configuredPlugins({ config, written }: LoadedConfig, plugins: PluginHost) {
  const inFile = (written as { plugins?: Record<string, InstanceSettings> }).plugins ?? {}
  const entries = Object.entries(config.plugins).map(([name, { package: source }]) => {
    const slot = plugins.list().find((plugin) => plugin.name === name)
    const said = Object.hasOwn(inFile, name) ? inFile[name] : undefined
    return [name, { ...said, package: slot?.packageName ?? source }] as const
  })
  return Object.fromEntries(entries) as SettingsByInstance
}

/** Does not keep the process alive. */
function every(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms)
  timer.unref()
  return () => clearInterval(timer)
}
