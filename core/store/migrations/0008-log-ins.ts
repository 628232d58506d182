import type { Kysely } from 'kysely'

/**
 * Who logged in, and who could not; failures that make somebody wait, which a restart must not forgive; and where users
 * have logged in from, so that failures elsewhere do not keep them out there.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('log_ins')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('timestamp', 'bigint', (column) => column.notNull())
    .addColumn('request_id', 'varchar(64)', (column) => column.notNull())
    .addColumn('user_name', 'varchar(255)')
    .addColumn('source', 'varchar(64)')
    .addColumn('address', 'varchar(64)', (column) => column.notNull())
    .addColumn('outcome', 'varchar(16)', (column) => column.notNull())
    .addColumn('reason', 'text')
    .execute()
  await db.schema.createIndex('log_ins_by_time').on('log_ins').column('timestamp').execute()
  await db.schema.createIndex('log_ins_by_user').on('log_ins').column('user_name').execute()
  await db.schema
    .createTable('log_in_failures')
    .addColumn('key', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('count', 'integer', (column) => column.notNull())
    .addColumn('locked_until', 'bigint', (column) => column.notNull())
    .addColumn('keep_until', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('log_in_places')
    .addColumn('key', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('keep_until', 'bigint', (column) => column.notNull())
    .execute()
}
