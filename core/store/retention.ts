import type { Logger } from 'pino'
import type { SiteConfig } from '../config/index.ts'
import type { Store } from './store.ts'

const DAY_MS = 86_400_000
const ROWS_AT_ONCE = 5000

/** Forgets audit rows and closed orders once they are older than configured; looks once a day. @returns what ends it */
export function startRetention(
  store: Store,
  config: () => SiteConfig,
  log: Logger,
): () => Promise<void> {
  let underWay: Promise<void> = Promise.resolve()
  const look = () => {
    const { auditDays, closedOrderDays } = config().retention
    underWay = forgetOld(store, Date.now(), auditDays, closedOrderDays).then(
      (forgotten) => {
        if (forgotten.audit + forgotten.orders > 0)
          log.info(forgotten, 'old records were forgotten')
      },
      (error) => log.error({ err: error }, 'old records could not be forgotten'),
    )
  }
  const timer = setInterval(look, DAY_MS)
  timer.unref()
  look()
  return async () => {
    clearInterval(timer)
    await underWay
  }
}

/** Bounded per transaction, so that a site that was never cleaned is not held up by its first time. */
export async function forgetOld(
  store: Store,
  now: number,
  auditDays: number,
  closedOrderDays: number,
): Promise<{ audit: number; orders: number }> {
  const closedBefore = now - closedOrderDays * DAY_MS
  const audit = await piecemeal(() => forgetAudit(store, now - auditDays * DAY_MS))
  const orders = await piecemeal(() => forgetOrders(store, closedBefore))
  await piecemeal(() => forgetAnswers(store, closedBefore))
  await piecemeal(() => forgetBegun(store, closedBefore))
  await piecemeal(() => forgetLogIns(store, now - auditDays * DAY_MS))
  await forgetPassed(store, now)
  return { audit, orders }
}

/** Repeats a bounded piece of work until there is none left. @returns how much was done */
async function piecemeal(forget: () => Promise<number>): Promise<number> {
  let total = 0
  for (let removed = ROWS_AT_ONCE; removed === ROWS_AT_ONCE; total += removed) {
    removed = await forget()
  }
  return total
}

function forgetAudit(store: Store, before: number): Promise<number> {
  return store.write(async (db) => {
    const old = db
      .selectFrom('audit')
      .select('id')
      .where('timestamp', '<', before)
      .limit(ROWS_AT_ONCE)
    const result = await db.deleteFrom('audit').where('id', 'in', old).executeTakeFirst()
    return Number(result.numDeletedRows)
  })
}

function forgetOrders(store: Store, before: number): Promise<number> {
  return store.write(async (db) => {
    const rows = await db
      .selectFrom('orders')
      .select('id')
      .where('state', '=', 'CLOSED')
      .where('state_since', '<', before)
      .limit(ROWS_AT_ONCE)
      .execute()
    const ids = rows.map((row) => row.id)
    if (ids.length === 0) return 0
    await db.deleteFrom('order_events').where('order_id', 'in', ids).execute()
    await db.deleteFrom('orders').where('id', 'in', ids).execute()
    return ids.length
  })
}

/** An answer is remembered as long as the order it may be about. */
function forgetAnswers(store: Store, before: number): Promise<number> {
  return store.write(async (db) => {
    const old = db
      .selectFrom('idempotency_keys')
      .select('scope')
      .where('created_at', '<', before)
      .limit(ROWS_AT_ONCE)
    const result = await db
      .deleteFrom('idempotency_keys')
      .where('scope', 'in', old)
      .executeTakeFirst()
    return Number(result.numDeletedRows)
  })
}

/** Whoever began it does not ask again. */
function forgetBegun(store: Store, before: number): Promise<number> {
  return store.write(async (db) => {
    const old = db
      .selectFrom('begun_effects')
      .select('scope')
      .where('at', '<', before)
      .limit(ROWS_AT_ONCE)
    const result = await db.deleteFrom('begun_effects').where('scope', 'in', old).executeTakeFirst()
    return Number(result.numDeletedRows)
  })
}

function forgetLogIns(store: Store, before: number): Promise<number> {
  return store.write(async (db) => {
    const old = db
      .selectFrom('log_ins')
      .select('id')
      .where('timestamp', '<', before)
      .limit(ROWS_AT_ONCE)
    const result = await db.deleteFrom('log_ins').where('id', 'in', old).executeTakeFirst()
    return Number(result.numDeletedRows)
  })
}

/** What counts for a while only. */
async function forgetPassed(store: Store, now: number): Promise<void> {
  for (const table of ['log_in_failures', 'log_in_places'] as const) {
    await piecemeal(() =>
      store.write(async (db) => {
        const old = db
          .selectFrom(table)
          .select('key')
          .where('keep_until', '<', now)
          .limit(ROWS_AT_ONCE)
        const result = await db.deleteFrom(table).where('key', 'in', old).executeTakeFirst()
        return Number(result.numDeletedRows)
      }),
    )
  }
}
