import type { Store } from '../../store/index.ts'
import type { Envelope } from '../trust/index.ts'

/** Rows of the inbox: commands of members that were begun here. */
export interface InboxTable {
  find(issuer: string, id: string): Promise<InboxRow | undefined>
  begin(issuer: string, request: Envelope, text: string, times: InboxTimes): Promise<void>
  /** @param done - false when the outcome of this attempt is not known */
  answered(issuer: string, id: string, answer: string, done: boolean): Promise<void>
  /** Begun, and never answered: the process ended meanwhile. */
  interrupted(): Promise<{ issuer: string; request: string }[]>
  countByIssuer(): Promise<Map<string, number>>
  forget(before: number): Promise<void>
}

export interface InboxTimes {
  readonly beginUntil: number
  readonly keepUntil: number
}

export interface InboxRow {
  readonly hash: string
  readonly request: string
  readonly done: number
  readonly answer: string | null
  readonly begin_until: number
}

const ROWS_AT_ONCE = 5000

export function createInboxTable(store: Store): InboxTable {
  return {
    find: (issuer, id) =>
      store.db
        .selectFrom('inbox')
        .select(['hash', 'request', 'done', 'answer', 'begin_until'])
        .where('issuer', '=', issuer)
        .where('id', '=', id)
        .executeTakeFirst(),

    begin: (issuer, { id, hash }, request, { beginUntil, keepUntil }) =>
      store.write(async (db) => {
        const times = { begin_until: beginUntil, keep_until: keepUntil }
        await db
          .insertInto('inbox')
          .values({ issuer, id, hash, request, done: 0, answer: null, ...times })
          .execute()
      }),

    answered: (issuer, id, answer, done) =>
      store.write(async (db) => {
        await db
          .updateTable('inbox')
          .set({ answer, done: Number(done) })
          .where('issuer', '=', issuer)
          .where('id', '=', id)
          .execute()
      }),

    interrupted: () =>
      store.db
        .selectFrom('inbox')
        .select(['issuer', 'request'])
        .where('done', '=', 0)
        .where('answer', 'is', null)
        .execute(),

    async countByIssuer() {
      const rows = await store.db
        .selectFrom('inbox')
        .select(['issuer', (of) => of.fn.countAll<number>().as('rows')])
        .groupBy('issuer')
        .execute()
      return new Map(rows.map((row) => [row.issuer, row.rows]))
    },

    async forget(before) {
      for (let removed = ROWS_AT_ONCE; removed === ROWS_AT_ONCE; )
        removed = await store.write(async (db) => {
          const old = await db
            .selectFrom('inbox')
            .select(['issuer', 'id'])
            .where('keep_until', '<', before)
            .limit(ROWS_AT_ONCE)
            .execute()
          for (const { issuer, id } of old)
            await db.deleteFrom('inbox').where('issuer', '=', issuer).where('id', '=', id).execute()
          return old.length
        })
    },
  }
}
