import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withSettings } from './settings-layer.ts'

const written = {
  site: { id: 'site-a' },
  plugins: { cloud: { package: '@vendor/cloud', config: { url: 'https://in.file', zone: 'a' } } },
}

test('settings of the marketplace complete the file, which goes before them key by key', () => {
  const settings = {
    cloud: {
      package: '@vendor/other',
      config: { url: 'https://elsewhere', quota: 5 },
      secrets: { password: 'env:PASSWORD' },
    },
  }
  const { plugins } = withSettings(written, settings) as typeof written
  assert.deepEqual(plugins.cloud, {
    package: '@vendor/cloud',
    config: { url: 'https://in.file', zone: 'a', quota: 5 },
    secrets: { password: 'env:PASSWORD' },
  })
})

test('an instance that only the marketplace knows is added', () => {
  const settings = { more: { package: '@vendor/more' } }
  const { plugins } = withSettings(written, settings) as { plugins: Record<string, unknown> }
  assert.deepEqual(plugins.more, { package: '@vendor/more' })
})

test('what the file says is not changed, and nonsense in it is left to its own check', () => {
  const before = structuredClone(written)
  withSettings(written, { cloud: { config: { url: 'x' } } })
  assert.deepEqual(written, before)
  const odd = { plugins: { cloud: 'nonsense' } }
  assert.deepEqual(withSettings(odd, { cloud: { config: { url: 'x' } } }), odd)
  for (const nothing of [null, 'text', []])
    assert.equal(withSettings(nothing, { cloud: {} }), nothing)
})

test('a group that the file wrote wrongly stays wrong', () => {
  const odd = { plugins: { cloud: { config: 'nonsense' } } }
  assert.deepEqual(withSettings(odd, { cloud: { config: { url: 'x' } } }), odd)
})
