import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSqliteStore } from '../store/index.ts'
import { createMovedPlugins } from './moved-plugins.ts'

test('a move is remembered for its bundle, replaced by a later one, and forgotten when asked', async (t) => {
  const store = await openSqliteStore(':memory:')
  t.after(() => store.close())
  const moved = createMovedPlugins(store)
  await moved.remember('cloud', 'a'.repeat(64), { reason: 'first', at: 1 })
  await moved.remember('cloud', 'a'.repeat(64), { reason: 'second', at: 2 })
  assert.deepEqual(await moved.find('cloud', 'a'.repeat(64)), { reason: 'second', at: 2 })
  assert.equal(await moved.find('other', 'a'.repeat(64)), undefined)
  await moved.forget('cloud')
  assert.equal(await moved.find('cloud', 'a'.repeat(64)), undefined)
})

test('another bundle clears the move, also for the bundle before it', async (t) => {
  const store = await openSqliteStore(':memory:')
  t.after(() => store.close())
  const moved = createMovedPlugins(store)
  await moved.remember('cloud', 'a'.repeat(64), { reason: 'once', at: 1 })
  assert.equal(await moved.find('cloud', 'b'.repeat(64)), undefined)
  assert.equal(await moved.find('cloud', 'a'.repeat(64)), undefined)
})
