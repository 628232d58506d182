import { type Insertable, type Kysely, sql } from 'kysely'
import type { Logger } from 'pino'
import type { AuditTable, Database, Store } from '../store/index.ts'

export type AuditRow = Omit<Insertable<AuditTable>, 'id'>

/** The record of every request, whether it was granted or not. */
export interface Audit {
  record(row: AuditRow): void
  /** Writes what was recorded. */
  flush(): Promise<void>
}

const GATHER_MS = 250
const MOST_GATHERED = 512
const ROWS_AT_ONCE = 16

/**
 * Rows are gathered for a moment and written together, without waiting for the disk: nobody is answered meanwhile. What
 * changes an order is recorded with that order's history as well, in the same transaction, and there it is waited for.
 */
export function createAudit(store: Store, log: Logger): Audit {
  let rows: AuditRow[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const batch = rows
    rows = []
    if (batch.length > 0) writing = writing.then(() => writeRows(batch))
    return writing
  }

  async function writeRows(batch: readonly AuditRow[]): Promise<void> {
    try {
      await store.write((db) => insertAll(db, batch), 'process')
    } catch (error) {
      log.error({ err: error, rows: batch.length }, 'audit rows could not be written')
    }
  }

  return {
    record(row) {
      rows.push(row)
      if (rows.length >= MOST_GATHERED) void flush()
      else timer ??= setTimeout(() => void flush(), GATHER_MS)
    },
    flush,
  }
}

/** Statements are prepared once: there are two, whatever the number of rows. */
async function insertAll(db: Kysely<Database>, rows: readonly AuditRow[]): Promise<void> {
  const together = rows.length - (rows.length % ROWS_AT_ONCE)
  for (let at = 0; at < together; at += ROWS_AT_ONCE)
    await insertRows(db, rows.slice(at, at + ROWS_AT_ONCE))
  for (const row of rows.slice(together)) await insertRows(db, [row])
}

async function insertRows(db: Kysely<Database>, rows: readonly AuditRow[]): Promise<void> {
  const values = rows.map(
    (row) => sql`(${row.timestamp}, ${row.request_id}, ${row.operation}, ${row.resource_type},
      ${row.user_id ?? null}, ${row.identity_provider_id ?? null}, ${row.requester}, ${row.provider},
      ${row.cloud_name ?? null}, ${row.order_id ?? null}, ${row.detail ?? null}, ${row.response})`,
  )
  await sql`
    insert into audit (timestamp, request_id, operation, resource_type, user_id, identity_provider_id, requester,
      provider, cloud_name, order_id, detail, response)
    values ${sql.join(values)}`.execute(db)
}
