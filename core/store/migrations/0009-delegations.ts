import { type Kysely, sql } from 'kysely'

const ROWS_AT_ONCE = 500

interface OrderRow {
  seq: number
  user_id: string
  identity_provider_id: string
  created_at: number
}

/**
 * What allows the site to work on an order while its owner is not logged in. Orders that are there were ordered by their
 * owners as well: they get what ordering gives, from when they were made.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('orders').addColumn('delegation', 'text').execute()
  await db.schema
    .alterTable('orders')
    .addColumn('delegation_told', 'integer', (column) => column.notNull().defaultTo(1))
    .execute()
  for (let last = -1; ; ) {
    const { rows } = await sql<OrderRow>`
      select seq, user_id, identity_provider_id, created_at from orders
      where seq > ${last} order by seq limit ${ROWS_AT_ONCE}`.execute(db)
    for (const row of rows)
      await sql`update orders set delegation = ${givenByOrdering(row)} where seq = ${row.seq}`.execute(
        db,
      )
    const newest = rows.at(-1)
    if (!newest) return
    last = newest.seq
  }
}

/** As it was when this migration was written, whatever it becomes later. */
function givenByOrdering({ user_id, identity_provider_id, created_at }: OrderRow): string {
  const owner = { id: user_id, identityProviderId: identity_provider_id }
  return JSON.stringify({
    number: 1,
    owner,
    scope: 'work',
    grantedBy: owner,
    grantedAt: Number(created_at),
    expiresAt: null,
    revokedAt: null,
    revokedBy: null,
    reason: null,
    heard: 1,
  })
}
