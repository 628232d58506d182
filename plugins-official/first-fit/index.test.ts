import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PlacementCandidate, PlacementRanking } from '@fogbow/plugin-sdk'
import { createFakeClock, createFakeHost, startInProcess } from '@fogbow/plugin-sdk/testing'
import plugin from './index.ts'

const start = Date.UTC(2030, 0, 1)
const request = {
  kind: 'compute',
  request: { vCPU: 1 },
  user: { id: 'ana', identityProviderId: 'site-a', roles: [] },
}

function site(provider: string, more: Partial<PlacementCandidate> = {}): PlacementCandidate {
  return { provider, local: provider === 'site-a', liveness: 'alive', ...more }
}

async function ranker(config: object = {}) {
  const clock = createFakeClock(start)
  const caller = await startInProcess(plugin, createFakeHost({ config, clock }))
  const rank = async (...candidates: PlacementCandidate[]) =>
    (await caller.call('placement.rankProviders', [request, candidates])) as PlacementRanking
  return { clock, rank }
}

test('this site comes first, then listed ones as listed, then the rest by name', async () => {
  const { rank } = await ranker({ order: ['site-d', 'site-c'] })
  const { ranked } = await rank(...['e', 'd', 'c', 'b', 'a'].map((name) => site(`site-${name}`)))
  assert.deepEqual(ranked, ['site-a', 'site-d', 'site-c', 'site-b', 'site-e'])
})

test('a silent site is left out, and it is said why', async () => {
  const { rank } = await ranker()
  const { ranked, leftOut } = await rank(site('site-a'), site('site-b', { liveness: 'silent' }))
  assert.deepEqual(ranked, ['site-a'])
  assert.deepEqual(leftOut, [{ provider: 'site-b', reason: 'it does not answer at present' }])
})

test('a site that was never heard of comes after those that are alive', async () => {
  const { rank } = await ranker({ order: ['site-b'] })
  const { ranked } = await rank(site('site-b', { liveness: 'unknown' }), site('site-c'))
  assert.deepEqual(ranked, ['site-c', 'site-b'])
})

test('a site that refused comes last, also this one, until the time is over', async () => {
  const { rank, clock } = await ranker({ refusalSeconds: 10 })
  const lastRefusal = { reason: 'vCPU: none left', at: start }
  const candidates = [site('site-a', { lastRefusal }), site('site-b')]
  assert.deepEqual((await rank(...candidates)).ranked, ['site-b', 'site-a'])
  await clock.advance(10_000)
  assert.deepEqual((await rank(...candidates)).ranked, ['site-a', 'site-b'])
})
