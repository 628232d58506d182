import { createHash, randomUUID } from 'node:crypto'
import type { FederationUser, OrderedKind } from '@fogbow/plugin-sdk'
import { listOrders, listVersion, type Order, orderHistory } from '../orders/index.ts'
import { cutPage } from './cut-page.ts'
import type { Subject } from './guard.ts'
import { createOrderMaker } from './make-order.ts'
import type { OperationParts } from './operation-parts.ts'
import type { Operations } from './operations.ts'
import { noSuchOrder, type OrderAccess, toKind } from './order-access.ts'
import { toFilter } from './order-filter.ts'
import { toRequest } from './request.ts'
import { toInstanceView, toStatusEntry } from './views.ts'

/** Making, reading, listing and deleting orders. */
export function createOrderOperations(
  parts: OperationParts,
  { reach, fresh, markForDeletion }: OrderAccess,
): Pick<Operations, 'createOrder' | 'getOrder' | 'listOrders' | 'deleteOrder' | 'getOrderHistory'> {
  const { guard, store } = parts
  const make = createOrderMaker(parts)

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
        const asked = [kind.name, request]
        return parts.idempotently(context, access.user, asked, async (remember) => {
          const { user } = access
          const { requester } = context
          const wanted = { id: randomUUID(), kind, request, user, requester }
          const order = await make(wanted, subject, access, (db, { id }) => remember(db, { id }))
          return { id: order.id }
        })
      })
    },

    getOrder(context, kindName, id) {
      const kind = toKind(kindName)
      const subject: Subject = { operation: 'get', type: kind.type, orderId: id }
      return guard(context, subject, async (access) => {
        const order = await fresh(await reach(context, access, subject, kind, id))
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
        await reach(context, access, subject, kind, id)
        await markForDeletion(id, kind, access.user, {
          isRepeatable: context.vouched !== undefined,
        })
      })
    },

    getOrderHistory(context, kindName, id) {
      const kind = toKind(kindName)
      const subject: Subject = { operation: 'get', type: kind.type, orderId: id }
      return guard(context, subject, async (access) => {
        await reach(context, access, subject, kind, id)
        const events = await orderHistory(store.db, id)
        return events.map((event) => ({
          ...event,
          timestamp: new Date(event.timestamp).toISOString(),
        }))
      })
    },
  }
}

/** Tells users apart in list versions without naming them. */
function tagOf(user: FederationUser): string {
  return createHash('sha256')
    .update(`${user.identityProviderId}\n${user.id}`)
    .digest('base64url')
    .slice(0, 8)
}
