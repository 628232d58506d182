import type { Kysely } from 'kysely'

/**
 * Versions of plugins that are tried out with some of the new orders, which goes on after a restart; and in the audit,
 * which package was concerned and why.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('plugin_trials')
    .addColumn('plugin', 'text', (column) => column.primaryKey())
    .addColumn('plan', 'text', (column) => column.notNull())
    .addColumn('share', 'text', (column) => column.notNull())
    .addColumn('accepted', 'text', (column) => column.notNull())
    .addColumn('started_by', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.alterTable('audit').addColumn('detail', 'text').execute()
}
