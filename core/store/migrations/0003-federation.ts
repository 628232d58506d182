import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await createOutbox(db)
  await createInbox(db)
  await db.schema
    .createTable('peer_keys')
    .addColumn('member', 'varchar(255)', (column) => column.notNull())
    .addColumn('kid', 'varchar(64)', (column) => column.notNull())
    .addColumn('use', 'varchar(8)', (column) => column.notNull())
    .addColumn('x', 'varchar(64)', (column) => column.notNull())
    .addColumn('root', 'varchar(64)', (column) => column.notNull())
    .addColumn('dropped', 'integer', (column) => column.notNull())
    .addColumn('learnt_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('peer_keys_key', ['member', 'kid'])
    .execute()
}

async function createOutbox(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('outbox')
    .addColumn('seq', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('id', 'varchar(64)', (column) => column.notNull().unique())
    .addColumn('member', 'varchar(255)', (column) => column.notNull())
    .addColumn('method', 'varchar(64)', (column) => column.notNull())
    .addColumn('key', 'varchar(1024)')
    .addColumn('params_hash', 'varchar(64)', (column) => column.notNull())
    .addColumn('object', 'varchar(1024)')
    .addColumn('generation', 'bigint')
    .addColumn('request', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('outcome', 'text')
    .addColumn('ended_at', 'bigint')
    .execute()
  await db.schema
    .createIndex('outbox_by_key')
    .unique()
    .on('outbox')
    .columns(['member', 'key'])
    .where(sql.ref('key'), 'is not', null)
    .execute()
  await db.schema
    .createIndex('outbox_by_object')
    .on('outbox')
    .columns(['member', 'object'])
    .where(sql.ref('object'), 'is not', null)
    .execute()
  await db.schema
    .createIndex('outbox_by_end')
    .on('outbox')
    .columns(['ended_at'])
    .where(sql.ref('ended_at'), 'is not', null)
    .execute()
}

async function createInbox(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('inbox')
    .addColumn('issuer', 'varchar(255)', (column) => column.notNull())
    .addColumn('id', 'varchar(64)', (column) => column.notNull())
    .addColumn('hash', 'varchar(64)', (column) => column.notNull())
    .addColumn('request', 'text', (column) => column.notNull())
    .addColumn('done', 'integer', (column) => column.notNull())
    .addColumn('answer', 'text')
    .addColumn('begin_until', 'bigint', (column) => column.notNull())
    .addColumn('keep_until', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('inbox_key', ['issuer', 'id'])
    .execute()
  await db.schema.createIndex('inbox_by_age').on('inbox').columns(['keep_until']).execute()
  await db.schema
    .createIndex('inbox_unfinished')
    .on('inbox')
    .columns(['done'])
    .where(sql.ref('done'), '=', 0)
    .execute()
}
