import {
  definePlugin,
  hasRefusedWithin,
  type PlacementCandidate,
  rankCandidates,
} from '@fogbow/plugin-sdk'

interface Config {
  order?: string[]
  refusalSeconds?: number
}

/** This site first, then others in the order that the administrator wrote, then by name. */
export default definePlugin<Config>({
  create({ config, clock }) {
    const { order = [], refusalSeconds = 60 } = config

    /** What is compared, the weightiest first; less is better. */
    function rankOf(candidate: PlacementCandidate): number[] {
      const { provider, local, liveness } = candidate
      const listed = order.indexOf(provider)
      return [
        hasRefusedWithin(candidate, refusalSeconds * 1000, clock.now()) ? 1 : 0,
        local ? 0 : 1,
        liveness === 'unknown' ? 1 : 0,
        listed < 0 ? order.length : listed,
      ]
    }

    return {
      placement: {
        rankProviders: async (_request, candidates) => rankCandidates(candidates, rankOf),
      },
    }
  },
})
