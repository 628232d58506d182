import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await createOrders(db)
  await createOrderCompanions(db)
  await createRecords(db)
}

async function createOrders(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('orders')
    .addColumn('seq', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('id', 'varchar(64)', (column) => column.notNull().unique())
    .addColumn('kind', 'varchar(64)', (column) => column.notNull())
    .addColumn('state', 'varchar(64)', (column) => column.notNull())
    .addColumn('provider', 'varchar(255)', (column) => column.notNull())
    .addColumn('cloud_name', 'varchar(255)', (column) => column.notNull())
    .addColumn('requester', 'varchar(255)', (column) => column.notNull())
    .addColumn('user_id', 'varchar(255)', (column) => column.notNull())
    .addColumn('identity_provider_id', 'varchar(255)', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('name', 'varchar(255)', (column) => column.notNull())
    .addColumn('request', 'text', (column) => column.notNull())
    .addColumn('instance_id', 'text')
    .addColumn('instance', 'text')
    .addColumn('observed_at', 'bigint')
    .addColumn('allocation', 'text')
    .addColumn('fault_message', 'text')
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('next_due', 'bigint')
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('request_outcome', 'integer', (column) => column.notNull())
    .addColumn('request_until', 'bigint')
    .addColumn('state_since', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('orders_by_owner')
    .on('orders')
    .columns(['user_id', 'identity_provider_id', 'kind', 'seq'])
    .where(sql.ref('state'), '<>', 'CLOSED')
    .execute()
  await db.schema
    .createIndex('orders_by_due')
    .on('orders')
    .columns(['cloud_name', 'next_due'])
    .where(sql.ref('next_due'), 'is not', null)
    .execute()
  await db.schema.createIndex('orders_by_state').on('orders').columns(['state', 'kind']).execute()
}

async function createOrderCompanions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('order_dependencies')
    .addColumn('order_id', 'varchar(64)', (column) => column.notNull())
    .addColumn('depends_on', 'varchar(64)', (column) => column.notNull())
    .addPrimaryKeyConstraint('order_dependencies_key', ['depends_on', 'order_id'])
    .execute()
  await db.schema
    .createTable('order_events')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('order_id', 'varchar(64)', (column) => column.notNull())
    .addColumn('timestamp', 'bigint', (column) => column.notNull())
    .addColumn('state', 'varchar(64)', (column) => column.notNull())
    .addColumn('message', 'text')
    .execute()
  await db.schema
    .createIndex('order_events_by_order')
    .on('order_events')
    .columns(['order_id', 'id'])
    .execute()
  await db.schema
    .createTable('list_versions')
    .addColumn('user_id', 'varchar(255)', (column) => column.notNull())
    .addColumn('identity_provider_id', 'varchar(255)', (column) => column.notNull())
    .addColumn('kind', 'varchar(64)', (column) => column.notNull())
    .addColumn('version', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('list_versions_key', ['user_id', 'identity_provider_id', 'kind'])
    .execute()
  await db.schema
    .createTable('idempotency_keys')
    .addColumn('scope', 'varchar(1024)', (column) => column.primaryKey())
    .addColumn('request_hash', 'varchar(64)', (column) => column.notNull())
    .addColumn('answer', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
}

async function createRecords(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('timestamp', 'bigint', (column) => column.notNull())
    .addColumn('request_id', 'varchar(128)', (column) => column.notNull())
    .addColumn('operation', 'varchar(64)', (column) => column.notNull())
    .addColumn('resource_type', 'varchar(64)', (column) => column.notNull())
    .addColumn('user_id', 'varchar(255)')
    .addColumn('identity_provider_id', 'varchar(255)')
    .addColumn('requester', 'varchar(255)', (column) => column.notNull())
    .addColumn('provider', 'varchar(255)', (column) => column.notNull())
    .addColumn('cloud_name', 'varchar(255)')
    .addColumn('order_id', 'varchar(64)')
    .addColumn('response', 'varchar(64)', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('audit_by_time').on('audit').columns(['timestamp']).execute()
  await db.schema
    .createTable('plugin_storage')
    .addColumn('plugin', 'varchar(255)', (column) => column.notNull())
    .addColumn('key', 'varchar(512)', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('plugin_storage_key', ['plugin', 'key'])
    .execute()
  await db.schema
    .createTable('revoked_tokens')
    .addColumn('token_hash', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
}
