import { FogbowError } from '@fogbow/plugin-sdk'
import { parseNetworkPattern } from '@fogbow/plugin-sdk/network'
import type { HostMethod } from '@fogbow/sandbox'
import { connectBroker } from '../../core/plugins/brokers/connect.ts'
import { createDialer } from '../../core/plugins/brokers/dial.ts'
import { fetchBroker } from '../../core/plugins/brokers/fetch.ts'
import { toLimits } from '../../core/plugins/brokers/network-settings.ts'

const patterns = ['https://*.cloud.example:*', 'tcp://*.cloud.example:*', 'tls://*.cloud.example:*']

export interface PluginNetwork {
  /** What the brokers of a site serve to the plugin. */
  methods: Record<string, HostMethod>
  close(): void
}

/** The network of a plugin that may reach every `NAME.cloud.example`, all of which are this machine. */
export function openNetwork(plugin: string, authority: string): PluginNetwork {
  const limits = toLimits({})
  const dialer = createDialer({
    plugin,
    network: patterns.map(readPattern),
    addresses: ['127.0.0.0/8'],
    settings: { noProxy: [], authorities: [authority], dnsServers: [], limits },
    resolver: {
      async lookUp(name) {
        if (name.endsWith('.cloud.example')) return ['127.0.0.1']
        throw new FogbowError('unavailable_provider', `${name} has no address`)
      },
      close() {},
    },
    onTraffic() {},
  })
  const fetching = fetchBroker(plugin, dialer, limits)
  return {
    methods: { ...fetching.methods, ...connectBroker(plugin, dialer, limits) },
    close() {
      fetching.close()
      dialer.close()
    },
  }
}

function readPattern(text: string) {
  const pattern = parseNetworkPattern(text)
  if (typeof pattern === 'string') throw new Error(`${text}: ${pattern}`)
  return { ...pattern, byAdministrator: true }
}
