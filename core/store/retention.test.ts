import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forgetOld } from './retention.ts'
import { openSqliteStore } from './sqlite-store.ts'
import type { Store } from './store.ts'

const DAY_MS = 86_400_000
const now = 1_700_000_000_000

async function addOrder(store: Store, id: string, state: string, since: number): Promise<void> {
  await store.write(async (db) => {
    await db
      .insertInto('orders')
      .values({
        id,
        kind: 'compute',
        state,
        provider: 'a',
        cloud_name: 'c',
        requester: 'a',
        user_id: 'ana',
        identity_provider_id: 'a',
        owner: '{}',
        name: 'vm',
        request: '{}',
        version: 0,
        attempts: 0,
        request_outcome: 0,
        state_since: since,
        created_at: since,
      })
      .execute()
    await db.insertInto('order_events').values({ order_id: id, timestamp: since, state }).execute()
    await db
      .insertInto('idempotency_keys')
      .values({ scope: id, request_hash: '', answer: '{}', created_at: since })
      .execute()
    await db.insertInto('begun_effects').values({ scope: id, before: null, at: since }).execute()
  })
}

async function addAudit(store: Store, timestamp: number, rows: number): Promise<void> {
  const row = {
    timestamp,
    request_id: 'r',
    operation: 'get',
    resource_type: 'COMPUTE',
    requester: 'a',
    provider: 'a',
    response: 'ok',
  }
  await store.write(async (db) => {
    for (let done = 0; done < rows; done += 1000)
      await db
        .insertInto('audit')
        .values(Array(Math.min(1000, rows - done)).fill(row))
        .execute()
  })
}

async function count(store: Store, table: 'audit' | 'orders' | 'order_events'): Promise<number> {
  const row = await store.db
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  return Number(row.n)
}

test('only closed orders that are old are forgotten, each with its history', async () => {
  const store = await openSqliteStore(':memory:')
  const old = now - 91 * DAY_MS
  await addOrder(store, 'old and closed', 'CLOSED', old)
  await addOrder(store, 'old and alive', 'FULFILLED', old)
  await addOrder(store, 'old and failed', 'FAILED_ON_REQUEST', old)
  await addOrder(store, 'closed just now', 'CLOSED', now - DAY_MS)
  assert.deepEqual(await forgetOld(store, now, 365, 90), { audit: 0, orders: 1 })
  const left = await store.db.selectFrom('orders').select('id').orderBy('seq').execute()
  assert.deepEqual(
    left.map((row) => row.id),
    ['old and alive', 'old and failed', 'closed just now'],
  )
  assert.equal(await count(store, 'order_events'), 3)
  await store.close()
})

test('audit rows are kept as long as configured, however many there are', async () => {
  const store = await openSqliteStore(':memory:')
  await addAudit(store, now - 366 * DAY_MS, 12_000)
  await addAudit(store, now - 364 * DAY_MS, 10)
  assert.deepEqual(await forgetOld(store, now, 365, 90), { audit: 12_000, orders: 0 })
  assert.equal(await count(store, 'audit'), 10)
  await store.close()
})

test('idempotency keys, and what was begun under them, end after their time, also when no order is forgotten', async () => {
  const store = await openSqliteStore(':memory:')
  await addOrder(store, 'old and alive', 'FULFILLED', now - 91 * DAY_MS)
  await addOrder(store, 'young', 'FULFILLED', now)
  await forgetOld(store, now, 365, 90)
  for (const table of ['idempotency_keys', 'begun_effects'] as const) {
    const left = await store.db.selectFrom(table).select('scope').execute()
    assert.deepEqual(
      left.map(({ scope }) => scope),
      ['young'],
    )
  }
  await store.close()
})
