import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Kysely, SqliteDialect } from 'kysely'
import { migrations } from './migrations/index.ts'
import { toKyselyDatabase } from './node-sqlite.ts'
import type { Database } from './schema.ts'

const NAME = '0009-delegations'

test('orders of a store from before get what ordering gives, from when they were made', async () => {
  const database = new DatabaseSync(':memory:')
  const db = new Kysely<Database>({
    dialect: new SqliteDialect({ database: toKyselyDatabase(database) }),
  })
  for (const [name, migration] of Object.entries(migrations))
    if (name < NAME) await migration.up(db)
  const orders = Array.from({ length: 1201 }, (_, index) => ({
    id: `order-${index}`,
    kind: 'compute',
    state: index % 2 ? 'FULFILLED' : 'CLOSED',
    provider: 'site-a',
    cloud_name: 'one',
    requester: 'site-a',
    user_id: `user-${index % 7}`,
    identity_provider_id: 'site-a',
    owner: '{}',
    name: 'vm',
    request: '{}',
    version: 3,
    attempts: 0,
    request_outcome: 2,
    state_since: 5,
    created_at: 1000 + index,
  }))
  for (const order of orders) await db.insertInto('orders').values(order).execute()
  await migrations[NAME]?.up(db)
  const rows = await db.selectFrom('orders').selectAll().orderBy('seq').execute()
  assert.equal(rows.length, orders.length)
  for (const row of rows) {
    const owner = { id: row.user_id, identityProviderId: 'site-a' }
    assert.deepEqual(JSON.parse(row.delegation ?? 'null'), {
      number: 1,
      owner,
      scope: 'work',
      grantedBy: owner,
      grantedAt: row.created_at,
      expiresAt: null,
      revokedAt: null,
      revokedBy: null,
      reason: null,
      heard: 1,
    })
    assert.equal(row.delegation_told, 1)
    assert.equal(row.version, 3)
  }
  await db.destroy()
})
