import type { Kysely } from 'kysely'

/** Attempts at what a cloud does again each time that it is asked. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('begun_effects')
    .addColumn('scope', 'varchar(1024)', (column) => column.primaryKey())
    .addColumn('before', 'text')
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute()
}
