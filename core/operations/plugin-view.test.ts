import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PluginConfig } from '../config/index.ts'
import type { IsolationChoice, LivePlugin } from '../plugins/index.ts'
import { standInPlugin } from '../plugins/testing/stand-in-plugins.ts'
import { openSqliteStore } from '../store/index.ts'
import { storedBytes, toPluginReport, toPluginView } from './plugin-view.ts'

const isolation: IsolationChoice = {
  wanted: 'worker',
  level: 'process',
  minimum: 'worker',
  why: 'its bundle was reviewed',
  missing: ['namespaces'],
}
const config = {
  grants: { network: [], addresses: ['10.0.0.0/8'], storageMiB: 2 },
} as unknown as PluginConfig

function plugin(changes: Partial<LivePlugin> = {}): LivePlugin {
  const capabilities = { network: ['cloud.example:443'], secrets: ['key'], storage: true }
  return { ...standInPlugin('one', {}), isolation, capabilities, ...changes }
}

test('a report tells what a plugin has, may reach and stores', () => {
  const lastFailure = { message: 'it used too much memory', at: 0 }
  const report = toPluginReport(plugin({ lastFailure, bundleHash: 'a'.repeat(64) }), config, 7)
  assert.equal(report.bundleHash, 'a'.repeat(64))
  assert.deepEqual(report.storage, { usedBytes: 7, quotaBytes: 2_097_152 })
  assert.deepEqual(report.capabilities.addresses, ['10.0.0.0/8'])
  assert.deepEqual(report.lastFailure, {
    message: 'it used too much memory',
    at: '1970-01-01T00:00:00.000Z',
  })
  assert.deepEqual(report.isolationChoice?.missing, ['namespaces'])
  assert.equal(report.advice, null)
})

test('what to do next follows from what ails a plugin', () => {
  const adviceFor = (changes: Partial<LivePlugin>) =>
    toPluginReport(plugin(changes), config, 0).advice ?? ''
  const quarantined = () => ({ state: 'quarantined', level: 'worker' }) as const
  assert.match(adviceFor({ health: quarantined }), /left alone .*: fogbow plugin restart one$/)
  const { isolation: _, ...unloaded } = plugin({ health: quarantined })
  assert.match(toPluginReport(unloaded, config, 0).advice ?? '', /Put right .* reload/)
  const moved = { ...isolation, moved: { reason: 'its thread did not end', at: 1 } }
  assert.match(adviceFor({ isolation: moved }), /restart one --original-isolation$/)
})

test('what anybody may see names no host, no address and no secret', () => {
  const text = JSON.stringify(toPluginView(plugin()))
  for (const hidden of ['cloud.example', 'key', '10.0.0.0'])
    assert.ok(!text.includes(hidden), hidden)
})

test('what plugins store is counted in bytes, each on its own', async (t) => {
  const store = await openSqliteStore(':memory:')
  t.after(() => store.close())
  const rows = [
    { plugin: 'one', key: 'a', value: 'é' },
    { plugin: 'one', key: 'b', value: '12345' },
    { plugin: 'two', key: 'a', value: '' },
  ]
  await store.write((db) => db.insertInto('plugin_storage').values(rows).execute())
  assert.deepEqual([...(await storedBytes(store))].sort(), [
    ['one', 9],
    ['two', 1],
  ])
})
