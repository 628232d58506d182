import { randomUUID } from 'node:crypto'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { Kysely } from 'kysely'
import { insertOrder, type Order } from '../orders/index.ts'
import type { Database } from '../store/index.ts'
import type { Access, Subject } from './guard.ts'
import type { OperationParts } from './operation-parts.ts'
import { assertStillThere, type Placement, place, type Wanted } from './placement.ts'
import { assertWithinQuota } from './user-quota.ts'

const DAY_MS = 86_400_000

/** An order that is about to be made, and the id that it gets. */
export interface NamedOrder extends Wanted {
  id: string
  name?: string
}

/** Places an order, asks whether its user may make it, makes it, and has the engine take it up. */
export type MakeOrder = (
  wanted: NamedOrder,
  subject: Subject,
  access: Access,
  beside: (db: Kysely<Database>, order: Order) => Promise<void>,
) => Promise<Order>

export function createOrderMaker(parts: OperationParts): MakeOrder {
  const { store, engine, config, now, siteId } = parts

  function checkOffered({ provider, cloudName }: Placement, { kind }: Wanted): void {
    const closed =
      provider === siteId() ? parts.clouds.closedForNew(cloudName, kind.name) : undefined
    if (closed !== undefined) {
      const message = `Cloud '${cloudName}' takes no new orders: ${closed}`
      throw new FogbowError('unacceptable_operation', message)
    }
    if (parts.providers.of(provider).offers(cloudName, kind.name, 'requestInstance')) return
    throw new FogbowError('not_implemented', `Cloud '${cloudName}' has no ${kind.path}`)
  }

  return async (wanted, subject, access, beside) => {
    const where = await place(store.db, wanted, parts)
    subject.provider = where.provider
    subject.cloudName = where.cloudName
    await access.authorize()
    checkOffered(where, wanted)
    const order = await store.write(async (db) => {
      await assertStillThere(db, wanted, where, parts)
      if (where.provider === siteId())
        await assertWithinQuota(db, wanted, config().userQuota, siteId())
      const { delegationDays } = config().orders
      const until = delegationDays && { delegatedUntil: now() + delegationDays * DAY_MS }
      const inserted = await insertOrder(db, { ...toNewOrder(wanted, where), ...until }, now())
      await beside(db, inserted)
      return inserted
    })
    subject.orderId = order.id
    engine.wake(order)
    return order
  }
}

function toNewOrder({ kind, user, ...wanted }: NamedOrder, where: Placement) {
  const { id, request, requester } = wanted
  const given = typeof request.name === 'string' ? request.name : wanted.name
  const name = given ?? `fogbow-${randomUUID()}`
  return { id, kind: kind.name, ...where, requester, owner: user, name, request: { ...request } }
}
