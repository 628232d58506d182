import { type FederationUser, FogbowError, invalid, type OrderedKind } from '@fogbow/plugin-sdk'
import type { Kysely } from 'kysely'
import { findOrder, isBeingDeleted, isOwnedBy, type Order, shownAs } from '../orders/index.ts'
import type { Database } from '../store/index.ts'

export interface Place {
  provider: string
  cloudName: string
  /** Ids of the orders referred to. */
  dependsOn: string[]
}

export interface PlacementParts {
  siteId(): string
  /** Members beside this site. */
  members(): readonly string[]
  clouds: { names(): string[]; has(cloudName: string): boolean }
}

interface Reference {
  field: string
  order: Order
}

/**
 * Finds out where an order goes, and that everything it refers to is there as well and belongs to the same user.
 * @throws invalid_parameter that names the field
 */
export async function place(
  db: Kysely<Database>,
  kind: OrderedKind,
  request: Readonly<Record<string, unknown>>,
  user: FederationUser,
  parts: PlacementParts,
): Promise<Place> {
  const references = await readReferences(db, kind, request, user)
  const anchor = references.find(({ field }) => field === kind.placedBy)?.order
  const provider = anchor?.provider ?? (request.provider as string | undefined) ?? parts.siteId()
  checkProvider(provider, parts)
  const cloudName =
    anchor?.cloudName ??
    (request.cloudName as string | undefined) ??
    (parts.clouds.names()[0] as string)
  if (!parts.clouds.has(cloudName)) {
    throw invalid(
      'cloudName',
      `there is no cloud '${cloudName}' at ${provider}; clouds are ${parts.clouds.names().join(', ')}`,
    )
  }
  for (const reference of references) checkReference(reference, provider, cloudName)
  return { provider, cloudName, dependsOn: references.map(({ order }) => order.id) }
}

export function checkProvider(
  provider: string,
  parts: Pick<PlacementParts, 'siteId' | 'members'>,
): void {
  if (provider === parts.siteId()) return
  if (parts.members().includes(provider)) {
    throw new FogbowError(
      'unavailable_provider',
      `Provider '${provider}' cannot be reached: this site has no connection to other members`,
    )
  }
  throw invalid('provider', `'${provider}' is no member; this site is '${parts.siteId()}'`)
}

async function readReferences(
  db: Kysely<Database>,
  kind: OrderedKind,
  request: Readonly<Record<string, unknown>>,
  user: FederationUser,
): Promise<Reference[]> {
  const references: Reference[] = []
  for (const [field, referredKind] of Object.entries(kind.references)) {
    for (const id of [request[field] ?? []].flat() as string[]) {
      const order = await findOrder(db, id)
      // Somebody else's order is told apart from none only by its owner: ids are no secret, what is behind them is.
      if (!order || isBeingDeleted(order.state) || !isOwnedBy(order, user)) {
        throw invalid(field, `you have no active ${referredKind} with the id '${id}'`)
      }
      if (order.kind !== referredKind)
        throw invalid(field, `'${id}' is a ${order.kind}, not a ${referredKind}`)
      references.push({ field, order })
    }
  }
  return references
}

function checkReference({ field, order }: Reference, provider: string, cloudName: string): void {
  if (order.provider !== provider || order.cloudName !== cloudName) {
    throw invalid(
      field,
      `${order.kind} ${order.id} is in cloud '${order.cloudName}' of ${order.provider}, not in '${cloudName}' of ${provider}`,
    )
  }
  if (order.instanceId === null) {
    const why = order.faultMessage ? `: ${order.faultMessage}` : ''
    throw invalid(
      field,
      `${order.kind} ${order.id} has no instance yet, it is ${shownAs[order.state]}${why}`,
    )
  }
}
