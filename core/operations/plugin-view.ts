import { sql } from 'kysely'
import type { PluginConfig } from '../config/index.ts'
import type { LivePlugin } from '../plugins/index.ts'
import type { Store } from '../store/index.ts'
import type { PluginReport, PluginView } from './operations.ts'

const MIB = 1_048_576

export function toPluginView(plugin: LivePlugin): PluginView {
  const health = plugin.health()
  return {
    name: plugin.name,
    package: plugin.packageName,
    version: plugin.version,
    kinds: plugin.kinds,
    state: health.state,
    isolation: health.level,
    reason: health.reason?.message ?? null,
  }
}

/** @param usedBytes - what it stores at present */
export function toPluginReport(
  plugin: LivePlugin,
  config: PluginConfig | undefined,
  usedBytes: number,
): Omit<PluginReport, 'closedForNew'> {
  const { isolation, lastFailure, capabilities } = plugin
  const { retryAt } = plugin.health()
  const { deniedHostCalls: deniedRequests, ...stats } = plugin.stats()
  return {
    ...toPluginView(plugin),
    bundleHash: plugin.bundleHash || null,
    advice: adviceFor(plugin),
    retryAt: retryAt === undefined ? null : toTime(retryAt),
    lastFailure: lastFailure ? { ...lastFailure, at: toTime(lastFailure.at) } : null,
    isolationChoice: isolation
      ? {
          wanted: isolation.wanted,
          why: isolation.why,
          minimum: isolation.minimum,
          missing: isolation.missing,
          moved: isolation.moved
            ? { reason: isolation.moved.reason, at: toTime(isolation.moved.at) }
            : null,
        }
      : null,
    capabilities: { ...capabilities, addresses: config?.grants.addresses ?? [] },
    storage: capabilities.storage
      ? { usedBytes, quotaBytes: (config?.grants.storageMiB ?? 0) * MIB }
      : null,
    limits: plugin.limits ? { ...plugin.limits } : null,
    usage: { ...stats, deniedRequests },
  }
}

function adviceFor(plugin: LivePlugin): string | null {
  const { name, isolation } = plugin
  const { state } = plugin.health()
  const restart = `fogbow plugin restart ${name}`
  if (!isolation)
    return `Put right what the reason names and reload the configuration, or: ${restart}`
  if (state === 'quarantined') return `It is left alone until somebody asks for it: ${restart}`
  if (isolation.moved) return `To give it a thread again: ${restart} --original-isolation`
  return null
}

function toTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** Plugin → bytes of keys and values that it stores. */
export async function storedBytes({ db }: Store): Promise<Map<string, number>> {
  const size = sql<number>`sum(octet_length(${sql.ref('key')}) + octet_length(${sql.ref('value')}))`
  const rows = await db
    .selectFrom('plugin_storage')
    .select(['plugin', size.as('bytes')])
    .groupBy('plugin')
    .execute()
  return new Map(rows.map(({ plugin, bytes }) => [plugin, Number(bytes)]))
}
