import type { PluginManifest } from '@fogbow/plugin-sdk'
import type { HostMethod } from '@fogbow/sandbox'
import { type LoadedConfig, type PluginConfig, resolveReference } from '../config/index.ts'
import type { Store } from '../store/index.ts'
import type { SecretReader } from './brokers/broker.ts'
import { connectBroker } from './brokers/connect.ts'
import { createDialer } from './brokers/dial.ts'
import { fetchBroker } from './brokers/fetch.ts'
import { readNetworkSettings } from './brokers/network-settings.ts'
import { createNameResolver } from './brokers/resolve.ts'
import { secretsBroker } from './brokers/secrets.ts'
import { storageBroker } from './brokers/storage.ts'
import { quotaOf } from './brokers/storage-quota.ts'
import type { Traffic } from './brokers/traffic.ts'
import { grantedCapabilities, shownCapabilities } from './grants.ts'
import type { PluginCapabilities } from './live-plugin.ts'
import { secretReferences } from './plugin-settings.ts'

/** What a plugin was granted, as an administrator reads it and as it is served. */
export interface Capabilities {
  shown: PluginCapabilities
  /** What answers when the plugin calls its host. */
  methods: Readonly<Record<string, HostMethod>>
  /** Ends what is open to the network. */
  close(): void
}

export interface CapabilityParts {
  store: Store
  readSecret: SecretReader
  onTraffic(bytes: Traffic): void
  /** Whether another version of the instance runs beside this one at present. */
  isShared?: () => boolean
  /** Hears why a secret cannot be read; the plugin does not. */
  onProblem(error: unknown): void
}

/** @throws configuration_error naming the key of a grant or setting that cannot be used */
export async function openCapabilities(
  name: string,
  config: PluginConfig,
  manifest: PluginManifest,
  loaded: LoadedConfig,
  parts: CapabilityParts,
): Promise<Capabilities> {
  const { store, readSecret, onTraffic, onProblem } = parts
  const granted = grantedCapabilities(name, config, manifest, config.config)
  const settings = await readNetworkSettings({
    plugin: name,
    site: loaded.config.network,
    own: config.network,
    folder: loaded.folder,
    resolveReference: (reference) => resolveReference(reference, loaded),
    readSecret,
  })
  const resolver = createNameResolver({ servers: settings.dnsServers })
  const { network, addresses, secrets } = granted
  const dialer = createDialer({ plugin: name, network, addresses, settings, resolver, onTraffic })
  const fetching = fetchBroker(name, dialer, settings.limits)
  return {
    shown: shownCapabilities(granted),
    methods: {
      ...fetching.methods,
      ...connectBroker(name, dialer, settings.limits),
      ...secretsBroker({
        plugin: name,
        wanted: secrets,
        references: secretReferences(config, loaded),
        read: readSecret,
        onProblem,
      }),
      ...(granted.storage
        ? storageBroker(name, store, quotaOf(granted.storageMiB), parts.isShared)
        : {}),
    },
    close() {
      fetching.close()
      dialer.close()
    },
  }
}
