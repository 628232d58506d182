import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openSqliteStore, type Store } from '../../store/index.ts'
import { storageBroker } from './storage.ts'

const call = { signal: new AbortController().signal }
let store: Store
before(async () => {
  store = await openSqliteStore(':memory:')
})
after(() => store.close())

function storageOf(plugin: string) {
  const broker = storageBroker(plugin, store)
  return (method: string, ...args: unknown[]) =>
    Promise.resolve(broker[`storage.${method}`]?.(args, call))
}

test('values come back as they were set, and null when they are not there', async () => {
  const storage = storageOf('a')
  await storage('set', 'key', { list: [1, 'two', null] })
  assert.deepEqual(await storage('get', 'key'), { list: [1, 'two', null] })
  await storage('delete', 'key')
  assert.equal(await storage('get', 'key'), null)
})

test('no plugin reaches what another one keeps', async () => {
  await storageOf('b')('set', 'key', 'of b')
  assert.equal(await storageOf('c')('get', 'key'), null)
  assert.deepEqual(await storageOf('c')('list', ''), [])
})

test('a prefix lists its entries in order, page by page', async () => {
  const storage = storageOf('d')
  for (const key of ['vm/2', 'vm/1', 'vm/3', 'vn/1', 'v']) await storage('set', key, key)
  const first = (await storage('list', 'vm/', { limit: 2 })) as { key: string }[]
  assert.deepEqual(
    first.map((entry) => entry.key),
    ['vm/1', 'vm/2'],
  )
  assert.deepEqual(await storage('list', 'vm/', { after: 'vm/2' }), [
    { key: 'vm/3', value: 'vm/3' },
  ])
})

test('changes are made all or none', async () => {
  const storage = storageOf('e')
  await storage('write', [
    { key: 'a', value: 1 },
    { key: 'b', value: 2 },
  ])
  await assert.rejects(
    storage('write', [{ key: 'a' }, { key: 'c', value: 'x'.repeat(1_048_577) }]),
    { code: 'payload_too_large' },
  )
  assert.equal(await storage('get', 'a'), 1)
})

test('keys, values and numbers of changes have limits that are told', async () => {
  const storage = storageOf('f')
  const invalid = { code: 'invalid_parameter' }
  await assert.rejects(storage('get', ''), invalid)
  await assert.rejects(storage('get', 'x'.repeat(513)), invalid)
  await assert.rejects(
    storage('set', 'key', () => 1),
    invalid,
  )
  await assert.rejects(storage('list', 7), invalid)
  await assert.rejects(storage('write', 'x'), invalid)
  await assert.rejects(storage('write', [null]), invalid)
  await assert.rejects(storage('write', Array(1001).fill({ key: 'a' })), invalid)
})
