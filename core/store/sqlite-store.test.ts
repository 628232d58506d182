import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { openSqliteStore } from './sqlite-store.ts'
import type { Store } from './store.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fogbow-store-'))
})
after(() => rm(folder, { recursive: true }))

let files = 0
function newFile(): string {
  files += 1
  return join(folder, `${files}/site.db`)
}

const put = (store: Store, key: string, value = '1') =>
  store.write((db) => db.insertInto('plugin_storage').values({ plugin: 'p', key, value }).execute())

async function keys(store: Store): Promise<string[]> {
  const rows = await store.db.selectFrom('plugin_storage').select('key').orderBy('key').execute()
  return rows.map((row) => row.key)
}

test('what was written is there after the store is opened again', async () => {
  const file = newFile()
  const first = await openSqliteStore(file)
  await put(first, 'a')
  await first.close()
  const second = await openSqliteStore(file)
  assert.deepEqual(await keys(second), ['a'])
  await second.close()
})

test('a unit of work that fails leaves nothing behind and takes no other with it', async () => {
  const store = await openSqliteStore(':memory:')
  const outcomes = await Promise.allSettled([
    put(store, 'a'),
    store.write(async (db) => {
      await db.insertInto('plugin_storage').values({ plugin: 'p', key: 'b', value: '1' }).execute()
      throw new Error('changed its mind')
    }),
    put(store, 'a'),
    put(store, 'c'),
  ])
  assert.deepEqual(
    outcomes.map((outcome) => outcome.status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(await keys(store), ['a', 'c'])
  await store.close()
})

test('units that come while others are committed are not lost', async () => {
  const store = await openSqliteStore(':memory:')
  const written: Promise<unknown>[] = []
  for (let turn = 0; turn < 20; turn += 1) {
    written.push(put(store, `a${turn}`), put(store, `b${turn}`))
    if (turn % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(written)
  assert.equal((await keys(store)).length, 40)
  await store.close()
})

test('closing waits for what is being written', async () => {
  const file = newFile()
  const store = await openSqliteStore(file)
  const written = put(store, 'last')
  await store.close()
  await written
  const again = await openSqliteStore(file)
  assert.deepEqual(await keys(again), ['last'])
  await again.close()
})

test('two sites never share a store', async () => {
  const file = newFile()
  const first = await openSqliteStore(file)
  await assert.rejects(openSqliteStore(file), {
    code: 'configuration_error',
    message: /another process uses it; stop that site first, or give this one its own FOGBOW_DATA/,
  })
  await put(first, 'a')
  await first.close()
})

test('a file that is no store is named', async () => {
  const file = join(folder, 'letter.db')
  await writeFile(file, 'Dear reader, this is no database but a letter. '.repeat(200))
  await assert.rejects(openSqliteStore(file), {
    code: 'configuration_error',
    message: /^Store .*letter\.db: .*not a database/,
  })
})

test('a store of a later version is refused instead of being damaged', async () => {
  const file = newFile()
  const store = await openSqliteStore(file)
  await store.write((db) =>
    db
      .insertInto('kysely_migration' as never)
      .values({ name: '9999-from-the-future', timestamp: '2999' } as never)
      .execute(),
  )
  await store.close()
  await assert.rejects(openSqliteStore(file), {
    code: 'configuration_error',
    message: /site\.db: migration .*9999-from-the-future/,
  })
})

test('a copy taken while work goes on is a complete store', async () => {
  const store = await openSqliteStore(newFile())
  await put(store, 'a')
  const target = newFile()
  const [, later] = await Promise.all([store.backUp(target), put(store, 'b')])
  assert.ok(later)
  await store.close()
  const copy = await openSqliteStore(target)
  assert.ok((await keys(copy)).includes('a'))
  await put(copy, 'c')
  await copy.close()
})

test('nobody but the account of the site can read the store, its journal or a copy', async () => {
  const file = newFile()
  const store = await openSqliteStore(file)
  await put(store, 'a')
  const copy = newFile()
  await store.backUp(copy)
  for (const path of [file, `${file}-wal`, copy]) assert.equal(statSync(path).mode & 0o777, 0o600)
  await store.close()
})

test('the disk is awaited unless all of a group need to outlive the process only', async () => {
  const store = await openSqliteStore(newFile())
  const sync = async (db: Store['db']) => {
    const { rows } = await sql<{ synchronous: number }>`PRAGMA synchronous`.execute(db)
    return rows[0]?.synchronous
  }
  const [NORMAL, FULL] = [1, 2]
  assert.equal(await store.write(sync), FULL)
  assert.equal(await store.write(sync, 'process'), NORMAL)
  assert.deepEqual(await Promise.all([store.write(sync, 'process'), store.write(sync)]), [
    FULL,
    FULL,
  ])
  const failing = () => Promise.reject(new Error('no'))
  await assert.rejects(store.write(failing, 'process'))
  assert.equal(await store.write(sync), FULL)
  await store.close()
})
