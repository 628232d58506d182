import { FogbowError, type OrderedKind, orderedKind } from '@fogbow/plugin-sdk'
import type { Kysely } from 'kysely'
import {
  applyStep,
  canBeRefreshed,
  changeDelegation,
  dependants,
  findOrder,
  grantedAnew,
  isBeingDeleted,
  nextState,
  type Order,
  type OrderEvent,
  type Person,
  shownAs,
  whyNoWork,
} from '../orders/index.ts'
import type { Database } from '../store/index.ts'
import type { Access, Subject } from './guard.ts'
import type { OperationParts } from './operation-parts.ts'
import type { OrderOutcome, RequestContext } from './operations.ts'

/** How operations reach orders and change them: found, of the right kind, allowed, and only as the state allows. */
export type OrderAccess = ReturnType<typeof createOrderAccess>

export function createOrderAccess({ store, engine, config, now, siteId }: OperationParts) {
  /** Another member reaches the orders that it asked for itself, and no others. */
  function mayReach(order: Order, context: RequestContext): boolean {
    return context.vouched === undefined || isAskedBy(order, context.requester, siteId())
  }

  /**
   * The order behind an id, for somebody who may do this with it.
   * @param otherKind - how the original service answers to the id of another kind: reading differs from actions
   */
  async function reach(
    context: RequestContext,
    access: Access,
    subject: Subject,
    kind: OrderedKind,
    id: string,
    otherKind: 'unauthorized' | 'invalid_parameter' = 'unauthorized',
  ): Promise<Order> {
    const order = await find(context, kind, id)
    if (order.state === 'CLOSED') throw noSuchOrder(kind, id)
    await allow(access, subject, kind, order, otherKind)
    return order
  }

  /** @throws instance_not_found also for an order that exists and is none of this member's business */
  async function find(context: RequestContext, kind: OrderedKind, id: string): Promise<Order> {
    const order = await findOrder(store.db, id)
    if (!order || !mayReach(order, context)) throw noSuchOrder(kind, id)
    return order
  }

  async function allow(
    access: Access,
    subject: Subject,
    kind: OrderedKind,
    order: Order,
    otherKind: 'unauthorized' | 'invalid_parameter' = 'unauthorized',
  ): Promise<void> {
    subject.cloudName = order.cloudName
    subject.provider = order.provider
    if (order.kind !== kind.name) {
      throw new FogbowError(
        otherKind,
        `'${order.id}' is the id of a ${order.kind}, not of a ${kind.name}`,
      )
    }
    await access.authorize(order.owner)
  }

  /** Changes the state of an order as an event says; whoever was faster is seen. */
  async function change(
    id: string,
    kind: OrderedKind,
    event: OrderEvent,
    check: (order: Order, db: Kysely<Database>) => Promise<void>,
    by?: Person,
  ) {
    const after = await store.write(async (db) => {
      const order = await findOrder(db, id)
      if (!order || order.state === 'CLOSED') throw noSuchOrder(kind, id)
      await check(order, db)
      const to = nextState(order.state, event)
      if (!to) throw unacceptable(order, event)
      const allowed = by ? await allowDeletion(db, order, by) : order
      return applyStep(db, allowed, { to, faultMessage: null, dueInMs: 0 }, now())
    })
    engine.wake(after)
    return after
  }

  /** Whoever asks for the end of an order allows that, also when everything else was revoked before. */
  async function allowDeletion(db: Kysely<Database>, order: Order, by: Person): Promise<Order> {
    // One that ends might end before the deletion does.
    const lasts = order.delegation?.expiresAt === null
    if (lasts && whyNoWork(order, now()) === undefined) return order
    const given = { by, at: now(), scope: 'deletion' as const, expiresAt: null }
    return changeDelegation(db, order, grantedAnew(order.delegation, order.owner, given), now())
  }

  /** @param how - `isRepeatable`: of what is being deleted already it succeeds */
  async function markForDeletion(
    id: string,
    kind: OrderedKind,
    by: Person,
    how: { withDependants?: boolean; isRepeatable?: boolean },
  ): Promise<void> {
    if (how.isRepeatable && (await isUnderWay(id))) return
    const check = async (order: Order, db: Kysely<Database>) => {
      if (isBeingDeleted(order.state)) {
        throw new FogbowError(
          'unacceptable_operation',
          `${kind.title} ${id} is being deleted already`,
        )
      }
      const blocking = how.withDependants ? [] : await dependants(db, id)
      if (blocking.length > 0) {
        throw new FogbowError(
          'unacceptable_operation',
          `${kind.title} ${id} is in use; delete first: ${blocking.join(', ')}`,
        )
      }
    }
    await change(id, kind, 'delete', check, by)
  }

  async function isUnderWay(id: string): Promise<boolean> {
    const order = await findOrder(store.db, id)
    return order !== undefined && isBeingDeleted(order.state)
  }

  /** The order after a look at the cloud, unless it was looked at just now or does not answer in time. */
  async function fresh(order: Order): Promise<Order> {
    const { freshMs, readTimeoutMs } = config().orders
    if (
      !canBeRefreshed(order.state) ||
      (order.observedAt !== null && now() - order.observedAt < freshMs)
    )
      return order
    const late = Symbol('late')
    const answer = await Promise.race([engine.refresh(order), pause(readTimeoutMs, late)])
    if (answer !== late) return answer as Order
    const who =
      order.provider === siteId() ? `Cloud '${order.cloudName}'` : `Provider '${order.provider}'`
    const faultMessage = `${who} did not answer within ${readTimeoutMs} ms; the last answer is shown`
    return { ...order, state: 'UNABLE_TO_CHECK_STATUS', faultMessage }
  }

  return { reach, find, allow, fresh, change, markForDeletion }
}

/** Whether this site provides an order for that member. */
export function isAskedBy(order: Order, member: string, siteId: string): boolean {
  return order.requester === member && order.provider === siteId
}

/** The same for many orders, each with its own outcome. */
export async function eachOf(
  orders: readonly Order[],
  run: (order: Order) => Promise<OrderOutcome['outcome']>,
): Promise<OrderOutcome[]> {
  const outcomes: OrderOutcome[] = []
  for (const order of orders) {
    try {
      outcomes.push({ id: order.id, outcome: await run(order) })
    } catch (error) {
      if (!(error instanceof FogbowError)) throw error
      outcomes.push({ id: order.id, outcome: 'refused', message: error.message })
    }
  }
  return outcomes
}

export function toKind(name: string): OrderedKind {
  const kind = orderedKind(name)
  if (!kind)
    throw new FogbowError('not_found', `'${name}' is no kind of resource that can be ordered`)
  return kind
}

export function noSuchOrder(kind: OrderedKind, id: string): FogbowError {
  return new FogbowError('instance_not_found', `There is no ${kind.name} with the id '${id}'`)
}

export function unacceptable(order: Order, action: string): FogbowError {
  return new FogbowError(
    'unacceptable_operation',
    `Cannot ${action} ${order.kind} ${order.id}: it is ${shownAs[order.state]}`,
  )
}

function pause<Value>(ms: number, value: Value): Promise<Value> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, value).unref()
  })
}
