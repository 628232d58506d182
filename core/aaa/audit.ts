import type { Insertable } from 'kysely'
import type { Logger } from 'pino'
import type { AuditTable, Store } from '../store/index.ts'

export type AuditRow = Omit<Insertable<AuditTable>, 'id'>

/** The record of every request, whether it was granted or not. */
export interface Audit {
  record(row: AuditRow): void
  /** Makes what was recorded durable. */
  flush(): Promise<void>
}

const GATHER_MS = 20
const ROWS_PER_INSERT = 200

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
        for (let start = 0; start < batch.length; start += ROWS_PER_INSERT) {
          await db
            .insertInto('audit')
            .values(batch.slice(start, start + ROWS_PER_INSERT))
            .execute()
        }
      })
    } catch (error) {
      log.error({ err: error, rows: batch.length }, 'audit rows could not be written')
    }
  }

  return {
    record(row) {
      rows.push(row)
      if (rows.length >= ROWS_PER_INSERT) void flush()
      else timer ??= setTimeout(() => void flush(), GATHER_MS)
    },
    flush,
  }
}
