import type { Store } from '../../store/index.ts'
import type { CommandOutcome, NewCommand } from './command.ts'

/** Rows of the outbox: commands of this site, until nobody asks for their outcome any more. */
export interface OutboxTable {
  add(row: NewCommand): Promise<void>
  findByKey(member: string, key: string): Promise<StoredCommand | undefined>
  /** All whose outcome is not known, in the order of asking. */
  pending(): Promise<StoredCommand[]>
  /** Its outcome is known. What has no key, or was never carried out, is forgotten at once. */
  end(id: string, outcome: CommandOutcome, at: number): Promise<void>
  remove(id: string): Promise<void>
  forget(before: number): Promise<void>
}

export interface StoredCommand extends NewCommand {
  readonly outcome: CommandOutcome | undefined
}

const ROWS_AT_ONCE = 5000
const columns = [
  'id',
  'member',
  'method',
  'key',
  'params_hash',
  'object',
  'generation',
  'request',
  'expires_at',
  'outcome',
] as const

type Row = Awaited<ReturnType<ReturnType<typeof selectAll>['execute']>>[number]

export function createOutboxTable(store: Store): OutboxTable {
  return {
    add: (command) =>
      store.write(async (db) => {
        const { member, object, generation } = command
        if (object !== undefined && generation !== undefined)
          await db
            .deleteFrom('outbox')
            .where('member', '=', member)
            .where('object', '=', object)
            .where('generation', '<', generation)
            .where('outcome', 'is', null)
            .execute()
        await db
          .insertInto('outbox')
          .values({
            id: command.id,
            member,
            method: command.method,
            key: command.key ?? null,
            params_hash: command.paramsHash,
            object: object ?? null,
            generation: generation ?? null,
            request: command.request,
            expires_at: command.expiresAt,
            outcome: null,
            ended_at: null,
          })
          .execute()
      }),

    async findByKey(member, key) {
      const row = await selectAll(store)
        .where('member', '=', member)
        .where('key', '=', key)
        .executeTakeFirst()
      return row && toCommand(row)
    },

    async pending() {
      const rows = await selectAll(store).where('ended_at', 'is', null).orderBy('seq').execute()
      return rows.map(toCommand)
    },

    end: (id, outcome, at) =>
      store.write(async (db) => {
        if (!('expired' in outcome))
          await db
            .updateTable('outbox')
            .set({ outcome: JSON.stringify(outcome), ended_at: at, request: '' })
            .where('id', '=', id)
            .where('key', 'is not', null)
            .execute()
        await db.deleteFrom('outbox').where('id', '=', id).where('ended_at', 'is', null).execute()
      }),

    remove: (id) =>
      store.write(async (db) => {
        await db.deleteFrom('outbox').where('id', '=', id).execute()
      }),

    async forget(before) {
      for (let removed = ROWS_AT_ONCE; removed === ROWS_AT_ONCE; )
        removed = await store.write(async (db) => {
          const old = db
            .selectFrom('outbox')
            .select('seq')
            .where('ended_at', '<', before)
            .limit(ROWS_AT_ONCE)
          const result = await db.deleteFrom('outbox').where('seq', 'in', old).executeTakeFirst()
          return Number(result.numDeletedRows)
        })
    },
  }
}

function selectAll({ db }: Store) {
  return db.selectFrom('outbox').select(columns)
}

function toCommand(row: Row): StoredCommand {
  return {
    id: row.id,
    member: row.member,
    method: row.method,
    key: row.key ?? undefined,
    paramsHash: row.params_hash,
    object: row.object ?? undefined,
    generation: row.generation ?? undefined,
    request: row.request,
    expiresAt: row.expires_at,
    outcome: row.outcome === null ? undefined : (JSON.parse(row.outcome) as CommandOutcome),
  }
}
