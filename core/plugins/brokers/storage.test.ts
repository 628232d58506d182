import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openSqliteStore, type Store } from '../../store/index.ts'
import { storageBroker } from './storage.ts'
import { quotaOf, type StorageQuota } from './storage-quota.ts'
import { hostCall } from './testing/memory-streams.ts'

let store: Store
before(async () => {
  store = await openSqliteStore(':memory:')
})
after(() => store.close())

function storageOf(plugin: string, quota: Partial<StorageQuota> = {}, kept = store) {
  const broker = storageBroker(plugin, kept, { ...quotaOf(1), ...quota })
  return async (method: string, ...args: unknown[]) =>
    broker[`storage.${method}`]?.(args, hostCall())
}

test('values come back as they were set, null too, and nothing when they are not there', async () => {
  const storage = storageOf('a')
  await storage('set', 'key', { list: [1, 'two', null] })
  assert.deepEqual(await storage('get', 'key'), [{ list: [1, 'two', null] }])
  await storage('set', 'key', null)
  assert.deepEqual(await storage('get', 'key'), [null])
  await storage('delete', 'key')
  assert.deepEqual(await storage('get', 'key'), [])
})

test('no plugin reaches what another one keeps', async () => {
  await storageOf('b')('set', 'key', 'of b')
  assert.deepEqual(await storageOf('c')('get', 'key'), [])
  assert.deepEqual(await storageOf('c')('list', ''), [])
  await storageOf('c')('delete', 'key')
  assert.deepEqual(await storageOf('b')('get', 'key'), ['of b'])
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

test('a page of a list that is too large to cross is refused before it is read', async () => {
  const storage = storageOf('large', { bytes: 16 * 1_048_576 })
  for (let i = 0; i < 9; i += 1) await storage('set', `key/${i}`, 'x'.repeat(1_048_000))
  await assert.rejects(storage('list', 'key/'), {
    code: 'payload_too_large',
    message: /9 entries from 'key\/' on .* list fewer at a time/,
  })
  assert.equal(((await storage('list', 'key/', { limit: 2 })) as unknown[]).length, 2)
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
  await assert.rejects(storage('write', [{ key: 'b' }, { key: 'd', value: 1 }, null]), {
    code: 'invalid_parameter',
  })
  const rest = (await storage('list', '')) as unknown[]
  assert.deepEqual(rest, [
    { key: 'a', value: 1 },
    { key: 'b', value: 2 },
  ])
})

test('of several changes of one key the last one counts', async () => {
  const storage = storageOf('last', { bytes: 100 })
  const changes = Array.from({ length: 50 }, (_, i) => ({
    key: 'k',
    value: `${'x'.repeat(50)}${i}`,
  }))
  await storage('write', [...changes, { key: 'k', value: 'end' }])
  assert.deepEqual(await storage('get', 'k'), ['end'])
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
  await assert.rejects(storage('set', 'key'), invalid)
  await assert.rejects(storage('list', 7), invalid)
  await assert.rejects(storage('write', 'x'), invalid)
  await assert.rejects(storage('write', [null]), invalid)
  await assert.rejects(storage('write', Array(1001).fill({ key: 'a' })), invalid)
})

test('what would exceed the quota is refused with key and quota, and nothing of it is stored', async () => {
  const storage = storageOf('g', { bytes: 100 })
  await storage('set', 'a', 'x'.repeat(60))
  await assert.rejects(
    storage('write', [
      { key: 'b', value: 1 },
      { key: 'c', value: 'x'.repeat(60) },
    ]),
    {
      code: 'quota_exceeded',
      message:
        "storage: with 'b' and 1 more plugin 'g' would store 128 of 100 bytes; plugins.g.grants.storageMiB allows no more",
    },
  )
  assert.deepEqual(await storage('get', 'b'), [])
  await storage('write', [
    { key: 'a', value: 'y' },
    { key: 'c', value: 'x'.repeat(60) },
  ])
})

test('the quota counts bytes, what was stored before, and what is freed', async () => {
  await storageOf('h', { bytes: 100 })('set', 'a', '€'.repeat(20))
  const storage = storageOf('h', { bytes: 100 })
  await assert.rejects(storage('set', 'b', 'x'.repeat(40)), { code: 'quota_exceeded' })
  await storage('delete', 'a')
  await storage('set', 'b', 'x'.repeat(40))
})

test('many writes at once do not get past the quota together', async () => {
  const storage = storageOf('i', { bytes: 1000 })
  const writes = Array.from({ length: 50 }, (_, i) => storage('set', `key${i}`, 'x'.repeat(90)))
  const done = (await Promise.allSettled(writes)).filter(({ status }) => status === 'fulfilled')
  assert.equal(done.length, 10)
  assert.equal(((await storage('list', '')) as unknown[]).length, 10)
})

test('a plugin above a quota that was lowered may still make it less', async () => {
  await storageOf('j')('set', 'a', 'x'.repeat(1000))
  const storage = storageOf('j', { bytes: 100 })
  await assert.rejects(storage('set', 'b', 1), { code: 'quota_exceeded' })
  await storage('set', 'a', 'x'.repeat(500))
  await storage('delete', 'a')
  await storage('set', 'b', 1)
})

test('the number of entries has a quota, too', async () => {
  const storage = storageOf('k', { entries: 2 })
  await storage('set', 'a', 1)
  await storage('set', 'b', 1)
  await assert.rejects(storage('set', 'c', 1), {
    code: 'quota_exceeded',
    message: /3 of 2 entries/,
  })
  await storage('set', 'a', 2)
  await storage('write', [{ key: 'a' }, { key: 'c', value: 1 }])
})

test('a transaction that fails does not count', async () => {
  let failing = false
  const unsteady: Store = {
    ...store,
    write: (unit) =>
      store.write(async (db) => {
        const result = await unit(db)
        if (failing) throw new Error('the disk is full')
        return result
      }),
  }
  const storage = storageOf('l', { bytes: 100 }, unsteady)
  failing = true
  for (let i = 0; i < 5; i += 1)
    await assert.rejects(storage('set', 'a', 'x'.repeat(60)), { message: 'the disk is full' })
  failing = false
  await storage('set', 'a', 'x'.repeat(60))
  await assert.rejects(storage('set', 'b', 'x'.repeat(60)), { code: 'quota_exceeded' })
})
