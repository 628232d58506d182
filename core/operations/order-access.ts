import { FogbowError, type OrderedKind, orderedKind } from '@fogbow/plugin-sdk'
import type { Kysely } from 'kysely'
import {
  applyStep,
  dependants,
  findOrder,
  isBeingDeleted,
  nextState,
  type Order,
  type OrderEvent,
  shownAs,
} from '../orders/index.ts'
import type { Database } from '../store/index.ts'
import type { Access, Subject } from './guard.ts'
import type { OperationParts } from './operation-parts.ts'
import type { OrderOutcome } from './operations.ts'

/** How operations reach orders and change them: found, of the right kind, allowed, and only as the state allows. */
export type OrderAccess = ReturnType<typeof createOrderAccess>

export function createOrderAccess({ store, engine, now }: OperationParts) {
  /**
   * The order behind an id, for somebody who may do this with it.
   * @param otherKind - how the original service answers to the id of another kind: reading differs from actions
   */
  async function reach(
    access: Access,
    subject: Subject,
    kind: OrderedKind,
    id: string,
    otherKind: 'unauthorized' | 'invalid_parameter' = 'unauthorized',
  ): Promise<Order> {
    const order = await findOrder(store.db, id)
    if (!order || order.state === 'CLOSED') throw noSuchOrder(kind, id)
    subject.cloudName = order.cloudName
    subject.provider = order.provider
    if (order.kind !== kind.name) {
      throw new FogbowError(
        otherKind,
        `'${id}' is the id of a ${order.kind}, not of a ${kind.name}`,
      )
    }
    await access.authorize(order.owner)
    return order
  }

  /** Changes the state of an order as an event says; whoever was faster is seen. */
  async function change(
    id: string,
    kind: OrderedKind,
    event: OrderEvent,
    check: (order: Order, db: Kysely<Database>) => Promise<void>,
  ) {
    const after = await store.write(async (db) => {
      const order = await findOrder(db, id)
      if (!order || order.state === 'CLOSED') throw noSuchOrder(kind, id)
      await check(order, db)
      const to = nextState(order.state, event)
      if (!to) throw unacceptable(order, event)
      return applyStep(db, order, { to, faultMessage: null, dueInMs: 0 }, now())
    })
    engine.wake(after)
    return after
  }

  async function markForDeletion(
    id: string,
    kind: OrderedKind,
    withDependants: boolean,
  ): Promise<void> {
    await change(id, kind, 'delete', async (order, db) => {
      if (isBeingDeleted(order.state)) {
        throw new FogbowError(
          'unacceptable_operation',
          `${kind.title} ${id} is being deleted already`,
        )
      }
      const blocking = withDependants ? [] : await dependants(db, id)
      if (blocking.length > 0) {
        throw new FogbowError(
          'unacceptable_operation',
          `${kind.title} ${id} is in use; delete first: ${blocking.join(', ')}`,
        )
      }
    })
  }

  return { reach, change, markForDeletion }
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
