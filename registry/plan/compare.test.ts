import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Component, LockedPlugin } from '../marketplace.ts'
import { compare, rightsToAccept } from './compare.ts'

const part = (name: string, version: string, integrity?: string): Component => ({
  name,
  version,
  license: 'MIT',
  ...(integrity !== undefined && { integrity }),
})

function plugin(fields: Partial<LockedPlugin> = {}): LockedPlugin {
  return {
    name: '@vendor/cloud',
    version: '1.0.0',
    description: '',
    license: 'MIT',
    hash: 'a'.repeat(64),
    source: '@vendor/cloud',
    sourceKind: 'npm',
    registry: 'main',
    installedAt: '2026-01-01T00:00:00Z',
    manifest: { sdk: '^0.1.0', kinds: ['image', 'quota'], entry: './index.js' },
    trust: { level: 'verified', publisher: 'Vendor', checks: [] },
    accepted: { by: 'ana', at: '2026-01-01T00:00:00Z', rights: [] },
    components: [],
    ...fields,
  }
}

test('what a version brings along is compared part by part: new, gone, in another version, and with other bytes', () => {
  const before = [
    part('a', '1.0.0'),
    part('b', '1.0.0'),
    part('c', '1.0.0', 'x'),
    part('d', '1.0.0'),
  ]
  const after = [
    part('a', '1.0.0'),
    part('b', '2.0.0'),
    part('c', '1.0.0', 'y'),
    part('e', '1.0.0'),
  ]
  const from = plugin({ components: before })
  const { components } = compare(from, plugin({ components: after }))
  assert.deepEqual(
    components.changed.map(([old, next]) => [old.name, old.version, next.version, next.integrity]),
    [
      ['b', '1.0.0', '2.0.0', undefined],
      ['c', '1.0.0', '1.0.0', 'y'],
    ],
  )
  assert.deepEqual(components.added, [part('e', '1.0.0')])
  assert.deepEqual(components.removed, [part('d', '1.0.0')])
  assert.deepEqual(compare(from, from).components, { added: [], removed: [], changed: [] })
})

test('a part that is there in two versions is not said to have changed', () => {
  const from = plugin({ components: [part('a', '1.0.0'), part('a', '2.0.0')] })
  const { components } = compare(from, plugin({ components: [part('a', '3.0.0')] }))
  assert.deepEqual(
    [components.changed.length, components.added.length, components.removed.length],
    [0, 1, 2],
  )
})

test('kinds, capabilities and licence are compared', () => {
  const capabilities = { network: ['https://b.example:443'], secrets: ['password'] }
  const manifest = { sdk: '^0.1.0', kinds: ['image', 'volume'], entry: './index.js', capabilities }
  const to = plugin({ license: 'GPL-3.0-only', manifest })
  const found = compare(plugin(), to)
  assert.deepEqual(found.offered, { added: ['volume'], dropped: ['quota'] })
  assert.deepEqual(found.capabilities, {
    added: ['network https://b.example:443', 'secret password'],
    dropped: [],
  })
  assert.deepEqual(found.license, { from: 'MIT', to: 'GPL-3.0-only' })
})

test('another registry, another publisher, less trust and an older version have to be accepted by name', () => {
  const to = plugin({
    version: '0.9.0',
    registry: 'other',
    trust: { level: 'community', publisher: 'Somebody', checks: [] },
  })
  assert.deepEqual(rightsToAccept({ from: plugin(), to }), [
    'level community',
    'registry main → other',
    'publisher Vendor → Somebody',
    'downgrade 1.0.0 → 0.9.0',
  ])
  const better = plugin({ trust: { level: 'official', publisher: 'Vendor', checks: [] } })
  assert.deepEqual(rightsToAccept({ from: plugin(), to: better }), [])
})
