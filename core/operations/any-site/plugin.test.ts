import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { LivePlugin } from '../../plugins/index.ts'
import { rankByPlugin } from './plugin.ts'
import { wish } from './testing/bench.ts'
import { toPlacementRequest, wantsAnySite } from './wish.ts'

const request = toPlacementRequest(wish)

function ranker(offered: string[], name: string | undefined = 'firstFit') {
  const called: unknown[] = []
  const plugin = {
    packageName: 'some-package',
    kinds: ['quota'],
    offered: new Set(offered),
    health: () => ({ state: 'ready' }),
    async call(method: string, args: unknown[]) {
      called.push([method, ...args])
      return { ranked: ['site-b'] }
    },
  } as unknown as LivePlugin
  return { called, rank: rankByPlugin({ name: () => name, plugins: { get: () => plugin } }) }
}

test('the plugin that is configured ranks', async () => {
  const { rank, called } = ranker(['placement.rankProviders'])
  assert.deepEqual(await rank(request, []), { ranked: ['site-b'] })
  assert.deepEqual(called, [['placement.rankProviders', request, []]])
})

test('a site without placement plugin sends nothing anywhere', async () => {
  const rank = rankByPlugin({
    name: () => undefined,
    plugins: {
      get() {
        throw new FogbowError('configuration_error', 'not asked')
      },
    },
  })
  await assert.rejects(rank(request, []), {
    code: 'invalid_parameter',
    details: { field: 'provider' },
  })
})

test('a plugin of another kind is a configuration error that names it', async () => {
  const { rank } = ranker(['quota.getUserQuota'])
  await assert.rejects(rank(request, []), {
    code: 'configuration_error',
    message: "placement.plugin: 'firstFit' (some-package) offers quota and no placement",
  })
})

test('a request goes anywhere that says so, or says nothing where that is the default', () => {
  assert.equal(wantsAnySite({ provider: 'any' }, 'local'), true)
  assert.equal(wantsAnySite({}, 'any'), true)
  assert.equal(wantsAnySite({}, 'local'), false)
  assert.equal(wantsAnySite({ provider: 'site-b' }, 'any'), false)
})
