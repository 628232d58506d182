import { isBeingDeleted, isObserved, listOrders } from '../orders/index.ts'
import type { OperationParts } from './operation-parts.ts'
import type { Operations } from './operations.ts'
import { eachOf, type OrderAccess, toKind } from './order-access.ts'

/** What concerns everything that a user has. */
export function createUserOperations(
  parts: OperationParts,
  { markForDeletion }: OrderAccess,
): Pick<Operations, 'getAllocation' | 'purgeUser'> {
  const { guard, store } = parts

  return {
    getAllocation(context, kindName, provider, cloudName) {
      const kind = toKind(kindName)
      return guard(
        context,
        { operation: 'getUserAllocation', type: kind.type, provider, cloudName },
        async (access) => {
          parts.providerOf(provider, cloudName)
          await access.authorize()
          const orders = await listOrders(store.db, access.user, {
            kind: kind.name,
            provider,
            cloudName,
          })
          const counted = orders.filter(
            (order) => isObserved(order.state) && order.state !== 'FAILED_AFTER_SUCCESSFUL_REQUEST',
          )
          const sums: Record<string, number> = { instances: counted.length }
          for (const name of Object.keys(kind.allocation)) {
            sums[name] = counted.reduce((sum, order) => sum + (order.allocation?.[name] ?? 0), 0)
          }
          return sums
        },
      )
    },

    purgeUser(context, user) {
      return guard(context, { operation: 'purge', type: 'USER' }, async (access) => {
        await access.authorize()
        const orders = await listOrders(store.db, user, {})
        // What was made last goes first: it may depend on what was made before, never the other way round.
        return eachOf(orders.reverse(), async (order) => {
          if (isBeingDeleted(order.state)) return 'unchanged'
          const kind = toKind(order.kind)
          await markForDeletion(order.id, kind, access.user, { withDependants: true })
          return 'done'
        })
      })
    },
  }
}
