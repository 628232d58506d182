import { type ErrorRecord, FogbowError } from '@fogbow/plugin-sdk'
import type { LivePlugin } from './live-plugin.ts'

const noStats = {
  calls: 0,
  errors: 0,
  inFlight: 0,
  waiting: 0,
  restarts: 0,
  deniedHostCalls: 0,
  cpuMs: 0,
  heapBytes: 0,
}

/** Stands in for a plugin that could not be loaded: everything that needs it is told why, and nothing else is touched. */
export function absentPlugin(name: string, packageName: string, reason: ErrorRecord): LivePlugin {
  function refuse(): never {
    throw new FogbowError(
      'unavailable_provider',
      `Plugin '${name}' could not be loaded: ${reason.message}`,
    )
  }
  return {
    name,
    packageName,
    version: '',
    bundleHash: '',
    kinds: [],
    offered: new Set(),
    capabilities: { network: [], secrets: [], storage: false },
    health: () => ({ state: 'quarantined', level: 'worker', reason }),
    stats: () => noStats,
    call: async () => refuse(),
    restart: async () => refuse(),
    stop: async () => {},
  }
}
