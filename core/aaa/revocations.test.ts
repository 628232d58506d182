import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSqliteStore } from '../store/index.ts'
import { loadRevocations } from './revocations.ts'

test('a revocation outlives a restart until its token has expired', async () => {
  const store = await openSqliteStore(':memory:')
  const first = await loadRevocations(store, () => 0)
  await first.add('token', 100)
  await first.add('token', 100)
  assert.ok(first.has('token'))
  assert.ok(!first.has('other'))
  assert.ok((await loadRevocations(store, () => 50)).has('token'))
  assert.ok(!(await loadRevocations(store, () => 101)).has('token'))
  assert.deepEqual(await store.db.selectFrom('revoked_tokens').selectAll().execute(), [])
  await store.close()
})

test('the store never holds a token that could be used', async () => {
  const store = await openSqliteStore(':memory:')
  const revocations = await loadRevocations(store, () => 0)
  await revocations.add('a-usable-token', 100)
  const rows = await store.db.selectFrom('revoked_tokens').selectAll().execute()
  assert.ok(!JSON.stringify(rows).includes('a-usable-token'))
  await store.close()
})
