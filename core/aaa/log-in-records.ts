import type { Insertable, Selectable } from 'kysely'
import type { Logger } from 'pino'
import type { LogInTable, Store } from '../store/index.ts'

export const logInOutcomes = ['ok', 'refused', 'locked out', 'failed'] as const
/** `refused`: the credentials were wrong. `failed`: nobody could tell, such as a directory that does not answer. */
export type LogInOutcome = (typeof logInOutcomes)[number]

export type LogInRecord = Omit<Insertable<LogInTable>, 'id'> & { outcome: LogInOutcome }

export interface LogInQuery {
  userName?: string
  source?: string
  address?: string
  outcome?: string
  /** Ids smaller than this. */
  before?: number
  limit: number
}

/** Who logged in, and who could not, and from where. */
export interface LogInRecords {
  /** Never throws: a record that cannot be written is in the log, and keeps nobody out. */
  add(record: LogInRecord): Promise<void>
  /** Newest first. */
  list(query: LogInQuery): Promise<Selectable<LogInTable>[]>
}

export function createLogInRecords(store: Store, log: Logger): LogInRecords {
  return {
    async add(record) {
      try {
        await store.write((db) => db.insertInto('log_ins').values(record).execute())
      } catch (error) {
        log.error({ err: error }, 'a log-in could not be recorded')
      }
    },
    async list({ userName, source, address, outcome, before, limit }) {
      let rows = store.db.selectFrom('log_ins').selectAll().orderBy('id', 'desc').limit(limit)
      if (userName !== undefined) rows = rows.where('user_name', '=', userName)
      if (source !== undefined) rows = rows.where('source', '=', source)
      if (address !== undefined) rows = rows.where('address', '=', address)
      if (outcome !== undefined) rows = rows.where('outcome', '=', outcome)
      if (before !== undefined) rows = rows.where('id', '<', before)
      return rows.execute()
    },
  }
}
