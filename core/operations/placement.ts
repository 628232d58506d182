import { type FederationUser, invalid, type OrderedKind } from '@fogbow/plugin-sdk'
import type { Kysely } from 'kysely'
import {
  type Consideration,
  findOrder,
  isBeingDeleted,
  isObserved,
  isOwnedBy,
  type Order,
  type Place,
  shownAs,
} from '../orders/index.ts'
import type { Database } from '../store/index.ts'
import { type AnySite, wantsAnySite } from './any-site/index.ts'
import type { Provider, Providers } from './providers.ts'

/** An order that is about to be made. */
export interface Wanted {
  kind: OrderedKind
  request: Readonly<Record<string, unknown>>
  user: FederationUser
  /** Member from which the request came. */
  requester: string
}

export interface Placement extends Place {
  /** Ids of the orders referred to. */
  dependsOn: string[]
  considered?: readonly Consideration[]
}

export interface PlacementParts {
  siteId(): string
  providers: Providers
  anySite: Pick<AnySite, 'begin'>
  /** Where orders go that name no provider. */
  defaultProvider(): 'local' | 'any'
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
  wanted: Wanted,
  parts: PlacementParts,
): Promise<Placement> {
  const references = await readReferences(db, wanted)
  const { considered, ...where } = await decide(wanted, references, parts)
  for (const reference of references) checkReference(reference, where, parts.siteId())
  return {
    ...where,
    ...(considered && { considered }),
    dependsOn: references.map(({ order }) => order.id),
  }
}

/** Once more inside the transaction: what is referred to may have been deleted meanwhile. */
export async function assertStillThere(
  db: Kysely<Database>,
  wanted: Wanted,
  where: Place,
  parts: Pick<PlacementParts, 'siteId'>,
): Promise<void> {
  for (const reference of await readReferences(db, wanted))
    checkReference(reference, where, parts.siteId())
}

async function decide(
  wanted: Wanted,
  references: readonly Reference[],
  parts: PlacementParts,
): Promise<Place & { considered?: readonly Consideration[] }> {
  const { request, kind } = wanted
  const anchor = references.find(({ field }) => field === kind.placedBy)?.order
  if (anchor) return { provider: anchor.provider, cloudName: anchor.cloudName }
  if (wantsAnySite(request, parts.defaultProvider()))
    return decideAnywhere(wanted, references, parts)
  const id = (request.provider as string | undefined) ?? parts.siteId()
  const provider = parts.providers.of(id)
  return { provider: id, cloudName: cloudAt(provider, request, references) }
}

/** What an order refers to decides where it goes; without that, whoever chooses does. */
async function decideAnywhere(
  wanted: Wanted,
  references: readonly Reference[],
  parts: PlacementParts,
) {
  const [reference] = references
  if (reference) return { provider: reference.order.provider, cloudName: reference.order.cloudName }
  const { place, considered } = await parts.anySite.begin({ ...wanted, kind: wanted.kind.name })
  const request = { ...wanted.request, cloudName: place.cloudName || undefined }
  return {
    provider: place.provider,
    cloudName: cloudAt(parts.providers.of(place.provider), request, []),
    considered,
  }
}

function cloudAt(
  provider: Provider,
  request: Readonly<Record<string, unknown>>,
  references: readonly Reference[],
): string {
  const named = request.cloudName as string | undefined
  if (named === undefined) {
    const beside = provider.isLocal ? undefined : references[0]?.order.cloudName
    return beside ?? provider.defaultCloud()
  }
  const problem = provider.cloudProblem(named)
  if (problem) throw invalid('cloudName', problem)
  return named
}

async function readReferences(
  db: Kysely<Database>,
  { kind, request, user, requester }: Wanted,
): Promise<Reference[]> {
  const references: Reference[] = []
  for (const [field, referredKind] of Object.entries(kind.references)) {
    for (const id of [request[field] ?? []].flat() as string[]) {
      const order = await findOrder(db, id)
      const isTheirs = order && isOwnedBy(order, user) && order.requester === requester
      // Somebody else's order is told apart from none only by its owner: ids are no secret, what is behind them is.
      if (!isTheirs || isBeingDeleted(order.state)) {
        throw invalid(field, `you have no active ${referredKind} with the id '${id}'`)
      }
      if (order.kind !== referredKind)
        throw invalid(field, `'${id}' is a ${order.kind}, not a ${referredKind}`)
      references.push({ field, order })
    }
  }
  return references
}

function checkReference({ field, order }: Reference, where: Place, siteId: string): void {
  const { provider, cloudName } = where
  if (order.provider !== provider || order.cloudName !== cloudName) {
    throw invalid(
      field,
      `${order.kind} ${order.id} is in cloud '${order.cloudName}' of ${order.provider}, not in '${cloudName}' of ${provider}`,
    )
  }
  // Not every member tells the ids of its cloud.
  const isThere = order.instanceId !== null || (provider !== siteId && isObserved(order.state))
  if (!isThere) {
    const why = order.faultMessage ? `: ${order.faultMessage}` : ''
    throw invalid(
      field,
      `${order.kind} ${order.id} has no instance yet, it is ${shownAs[order.state]}${why}`,
    )
  }
}
