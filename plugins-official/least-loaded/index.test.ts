import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PlacementCandidate, PlacementRanking, PlacementRequest } from '@fogbow/plugin-sdk'
import { createFakeClock, createFakeHost, startInProcess } from '@fogbow/plugin-sdk/testing'
import plugin from './index.ts'

const start = Date.UTC(2030, 0, 1)
const user = { id: 'ana', identityProviderId: 'site-a', roles: [] }
const compute: PlacementRequest = { kind: 'compute', request: { vCPU: 4, ram: 1024 }, user }
const unlimited = {
  instances: -1,
  vCPU: -1,
  ram: -1,
  storage: -1,
  volumes: -1,
  networks: -1,
  publicIps: -1,
}
const unused = { ...unlimited, vCPU: 0, ram: 0, instances: 0 }

function site(provider: string, more: Partial<PlacementCandidate> = {}): PlacementCandidate {
  return { provider, local: provider === 'site-a', liveness: 'alive', ...more }
}

/** A site with 100 virtual CPUs of which some are in use. */
function withCpus(provider: string, inUse: number): PlacementCandidate {
  const quota = { total: { ...unlimited, vCPU: 100 }, used: { ...unused, vCPU: inUse } }
  return site(provider, { quota })
}

async function ranker(config: object = {}) {
  const clock = createFakeClock(start)
  const caller = await startInProcess(plugin, createFakeHost({ config, clock }))
  const rank = async (request: PlacementRequest, ...candidates: PlacementCandidate[]) =>
    (await caller.call('placement.rankProviders', [request, candidates])) as PlacementRanking
  return { clock, rank }
}

test('the site with most left comes first', async () => {
  const { rank } = await ranker()
  const { ranked } = await rank(
    compute,
    withCpus('site-a', 70),
    withCpus('site-b', 90),
    withCpus('site-c', 10),
  )
  assert.deepEqual(ranked, ['site-c', 'site-a', 'site-b'])
})

test('the scarcest of the amounts counts', async () => {
  const { rank } = await ranker()
  const total = { ...unlimited, vCPU: 100, ram: 10_000 }
  const manyCpus = { quota: { total, used: { ...unused, vCPU: 0, ram: 8000 } } }
  const balanced = { quota: { total, used: { ...unused, vCPU: 50, ram: 5000 } } }
  const { ranked } = await rank(compute, site('site-b', manyCpus), site('site-c', balanced))
  assert.deepEqual(ranked, ['site-c', 'site-b'])
})

test('only what is ordered counts', async () => {
  const { rank } = await ranker()
  const volume: PlacementRequest = { kind: 'volume', request: { size: 10 }, user }
  const storage = (used: number, cpus: number) => ({
    quota: {
      total: { ...unlimited, storage: 1000, vCPU: 100 },
      used: { ...unused, storage: used, vCPU: cpus },
    },
  })
  const { ranked } = await rank(
    volume,
    site('site-b', storage(900, 0)),
    site('site-c', storage(100, 100)),
  )
  assert.deepEqual(ranked, ['site-c', 'site-b'])
})

test('among equals this site comes first, also when it has a little less', async () => {
  const { rank } = await ranker()
  const total = { ...unlimited, ram: 1_000_000 }
  const used = (ram: number) => ({ quota: { total, used: { ...unused, ram } } })
  const { ranked } = await rank(
    compute,
    site('site-c', used(101_000)),
    site('site-b', used(101_000)),
    site('site-a', used(102_000)),
  )
  assert.deepEqual(ranked, ['site-a', 'site-b', 'site-c'])
})

test('after sites with room come unknown ones, then full ones, which may have room by now', async () => {
  const { rank } = await ranker()
  const { ranked } = await rank(
    compute,
    withCpus('site-a', 97),
    site('site-b'),
    withCpus('site-c', 96),
  )
  assert.deepEqual(ranked, ['site-c', 'site-b', 'site-a'])
})

test('a quota without limits is all free, one of nothing is full', async () => {
  const { rank } = await ranker()
  const { ranked } = await rank(
    compute,
    site('site-b', { quota: { total: { ...unlimited, vCPU: 0 }, used: unused } }),
    withCpus('site-c', 0),
    site('site-d', { quota: { total: unlimited, used: unlimited } }),
  )
  assert.deepEqual(ranked, ['site-d', 'site-c', 'site-b'])
})

test('a silent site is left out, and it is said why', async () => {
  const { rank } = await ranker()
  const { ranked, leftOut } = await rank(
    compute,
    site('site-a'),
    site('site-b', { liveness: 'silent' }),
  )
  assert.deepEqual(ranked, ['site-a'])
  assert.deepEqual(leftOut, [{ provider: 'site-b', reason: 'it does not answer at present' }])
})

test('a site that refused comes last until the time is over', async () => {
  const { rank, clock } = await ranker({ refusalSeconds: 10 })
  const lastRefusal = { reason: 'no flavor suits', at: start }
  const candidates = [{ ...withCpus('site-b', 0), lastRefusal }, withCpus('site-c', 50)]
  assert.deepEqual((await rank(compute, ...candidates)).ranked, ['site-c', 'site-b'])
  await clock.advance(10_000)
  assert.deepEqual((await rank(compute, ...candidates)).ranked, ['site-b', 'site-c'])
})
