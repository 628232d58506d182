import type { PlacementCandidate, PlacementRanking } from './contracts/placement.ts'

/**
 * A ranking by numbers, for placement plugins: the weightiest first, less is better; among equals by name. Sites that do not
 * answer at present are left out.
 */
export function rankCandidates(
  candidates: readonly PlacementCandidate[],
  rankOf: (candidate: PlacementCandidate) => readonly number[],
): PlacementRanking {
  const ranks = candidates
    .filter((candidate) => !isSilent(candidate))
    .map((candidate) => ({ provider: candidate.provider, rank: rankOf(candidate) }))
    .sort((a, b) => compare(a.rank, b.rank) || (a.provider < b.provider ? -1 : 1))
  return {
    ranked: ranks.map(({ provider }) => provider),
    leftOut: candidates
      .filter(isSilent)
      .map(({ provider }) => ({ provider, reason: 'it does not answer at present' })),
  }
}

/** Whether it refused the user something of the kind so lately that others come first. */
export function hasRefusedWithin(
  { lastRefusal }: PlacementCandidate,
  ms: number,
  now: number,
): boolean {
  return lastRefusal !== undefined && now - lastRefusal.at < ms
}

function isSilent({ local, liveness }: PlacementCandidate): boolean {
  return !local && liveness === 'silent'
}

function compare(one: readonly number[], other: readonly number[]): number {
  const differing = one.findIndex((value, index) => value !== other[index])
  return (one[differing] ?? 0) - (other[differing] ?? 0)
}
