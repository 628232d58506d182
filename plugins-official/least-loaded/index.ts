import { definePlugin, type PlacementCandidate, type PlacementRequest } from '@fogbow/plugin-sdk'
import { freeShare } from './free-share.ts'

interface Config {
  refusalSeconds?: number
}

/** The sites that have most left of what is requested come first; among equals this site, then by name. */
export default definePlugin<Config>({
  create({ config, clock }) {
    const { refusalSeconds = 60 } = config

    /** What is compared, the weightiest first; less is better. */
    function rankOf(request: PlacementRequest, candidate: PlacementCandidate): number[] {
      const { local, quota, lastRefusal } = candidate
      const isRefusing = lastRefusal && clock.now() - lastRefusal.at < refusalSeconds * 1000
      const share = quota && freeShare(request, quota)
      // Whole percents: nothing leaves home for less.
      const percent = share === undefined ? 0 : Math.floor(share * 100)
      return [isRefusing ? 1 : 0, roomOf(share), -percent, local ? 0 : 1]
    }

    return {
      placement: {
        async rankProviders(request, candidates) {
          const isSilent = ({ local, liveness }: PlacementCandidate) =>
            !local && liveness === 'silent'
          const ranks = candidates
            .filter((candidate) => !isSilent(candidate))
            .map((candidate) => ({
              provider: candidate.provider,
              rank: rankOf(request, candidate),
            }))
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

/** Room is better than a quota that nobody knows, and that is better than none: numbers may be old, so all are asked. */
function roomOf(share: number | undefined): number {
  if (share === undefined) return 1
  return share < 0 ? 2 : 0
}

function compare(one: readonly number[], other: readonly number[]): number {
  const differing = one.findIndex((value, index) => value !== other[index])
  return (one[differing] ?? 0) - (other[differing] ?? 0)
}
