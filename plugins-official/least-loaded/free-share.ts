import { orderedKind, type PlacementCandidate, type PlacementRequest } from '@fogbow/plugin-sdk'

type Quota = NonNullable<PlacementCandidate['quota']>
type Amounts = Readonly<Record<string, unknown>>

/**
 * The part of a quota that is left once the request is granted, of the amount of which least is left: 1 is everything,
 * below 0 the request does not fit. Undefined when the quota says nothing about what is requested.
 */
export function freeShare(request: PlacementRequest, quota: Quota): number | undefined {
  const shares = Object.entries(amountsOf(request))
    .map(([name, asked]) => shareOf(asked, numberOf(quota.total, name), numberOf(quota.used, name)))
    .filter((share) => share !== undefined)
  return shares.length > 0 ? Math.min(...shares) : undefined
}

/** What the request takes of quotas, by the names used there. Sizes are minima: the flavor may be larger. */
function amountsOf({ kind: kindName, request }: PlacementRequest): Record<string, number> {
  const kind = orderedKind(kindName)
  if (!kind) return {}
  const amounts: Record<string, number> = kind.countedAs ? { [kind.countedAs]: 1 } : {}
  for (const [name, field] of Object.entries(kind.allocation))
    amounts[name] = numberOf(request, field) ?? 0
  return amounts
}

function shareOf(asked: number, total: number | undefined, used = 0): number | undefined {
  if (total === undefined) return undefined
  // -1 stands for unlimited, or for what is not known.
  if (total < 0) return 1
  const left = total - Math.max(used, 0) - asked
  return total === 0 ? Math.min(left, 0) : left / total
}

function numberOf(amounts: Amounts, name: string): number | undefined {
  const amount = Object.hasOwn(amounts, name) ? amounts[name] : undefined
  return typeof amount === 'number' ? amount : undefined
}
