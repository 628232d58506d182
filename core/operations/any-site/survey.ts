import { asFogbowError, FogbowError, type PlacementCandidate } from '@fogbow/plugin-sdk'
import type { Consideration } from '../../orders/index.ts'
import { leftOut } from './considered.ts'
import type { SiteFactsGatherer } from './facts.ts'
import type { Refusals } from './refusals.ts'
import { type Wish, wantedCloud } from './wish.ts'

/** A site as the federation sees it. */
export interface KnownSite {
  id: string
  local: boolean
  liveness: 'alive' | 'silent' | 'unknown'
  /** Round trip of its last sign of life. */
  latencyMs?: number
  /** Why it is not used. */
  problem?: string
}

export interface SurveyParts {
  /** This site and all members. */
  sites(): readonly KnownSite[]
  /** Allow lists, authorization and quota of this site. @throws FogbowError that says why a wish may not go there */
  admit(wish: Wish, provider: string): Promise<void>
  facts: SiteFactsGatherer
  refusals: Refusals
  now(): number
}

export interface Survey {
  candidates: PlacementCandidate[]
  leftOut: Consideration[]
  /** What speaks against this site. */
  localError?: FogbowError
}

/**
 * Who may be asked, with what is known of each, and who not.
 * @param refused - sites that are out of the question, and said so themselves
 * @throws what keeps the site from deciding, such as an authorization plugin that does not answer
 */
export async function survey(
  parts: SurveyParts,
  wish: Wish,
  refused: ReadonlySet<string>,
): Promise<Survey> {
  const sites = parts.sites().filter(({ id }) => !refused.has(id))
  const obstacles = await Promise.all(sites.map((site) => obstacle(parts, wish, site)))
  const localError = obstacles.find((_, index) => sites[index]?.local)
  const open = sites.filter((_, index) => obstacles[index] === undefined)
  const candidates = await toCandidates(parts, wish, open)
  const at = parts.now()
  return {
    candidates: candidates.filter((candidate) => mayHaveCloud(wish, candidate)),
    leftOut: [
      ...sites.flatMap(({ id }, index) => {
        const error = obstacles[index]
        return error ? [leftOut(id, error.message, at)] : []
      }),
      ...candidates
        .filter((candidate) => !mayHaveCloud(wish, candidate))
        .map(({ provider }) =>
          leftOut(provider, `it has no cloud '${wish.request.cloudName}'`, at),
        ),
    ],
    ...(localError && { localError }),
  }
}

async function obstacle(
  parts: SurveyParts,
  wish: Wish,
  site: KnownSite,
): Promise<FogbowError | undefined> {
  if (!site.local && site.problem) return new FogbowError('unavailable_provider', site.problem)
  try {
    await parts.admit(wish, site.id)
    return undefined
  } catch (cause) {
    const error = asFogbowError(cause)
    if (error.outcome === 'unknown') throw error
    return error
  }
}

async function toCandidates(
  { facts, refusals }: SurveyParts,
  wish: Wish,
  sites: KnownSite[],
): Promise<PlacementCandidate[]> {
  const talking = sites.filter(({ local, liveness }) => local || liveness !== 'silent')
  const ids = talking.map(({ id }) => id)
  const known = await facts.gather(wish.user, ids, wantedCloud(wish))
  return sites.map(({ id, local, liveness, latencyMs }) => {
    const lastRefusal = refusals.get(wish, id)
    return {
      provider: id,
      local,
      liveness: local ? 'alive' : liveness,
      ...(latencyMs !== undefined && { latencyMs }),
      ...known.get(id),
      ...(lastRefusal && { lastRefusal: { ...lastRefusal } }),
    }
  })
}

/** True as well while nobody can tell: the site itself refuses then. */
function mayHaveCloud(wish: Wish, { clouds }: PlacementCandidate): boolean {
  const wanted = wantedCloud(wish)
  return wanted === undefined || clouds === undefined || clouds.includes(wanted)
}
