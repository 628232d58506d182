import { invalid, type OrderedKind } from '@fogbow/plugin-sdk'
import { type OrderFilter, shownAs } from '../orders/index.ts'
import type { StatusQuery } from './operations.ts'

const LONGEST_PAGE = 1000

/** @throws invalid_parameter that names the query parameter */
export function toFilter(kind: OrderedKind, query: StatusQuery): OrderFilter {
  const { state, provider, cloudName, name, limit, cursor } = query
  const known = Object.values(shownAs)
  const unknown = state?.find((shown) => !known.includes(shown))
  if (unknown !== undefined)
    throw invalid('state', `'${unknown}' is none of ${[...new Set(known)].join(', ')}`)
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 1 || limit > LONGEST_PAGE)) {
    throw invalid('limit', `must be a number from 1 to ${LONGEST_PAGE}`)
  }
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor))
    throw invalid('cursor', 'must be the cursor of a page before')
  return {
    kind: kind.name,
    ...(state && { shown: state }),
    ...(provider !== undefined && { provider }),
    ...(cloudName !== undefined && { cloudName }),
    ...(name !== undefined && { namePart: name }),
    ...(cursor !== undefined && { after: Number(cursor) }),
  }
}
