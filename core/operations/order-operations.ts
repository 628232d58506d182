import { createHash, randomUUID } from 'node:crypto'
import { type FederationUser, FogbowError, type OrderedKind } from '@fogbow/plugin-sdk'
import {
  insertOrder,
  isObserved,
  listOrders,
  listVersion,
  type Order,
  orderHistory,
} from '../orders/index.ts'
import { cutPage } from './cut-page.ts'
import type { Subject } from './guard.ts'
import type { OperationParts } from './operation-parts.ts'
import type { Operations } from './operations.ts'
import { noSuchOrder, type OrderAccess, toKind } from './order-access.ts'
import { toFilter } from './order-filter.ts'
import { place } from './placement.ts'
import { toRequest } from './request.ts'
import { assertWithinQuota } from './user-quota.ts'
import { toInstanceView, toStatusEntry } from './views.ts'

/** Making, reading, listing and deleting orders. */
export function createOrderOperations(
  parts: OperationParts,
  { reach, markForDeletion }: OrderAccess,
): Pick<Operations, 'createOrder' | 'getOrder' | 'listOrders' | 'deleteOrder' | 'getOrderHistory'> {
  const { guard, store, engine, clouds, config, now } = parts

  function checkOffered(cloudName: string, kind: OrderedKind): void {
    if (clouds.offers(cloudName, kind.name, 'requestInstance')) return
    throw new FogbowError('not_implemented', `Cloud '${cloudName}' has no ${kind.path}`)
  }

  /** The order after a look at the cloud, unless it was looked at just now or does not answer in time. */
  async function fresh(order: Order): Promise<Order> {
    const { freshMs, readTimeoutMs } = config().orders
    if (
      !isObserved(order.state) ||
      (order.observedAt !== null && now() - order.observedAt < freshMs)
    )
      return order
    const late = Symbol('late')
    const answer = await Promise.race([engine.refresh(order), pause(readTimeoutMs, late)])
    if (answer !== late) return answer as Order
    const faultMessage = `Cloud '${order.cloudName}' did not answer within ${readTimeoutMs} ms; the last answer is shown`
    return { ...order, state: 'UNABLE_TO_CHECK_STATUS', faultMessage }
  }

  async function namesOfReferences(kind: OrderedKind, order: Order): Promise<Map<string, string>> {
    const ids = Object.keys(kind.references).flatMap(
      (field) => (order.request[field] ?? []) as string | string[],
    )
    if (ids.length === 0) return new Map()
    const rows = await store.db
      .selectFrom('orders')
      .select(['id', 'name'])
      .where('id', 'in', ids)
      .execute()
    return new Map(rows.map((row) => [row.id, row.name]))
  }

  return {
    createOrder(context, kindName, body) {
      const kind = toKind(kindName)
      const subject: Subject = { operation: 'create', type: kind.type }
      return guard(context, subject, async (access) => {
        const request = toRequest(kind, body)
        return parts.idempotently(context, access.user, [kind.name, request], async (remember) => {
          const where = await place(store.db, kind, request, access.user, parts)
          Object.assign(subject, where)
          await access.authorize()
          checkOffered(where.cloudName, kind)
          const order = await store.write(async (db) => {
            // Once more inside the transaction: what is referred to may have been deleted meanwhile.
            const { dependsOn } = await place(db, kind, request, access.user, parts)
            await assertWithinQuota(db, access.user, kind, request, config().userQuota)
            const inserted = await insertOrder(
              db,
              toNewOrder(kind, request, access.user, { ...where, dependsOn }, context.requester),
              now(),
            )
            await remember(db, { id: inserted.id })
            return inserted
          })
          subject.orderId = order.id
          engine.wake(order)
          return { id: order.id }
        })
      })
    },

    getOrder(context, kindName, id) {
      const kind = toKind(kindName)
      const subject: Subject = { operation: 'get', type: kind.type, orderId: id }
      return guard(context, subject, async (access) => {
        const order = await fresh(await reach(access, subject, kind, id))
        if (order.state === 'CLOSED') throw noSuchOrder(kind, id)
        return toInstanceView(order, await namesOfReferences(kind, order))
      })
    },

    listOrders(context, kindName, query) {
      const kind = toKind(kindName)
      return guard(context, { operation: 'getAll', type: kind.type }, async (access) => {
        const filter = toFilter(kind, query)
        await access.authorize()
        const version = `${tagOf(access.user)}-${await listVersion(store.db, access.user, kind.name)}`
        if (query.unlessVersion === version) return { items: [], version }
        const { limit } = query
        const rows = await listOrders(store.db, access.user, {
          ...filter,
          ...(limit !== undefined && { limit: limit + 1 }),
        })
        const { items, next } = cutPage(rows, limit, (order) => order.seq)
        return { items: items.map(toStatusEntry), version, ...(next && { next }) }
      })
    },

    deleteOrder(context, kindName, id) {
      const kind = toKind(kindName)
      const subject: Subject = { operation: 'delete', type: kind.type, orderId: id }
      return guard(context, subject, async (access) => {
        await reach(access, subject, kind, id)
        await markForDeletion(id, kind, false)
      })
    },

    getOrderHistory(context, kindName, id) {
      const kind = toKind(kindName)
      const subject: Subject = { operation: 'get', type: kind.type, orderId: id }
      return guard(context, subject, async (access) => {
        await reach(access, subject, kind, id)
        const events = await orderHistory(store.db, id)
        return events.map((event) => ({
          ...event,
          timestamp: new Date(event.timestamp).toISOString(),
        }))
      })
    },
  }
}

function toNewOrder(
  kind: OrderedKind,
  request: Record<string, unknown>,
  owner: FederationUser,
  where: { provider: string; cloudName: string; dependsOn: readonly string[] },
  requester: string,
) {
  const name = typeof request.name === 'string' ? request.name : `fogbow-${randomUUID()}`
  return { id: randomUUID(), kind: kind.name, ...where, requester, owner, name, request }
}

/** Tells users apart in list versions without naming them. */
function tagOf(user: FederationUser): string {
  return createHash('sha256')
    .update(`${user.identityProviderId}\n${user.id}`)
    .digest('base64url')
    .slice(0, 8)
}

function pause<Value>(ms: number, value: Value): Promise<Value> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, value).unref()
  })
}
