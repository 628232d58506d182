import { isDeepStrictEqual } from 'node:util'
import { FogbowError } from '@fogbow/plugin-sdk'
import { findOrder, isOwnedBy, type Order, toReport } from '../orders/index.ts'
import type { Subject } from './guard.ts'
import { createOrderMaker, type NamedOrder } from './make-order.ts'
import type { OperationParts } from './operation-parts.ts'
import type { MemberOperations } from './operations.ts'
import { isAskedBy, type OrderAccess, toKind } from './order-access.ts'
import { toRequest } from './request.ts'

/** What members ask of the orders that this site provides for them, beside what their users could ask here as well. */
export function createProvidedOperations(
  parts: OperationParts,
  { find, allow, fresh }: OrderAccess,
): MemberOperations {
  const { guard, store, siteId } = parts
  const make = createOrderMaker(parts)

  async function latest(order: Order): Promise<Order> {
    return (await findOrder(store.db, order.id)) ?? order
  }

  return {
    provideOrder(context, kindName, orderId, body) {
      const kind = toKind(kindName)
      const subject: Subject = { operation: 'create', type: kind.type, orderId }
      return guard(context, subject, async (access) => {
        const { user } = access
        const { requester } = context
        const request = toRequest(kind, body)
        const name = (body as { name?: string }).name
        const wanted = { id: orderId, kind, request, user, requester, ...(name && { name }) }
        const known = await findOrder(store.db, orderId)
        if (known) {
          assertSame(known, wanted, siteId())
          subject.cloudName = known.cloudName
          await access.authorize(known.owner)
          return toReport(known)
        }
        return toReport(await make(wanted, subject, access, async () => {}))
      })
    },

    reportOrder(context, kindName, id, from) {
      const kind = toKind(kindName)
      const isFollowing = from === 'stored'
      const subject: Subject = { operation: 'get', type: kind.type, orderId: id, isFollowing }
      return guard(context, subject, async (access) => {
        const order = await find(context, kind, id)
        await allow(access, subject, kind, order)
        if (from === 'stored') return toReport(order)
        const seen = await fresh(order)
        return toReport(seen === order ? order : await latest(order))
      })
    },

    async readOrderOf(requester, id) {
      const order = await findOrder(store.db, id)
      if (!order || !isAskedBy(order, requester, siteId()))
        throw new FogbowError(
          'instance_not_found',
          `There is no order of ${requester} with the id '${id}'`,
        )
      const { kind, cloudName, name, request, owner } = order
      return { ...toReport(order), kind, cloudName, name, request, owner }
    },
  }
}

/** @throws idempotency_conflict, which says nothing of the other order */
function assertSame(known: Order, wanted: NamedOrder, siteId: string): void {
  const isSame =
    isAskedBy(known, wanted.requester, siteId) &&
    known.kind === wanted.kind.name &&
    isOwnedBy(known, wanted.user) &&
    isDeepStrictEqual(known.request, wanted.request)
  if (isSame) return
  throw new FogbowError(
    'idempotency_conflict',
    `Order id ${wanted.id} stands for another order at ${siteId}; a new order needs a new id`,
  )
}
