import { definePlugin, type PlacementCandidate } from '@fogbow/plugin-sdk'

interface Config {
  order?: string[]
  refusalSeconds?: number
}

/** This site first, then others in the order that the administrator wrote, then by name. */
export default definePlugin<Config>({
  create({ config, clock }) {
    const { order = [], refusalSeconds = 60 } = config

    /** What is compared, the weightiest first; less is better. */
    function rankOf({ provider, local, liveness, lastRefusal }: PlacementCandidate): number[] {
      const isRefusing = lastRefusal && clock.now() - lastRefusal.at < refusalSeconds * 1000
      const listed = order.indexOf(provider)
      return [
        isRefusing ? 1 : 0,
        local ? 0 : 1,
        liveness === 'unknown' ? 1 : 0,
        listed < 0 ? order.length : listed,
      ]
    }

    return {
      placement: {
        async rankProviders(_request, candidates) {
          const isSilent = ({ local, liveness }: PlacementCandidate) =>
            !local && liveness === 'silent'
          const ranks = candidates
            .filter((candidate) => !isSilent(candidate))
            .map((candidate) => ({ provider: candidate.provider, rank: rankOf(candidate) }))
            .sort(
              (one, other) =>
                compare(one.rank, other.rank) || (one.provider < other.provider ? -1 : 1),
            )
          return {
            ranked: ranks.map(({ provider }) => provider),
            leftOut: candidates
              .filter(isSilent)
              .map(({ provider }) => ({ provider, reason: 'it does not answer at present' })),
          }
        },
      },
    }
  },
})

function compare(one: readonly number[], other: readonly number[]): number {
  const differing = one.findIndex((value, index) => value !== other[index])
  return (one[differing] ?? 0) - (other[differing] ?? 0)
}
