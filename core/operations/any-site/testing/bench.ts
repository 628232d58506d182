import {
  FogbowError,
  type PlacementCandidate,
  type PlacementRanking,
  type PlacementRequest,
} from '@fogbow/plugin-sdk'
import { type AnySiteParts, createAnySite } from '../any-site.ts'
import { createRefusals } from '../refusals.ts'
import type { KnownSite } from '../survey.ts'
import type { Wish } from '../wish.ts'

export const wish: Wish = {
  kind: 'compute',
  request: { provider: 'any', vCPU: 2, ram: 1024 },
  user: { id: 'ana', identityProviderId: 'site-a', name: 'Ana', roles: ['user'] },
}

export function site(id: string, more: Partial<KnownSite> = {}): KnownSite {
  return { id, local: id === 'site-a', liveness: 'alive', latencyMs: 5, ...more }
}

/** Sites in memory, ranked as they are listed unless `rank` says otherwise. */
export function createBench(sites: KnownSite[], more: Partial<AnySiteParts> = {}) {
  const asked: { request: PlacementRequest; candidates: PlacementCandidate[] }[] = []
  /** Why a site must not be asked. */
  const forbidden = new Map<string, FogbowError>()
  const bench = {
    time: Date.UTC(2030, 0, 1),
    asked,
    forbidden,
    /** What the plugin does. */
    async rank(candidates: PlacementCandidate[]): Promise<PlacementRanking> {
      return { ranked: candidates.map(({ provider }) => provider) }
    },
  }
  const now = () => bench.time
  const anySite = createAnySite({
    sites: () => sites,
    async admit(_wish, provider) {
      const error = forbidden.get(provider)
      if (error) throw error
    },
    facts: {
      gather: async (_user, ids) => new Map(ids.map((id) => [id, { clouds: ['default'] }])),
    },
    async rank(request, candidates) {
      asked.push({ request, candidates })
      return bench.rank(candidates)
    },
    defaultCloud: () => 'default',
    refusals: createRefusals(now),
    now,
    ...more,
  })
  return { ...anySite, bench }
}

export const refusal = (message = 'vCPU: none left') => new FogbowError('quota_exceeded', message)
export const doubt = () => new FogbowError('timeout', 'no answer within 10 s')
