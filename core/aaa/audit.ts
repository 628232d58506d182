import { type Insertable, type Kysely, sql } from 'kysely'
import type { Logger } from 'pino'
import type { AuditTable, Database, Store } from '../store/index.ts'

export type AuditRow = Omit<Insertable<AuditTable>, 'id'>

/** The record of every request, whether it was granted or not. */
export interface Audit {
  record(row: AuditRow): void
  /** Makes what was recorded durable. */
  flush(): Promise<void>
}

const GATHER_MS = 20
const MOST_GATHERED = 200

/**
 * Rows are gathered for some milliseconds and written together, so that reading costs no commit of its own. What
 * changes an order is recorded with that order's history as well, in the same transaction.
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
      await store.write(async (db) => {
        for (const row of batch) await insertRow(db, row)
      })
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

/** One text for every row, so that its statement is prepared once. */
async function insertRow(db: Kysely<Database>, row: AuditRow): Promise<void> {
  await sql`
    insert into audit (timestamp, request_id, operation, resource_type, user_id, identity_provider_id, requester,
      provider, cloud_name, order_id, response)
    values (${row.timestamp}, ${row.request_id}, ${row.operation}, ${row.resource_type}, ${row.user_id ?? null},
      ${row.identity_provider_id ?? null}, ${row.requester}, ${row.provider}, ${row.cloud_name ?? null},
      ${row.order_id ?? null}, ${row.response})`.execute(db)
}
