import assert from 'node:assert/strict'
import type {
  PlacementCandidate,
  PlacementRanking,
  PlacementRequest,
} from '../../contracts/placement.ts'
import { orderedKinds } from '../../resources/index.ts'
import type { ConformanceCase } from '../conformance.ts'
import { casesOf, type Trial } from '../trial.ts'

const user = { id: 'conformance-user', identityProviderId: 'site-a', roles: [] }
const compute: PlacementRequest = { kind: 'compute', request: { vCPU: 2, ram: 1024 }, user }
const none = {
  instances: 0,
  vCPU: 0,
  ram: 0,
  storage: 0,
  volumes: 0,
  networks: 0,
  publicIps: 0,
}
const all = (amount: number) =>
  Object.fromEntries(Object.keys(none).map((name) => [name, amount])) as typeof none

/** This site and three others of which everything is known. */
const sites: PlacementCandidate[] = ['site-a', 'site-b', 'site-c', 'site-d'].map(
  (provider, index) => ({
    provider,
    local: index === 0,
    liveness: 'alive',
    latencyMs: index * 10,
    clouds: ['default', 'other'],
    quota: { total: all(100_000), used: all(index * 1000) },
  }),
)

/** As they are when little is known, or what is known is strange. */
const oddSites: PlacementCandidate[] = [
  { provider: 'site-a', local: true, liveness: 'alive' },
  { provider: 'site-b', local: false, liveness: 'unknown', clouds: [] },
  { provider: 'site-c', local: false, liveness: 'silent' },
  { provider: 'site-d', local: false, liveness: 'alive', quota: { total: none, used: none } },
  { provider: 'site-e', local: false, liveness: 'alive', quota: { total: all(-1), used: all(-1) } },
  { provider: 'site-f', local: false, liveness: 'alive', quota: { total: all(1), used: all(5) } },
  {
    provider: 'site-g',
    local: false,
    liveness: 'alive',
    lastRefusal: { reason: 'vCPU: nothing left', at: Date.UTC(2030, 0, 1) },
  },
]

export function placementCases(trial: Trial): ConformanceCase[] {
  const test = casesOf('placement')
  const { rankings = [] } = trial.samples
  const rank = (request: PlacementRequest, candidates: PlacementCandidate[]) =>
    trial.call<PlacementRanking>('placement.rankProviders', request, candidates)

  return [
    test('only candidates are ranked or left out, each once', async () => {
      for (const candidates of [sites, sites.slice(1), oddSites, [...oddSites].reverse()])
        assertFits(candidates, await rank(compute, candidates))
    }),
    test('whatever is ordered, and however little is known, there is a ranking', async () => {
      for (const { name } of orderedKinds)
        for (const candidate of oddSites)
          assertFits([candidate], await rank({ kind: name, request: {}, user }, [candidate]))
    }),
    test('without candidates nobody is ranked', async () => {
      assert.deepEqual((await rank(compute, [])).ranked, [])
    }),
    test('hundreds of candidates are ranked', async () => {
      const many = Array.from({ length: 500 }, (_, index) => ({
        ...(sites[index === 0 ? 0 : 1] as PlacementCandidate),
        provider: `site-${index}.example`,
      }))
      assertFits(many, await rank(compute, many))
    }),
    test(
      'what the samples rank is ranked so',
      async () => {
        for (const { request, candidates, ranked } of rankings)
          assert.deepEqual((await rank(request, candidates)).ranked, ranked)
      },
      rankings.length ? undefined : 'samples.rankings is not given',
    ),
  ]
}

function assertFits(candidates: PlacementCandidate[], { ranked, leftOut = [] }: PlacementRanking) {
  const known = candidates.map(({ provider }) => provider)
  const named = [...ranked, ...leftOut.map(({ provider }) => provider)]
  const strangers = named.filter((provider) => !known.includes(provider))
  assert.deepEqual(strangers, [], `${strangers.join(', ')}: no candidate`)
  const twice = named.filter((provider, index) => named.indexOf(provider) !== index)
  assert.deepEqual(twice, [], `${twice.join(', ')}: named twice`)
  const unexplained = leftOut.filter(({ reason }) => !reason.trim())
  assert.deepEqual(unexplained, [], 'left out without a reason')
}
