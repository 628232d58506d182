import { FogbowError, type OrderedKind, orderedKind } from '@fogbow/plugin-sdk'
import type { Kysely } from 'kysely'
import { listOrders } from '../orders/index.ts'
import type { Database } from '../store/index.ts'
import type { Wanted } from './placement.ts'

/** Limits by name, as in quota answers; what is absent is not limited. */
export type UserQuota = Readonly<Record<string, number | undefined>>

/**
 * Refuses an order that would take its user over what the site allows each user, whatever the cloud would allow.
 * Orders count with what they ask for, or occupy, until they are closed.
 * @throws quota_exceeded that says how much is in use
 */
export async function assertWithinQuota(
  db: Kysely<Database>,
  { user, kind, request }: Pick<Wanted, 'user' | 'kind' | 'request'>,
  quota: UserQuota,
  siteId: string,
): Promise<void> {
  const asked = amountsOf(kind, request, {})
  const limited = Object.keys(asked).filter((name) => quota[name] !== undefined)
  if (limited.length === 0) return
  const used: Record<string, number> = {}
  for (const order of await listOrders(db, user, { provider: siteId })) {
    const orderKind = orderedKind(order.kind)
    if (!orderKind || order.state === 'FAILED_ON_REQUEST') continue
    const amounts = amountsOf(orderKind, order.request, order.allocation ?? {})
    for (const [name, amount] of Object.entries(amounts)) used[name] = (used[name] ?? 0) + amount
  }
  for (const name of limited) {
    const limit = quota[name] ?? 0
    const total = (used[name] ?? 0) + (asked[name] ?? 0)
    if (total <= limit) continue
    throw new FogbowError(
      'quota_exceeded',
      `${name}: you use ${used[name] ?? 0} of ${limit} and ask for ${asked[name]} more; delete something first`,
    )
  }
}

function amountsOf(
  kind: OrderedKind,
  request: Readonly<Record<string, unknown>>,
  allocation: Readonly<Record<string, number>>,
): Record<string, number> {
  const amounts: Record<string, number> = kind.countedAs ? { [kind.countedAs]: 1 } : {}
  for (const [name, field] of Object.entries(kind.allocation)) {
    amounts[name] = allocation[name] ?? (typeof request[field] === 'number' ? request[field] : 0)
  }
  return amounts
}
