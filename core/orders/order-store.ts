import type { FederationUser } from '@fogbow/plugin-sdk'
import {
  type Kysely,
  type Selectable,
  sql,
  type Updateable,
  type UpdateQueryBuilder,
  type UpdateResult,
} from 'kysely'
import type { Database, OrderTable, Store } from '../store/index.ts'
import { type Delegation, FIRST, givenByOrdering, stopped } from './delegation.ts'
import { type Consideration, type Order, outcomeNumber, type Place, toOrder } from './order.ts'
import { countsChanges, FIRST_TIME } from './report.ts'
import { type OrderState, statesShownAs, unsettledStates } from './states.ts'
import { afterStep, type Facts, type Step } from './step.ts'

type Db = Kysely<Database>

export interface NewOrder {
  id: string
  kind: string
  provider: string
  cloudName: string
  requester: string
  owner: FederationUser
  name: string
  request: Record<string, unknown>
  dependsOn: readonly string[]
  /** Of an order that may go to any site. */
  considered?: readonly Consideration[]
  /** When what the order gives the site to do ends; ms since the epoch. */
  delegatedUntil?: number
}

/** Which orders of one user are listed; closed ones never are. */
export interface OrderFilter {
  kind?: string
  shown?: readonly string[]
  provider?: string
  cloudName?: string
  namePart?: string
  after?: number
  limit?: number
}

/** Inserts an order as OPEN and due at once. Written out like `findOrder`, for the same reason. */
export async function insertOrder(db: Db, order: NewOrder, now: number): Promise<Order> {
  const delegation = givenByOrdering(order.owner, now, order.delegatedUntil ?? null)
  const { rows } = await sql<{ seq: number }>`
    insert into orders (id, kind, state, provider, cloud_name, requester, user_id, identity_provider_id, owner, name,
      request, considered, delegation, version, next_due, attempts, request_outcome, state_since, created_at)
    values (${order.id}, ${order.kind}, 'OPEN', ${order.provider}, ${order.cloudName}, ${order.requester},
      ${order.owner.id}, ${order.owner.identityProviderId}, ${JSON.stringify(order.owner)}, ${order.name},
      ${JSON.stringify(order.request)}, ${order.considered ? JSON.stringify(order.considered) : null},
      ${JSON.stringify(delegation)}, 0, ${now}, 0, 0, ${now}, ${now})
    returning seq`.execute(db)
  const seq = rows[0]?.seq ?? 0
  for (const dependency of new Set(order.dependsOn)) {
    await db
      .insertInto('order_dependencies')
      .values({ order_id: order.id, depends_on: dependency })
      .execute()
  }
  const inserted = newlyMade(seq, order, delegation, now)
  await recordEvent(db, inserted, now)
  return inserted
}

function newlyMade(
  seq: number,
  { dependsOn: _dependsOn, delegatedUntil: _until, ...order }: NewOrder,
  delegation: Delegation,
  now: number,
): Order {
  return {
    ...order,
    delegation,
    delegationTold: FIRST,
    considered: order.considered ?? null,
    generation: null,
    refusals: 0,
    seq,
    state: 'OPEN',
    instanceId: null,
    instance: null,
    observedAt: null,
    allocation: null,
    faultMessage: null,
    version: 0,
    attempts: 0,
    requestOutcome: 'never asked',
    requestUntil: null,
    stateSince: now,
    createdAt: now,
  }
}

/** Written out, since it is on the path of every read: a query that is built anew takes longer than running it. */
export async function findOrder(db: Db, id: string): Promise<Order | undefined> {
  const { rows } = await sql<Selectable<OrderTable>>`select * from orders where id = ${id}`.execute(
    db,
  )
  return rows[0] && toOrder(rows[0])
}

/**
 * Makes a step durable, unless the order changed since it was read, or more is known of it at its provider by now: then
 * only the facts are kept that are not older, and the order as it is now is answered, due at once.
 */
export async function applyStep(db: Db, order: Order, step: Step, now: number): Promise<Order> {
  const after = afterStep(order, step, now)
  const moved = after.version !== order.version
  const update = await ifNotOlder(db.updateTable('orders'), step.facts)
    .set({
      ...toColumns(step.facts ?? {}),
      state: after.state,
      fault_message: after.faultMessage,
      version: after.version,
      attempts: after.attempts,
      state_since: after.stateSince,
      next_due: step.dueInMs === null ? null : now + step.dueInMs,
    })
    .where('id', '=', order.id)
    .where('version', '=', order.version)
    .executeTakeFirst()
  if (update.numUpdatedRows === 0n) return keepFacts(db, order, step.facts ?? {}, now)
  if (moved) await recordEvent(db, after, now)
  if (after.state === 'CLOSED')
    await db.deleteFrom('order_dependencies').where('order_id', '=', order.id).execute()
  return after
}

/**
 * Makes another delegation durable. It counts as a change of the order: a step that was begun before is not put over it.
 */
export async function changeDelegation(
  db: Db,
  order: Order,
  delegation: Delegation,
  now: number,
): Promise<Order> {
  const changed = { ...order, delegation }
  const after = {
    ...changed,
    version: order.version + 1,
    attempts: 0,
    faultMessage:
      order.state === 'FAILED_ON_REQUEST' ? order.faultMessage : (stopped(changed, now) ?? null),
  }
  await db
    .updateTable('orders')
    .set({
      delegation: JSON.stringify(delegation),
      version: after.version,
      attempts: 0,
      fault_message: after.faultMessage,
      next_due: now,
    })
    .where('id', '=', order.id)
    .execute()
  await recordEvent(db, after, now)
  return after
}

async function keepFacts(db: Db, order: Order, facts: Facts, now: number): Promise<Order> {
  await db
    .updateTable('orders')
    .set({ next_due: now })
    .where('id', '=', order.id)
    .where('state', '<>', 'CLOSED')
    .execute()
  await ifNotOlder(db.updateTable('orders'), facts)
    .set({ ...toColumns(facts), next_due: now })
    .where('id', '=', order.id)
    .where('state', '<>', 'CLOSED')
    .execute()
  return (await findOrder(db, order.id)) ?? { ...order, state: 'CLOSED' }
}

/** What a provider said before is not put over what it said later. */
function ifNotOlder(
  update: UpdateQueryBuilder<Database, 'orders', 'orders', UpdateResult>,
  facts: Facts = {},
) {
  const { generation } = facts
  if (generation === undefined || generation === null) return update
  return update.where((eb) =>
    eb.or([
      eb('generation', 'is', null),
      eb('generation', '<=', generation),
      ...(countsChanges(generation) ? [eb('generation', '>=', FIRST_TIME)] : []),
    ]),
  )
}

function toColumns(facts: Facts): Updateable<OrderTable> {
  const columns: Updateable<OrderTable> = {}
  if (facts.instanceId !== undefined) columns.instance_id = facts.instanceId
  if (facts.allocation !== undefined) columns.allocation = JSON.stringify(facts.allocation)
  if (facts.instance !== undefined) columns.instance = JSON.stringify(facts.instance)
  if (facts.observedAt !== undefined) columns.observed_at = facts.observedAt
  if (facts.requestOutcome !== undefined)
    columns.request_outcome = outcomeNumber(facts.requestOutcome)
  if (facts.requestUntil !== undefined) columns.request_until = facts.requestUntil
  if (facts.provider !== undefined) columns.provider = facts.provider
  if (facts.cloudName !== undefined) columns.cloud_name = facts.cloudName
  if (facts.generation !== undefined) columns.generation = facts.generation
  if (facts.refusals !== undefined) columns.refusals = facts.refusals
  if (facts.delegationTold !== undefined) columns.delegation_told = facts.delegationTold
  if (facts.considered !== undefined) columns.considered = JSON.stringify(facts.considered)
  return columns
}

async function recordEvent(db: Db, order: Order, now: number): Promise<void> {
  const { id, state, faultMessage, owner, kind } = order
  await sql`
    insert into order_events (order_id, timestamp, state, message)
    values (${id}, ${now}, ${state}, ${faultMessage})`.execute(db)
  await sql`
    insert into list_versions (user_id, identity_provider_id, kind, version)
    values (${owner.id}, ${owner.identityProviderId}, ${kind}, 1)
    on conflict (user_id, identity_provider_id, kind) do update set version = list_versions.version + 1`.execute(
    db,
  )
}

/** Changes whenever a list of that user and kind would. */
export async function listVersion(
  db: Db,
  user: { id: string; identityProviderId: string },
  kind: string,
): Promise<number> {
  const row = await db
    .selectFrom('list_versions')
    .select('version')
    .where('user_id', '=', user.id)
    .where('identity_provider_id', '=', user.identityProviderId)
    .where('kind', '=', kind)
    .executeTakeFirst()
  return row?.version ?? 0
}

/** Orders of a user that are not closed, oldest first. */
export async function listOrders(
  db: Db,
  user: { id: string; identityProviderId: string },
  filter: OrderFilter,
): Promise<Order[]> {
  let query = db
    .selectFrom('orders')
    .selectAll()
    .where('user_id', '=', user.id)
    .where('identity_provider_id', '=', user.identityProviderId)
    .where('state', '<>', 'CLOSED')
    .orderBy('seq')
  if (filter.kind) query = query.where('kind', '=', filter.kind)
  if (filter.shown) query = query.where('state', 'in', filter.shown.flatMap(statesShownAs))
  if (filter.provider) query = query.where('provider', '=', filter.provider)
  if (filter.cloudName) query = query.where('cloud_name', '=', filter.cloudName)
  if (filter.namePart)
    query = query.where(sql<boolean>`lower(name) like ${likePattern(filter.namePart)} escape '!'`)
  if (filter.after !== undefined) query = query.where('seq', '>', filter.after)
  if (filter.limit !== undefined) query = query.limit(filter.limit)
  return (await query.execute()).map(toOrder)
}

function likePattern(part: string): string {
  return `%${part.toLowerCase().replace(/[%_!]/g, '!$&')}%`
}

/** Ids of orders that are not closed and refer to this one. */
export async function dependants(db: Db, id: string): Promise<string[]> {
  const rows = await db
    .selectFrom('order_dependencies')
    .select('order_id')
    .where('depends_on', '=', id)
    .execute()
  return rows.map((row) => row.order_id)
}

export async function orderHistory(db: Db, id: string) {
  return db
    .selectFrom('order_events')
    .select(['timestamp', 'state', 'message'])
    .where('order_id', '=', id)
    .orderBy('id')
    .execute()
}

/** Ids of orders of a cloud that are due, the longest waiting first. */
export async function dueOrders(
  db: Db,
  place: Place,
  now: number,
  limit: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom('orders')
    .select('id')
    .where('provider', '=', place.provider)
    .where('cloud_name', '=', place.cloudName)
    .where('next_due', '<=', now)
    .orderBy('next_due')
    .limit(limit)
    .execute()
  return rows.map((row) => row.id)
}

/** When the next order of a cloud falls due after a moment. */
export async function nextDue(db: Db, place: Place, after: number): Promise<number | undefined> {
  const row = await db
    .selectFrom('orders')
    .select('next_due')
    .where('provider', '=', place.provider)
    .where('cloud_name', '=', place.cloudName)
    .where('next_due', '>', after)
    .orderBy('next_due')
    .limit(1)
    .executeTakeFirst()
  return row?.next_due ?? undefined
}

/**
 * After a start: whatever was under way is due at once, and tried as if for the first time. No call of the process
 * before is still running, so that a request without an answer can take effect only for as long as things settle.
 */
export async function takeUpUnsettled(
  store: Store,
  now: number,
  settleMs: number,
): Promise<Place[]> {
  await store.write(async (db) => {
    await db
      .updateTable('orders')
      .set({ next_due: now, attempts: 0 })
      .where('state', 'in', [...unsettledStates])
      .execute()
    // The process before may have asked for these: a refusal to come is not the only answer there is.
    await db.updateTable('orders').set({ attempts: 1 }).where('state', '=', 'SELECTED').execute()
    await db
      .updateTable('orders')
      .set({ request_until: now + settleMs })
      .where('state', 'in', [...unsettledStates])
      .where('request_until', '>', now + settleMs)
      .execute()
  })
  const rows = await store.db
    .selectFrom('orders')
    .select(['provider', 'cloud_name'])
    .distinct()
    .where('next_due', 'is not', null)
    .execute()
  return rows.map((row) => ({ provider: row.provider, cloudName: row.cloud_name }))
}

/** How many orders are in each state, for the metrics. */
export async function countByState(
  db: Db,
): Promise<{ kind: string; state: OrderState; count: number }[]> {
  const rows = await db
    .selectFrom('orders')
    .select(['kind', 'state', (eb) => eb.fn.countAll<number>().as('count')])
    .groupBy(['kind', 'state'])
    .execute()
  return rows.map((row) => ({
    kind: row.kind,
    state: row.state as OrderState,
    count: Number(row.count),
  }))
}
