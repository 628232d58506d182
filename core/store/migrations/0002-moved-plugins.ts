import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('moved_plugins')
    .addColumn('plugin', 'varchar(255)', (column) => column.primaryKey())
    .addColumn('bundle_hash', 'varchar(64)', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('moved_at', 'bigint', (column) => column.notNull())
    .execute()
}
