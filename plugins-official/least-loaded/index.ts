import {
  definePlugin,
  hasRefusedWithin,
  type PlacementCandidate,
  type PlacementRequest,
  rankCandidates,
} from '@fogbow/plugin-sdk'
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
      const { local, quota } = candidate
      const isRefusing = hasRefusedWithin(candidate, refusalSeconds * 1000, clock.now())
      const share = quota && freeShare(request, quota)
      // Whole percents: nothing leaves home for less.
      const percent = share === undefined ? 0 : Math.floor(share * 100)
      return [isRefusing ? 1 : 0, roomOf(share), -percent, local ? 0 : 1]
    }

    return {
      placement: {
        rankProviders: async (request, candidates) =>
          rankCandidates(candidates, (candidate) => rankOf(request, candidate)),
      },
    }
  },
})

/** Room is better than a quota that nobody knows, and that is better than none: numbers may be old, so all are asked. */
function roomOf(share: number | undefined): number {
  if (share === undefined) return 1
  return share < 0 ? 2 : 0
}
