import type { Kysely } from 'kysely'

/** Logins that began at this site and end elsewhere: in the store, so that any process of the site may end them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('pending_logins')
    .addColumn('id_hash', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('purpose', 'varchar(16)', (column) => column.notNull())
    .addColumn('source', 'varchar(64)', (column) => column.notNull())
    .addColumn('address', 'varchar(64)', (column) => column.notNull())
    .addColumn('browser_hash', 'varchar(64)')
    .addColumn('return_url', 'text')
    .addColumn('sealed', 'text', (column) => column.notNull())
    .addColumn('interval_seconds', 'integer')
    .addColumn('next_poll_at', 'bigint')
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('pending_logins_by_end')
    .on('pending_logins')
    .columns(['expires_at'])
    .execute()
  await db.schema
    .createIndex('pending_logins_by_address')
    .on('pending_logins')
    .columns(['address'])
    .execute()
}
