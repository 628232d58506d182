import { FogbowError, invalid, type PlacementRanking } from '@fogbow/plugin-sdk'
import type { LivePlugin } from '../../plugins/index.ts'
import type { AnySiteParts } from './any-site.ts'

const METHOD = 'placement.rankProviders'

/**
 * The way to the plugin that ranks. Without it nothing goes anywhere: what it would forbid must not happen while it is
 * away.
 * @param name - its name in the configuration, undefined when there is none
 */
export function rankByPlugin(parts: {
  name(): string | undefined
  plugins: { get(name: string): LivePlugin }
}): AnySiteParts['rank'] {
  return async (request, candidates, signal) => {
    const name = parts.name()
    if (name === undefined) {
      throw invalid('provider', "this site has no placement plugin: name a member instead of 'any'")
    }
    const plugin = parts.plugins.get(name)
    if (plugin.health().state === 'ready' && !plugin.offered.has(METHOD)) {
      throw new FogbowError(
        'configuration_error',
        `placement.plugin: '${name}' (${plugin.packageName}) offers ${plugin.kinds.join(', ')} and no placement`,
      )
    }
    const answer = await plugin.call(METHOD, [request, candidates], { signal })
    return answer as PlacementRanking
  }
}
