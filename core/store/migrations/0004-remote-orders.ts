import { type Kysely, sql } from 'kysely'

/** Orders that another member provides, or asked for. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('orders').addColumn('generation', 'bigint').execute()
  await db.schema
    .alterTable('orders')
    .addColumn('refusals', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await db.schema.alterTable('orders').addColumn('told_version', 'integer').execute()
  await db.schema.alterTable('orders').addColumn('considered', 'text').execute()
  await db.schema.dropIndex('orders_by_due').execute()
  await db.schema
    .createIndex('orders_by_due')
    .on('orders')
    .columns(['provider', 'cloud_name', 'next_due'])
    .where(sql.ref('next_due'), 'is not', null)
    .execute()
}
