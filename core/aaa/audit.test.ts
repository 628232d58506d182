import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { openSqliteStore } from '../store/index.ts'
import { createAudit } from './audit.ts'

const row = (request_id: string) => ({
  timestamp: 1,
  request_id,
  operation: 'get',
  resource_type: 'COMPUTE',
  requester: 'site-a',
  provider: 'site-a',
  response: 'ok',
})

test('what was recorded is stored in its order once flushed', async () => {
  const store = await openSqliteStore(':memory:')
  const audit = createAudit(store, pino({ level: 'silent' }))
  const ids = Array.from({ length: 450 }, (_, index) => `r${index}`)
  for (const id of ids) audit.record(row(id))
  await audit.flush()
  const rows = await store.db.selectFrom('audit').select('request_id').orderBy('id').execute()
  assert.deepEqual(
    rows.map((stored) => stored.request_id),
    ids,
  )
  await store.close()
})

test('a store that does not take the record is reported in the log and stops nobody', async () => {
  const store = await openSqliteStore(':memory:')
  const lines: string[] = []
  const audit = createAudit(store, pino({}, { write: (line: string) => void lines.push(line) }))
  await store.close()
  audit.record(row('r'))
  await audit.flush()
  assert.match(lines.join(), /audit rows could not be written/)
})
