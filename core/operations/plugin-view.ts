import type { LivePlugin } from '../plugins/index.ts'
import type { PluginView } from './operations.ts'

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
    capabilities: plugin.capabilities,
  }
}
