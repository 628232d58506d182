import type { FederationUser } from '@fogbow/plugin-sdk'
import type { Order } from './order.ts'
import { isBeingDeleted } from './states.ts'

/** Who is meant, and nothing that could be used in his name. */
export type Person = Pick<FederationUser, 'id' | 'identityProviderId'>

/**
 * What allows the site to work on one order in its owner's name while the owner is not there. It is given by ordering,
 * lives as long as the order unless it ends before, and is no credential: whoever has it has nothing.
 */
export interface Delegation {
  /** Grows with every change, so that a provider never takes an older one for a newer. */
  number: number
  /** Whom it is from, which must be the owner of the order. */
  owner: Person
  /** `work`: everything that the order needs. `deletion`: its end alone, after it was revoked. */
  scope: 'work' | 'deletion'
  grantedBy: Person
  /** Times are ms since the epoch. */
  grantedAt: number
  expiresAt: number | null
  revokedAt: number | null
  revokedBy: Person | null
  reason: string | null
  /** At a provider: number of the newest word of the site that asked for the order. */
  heard: number
}

/** What a provider knows by being asked for an order. */
export const FIRST = 1

/** As it is given by ordering. */
export function givenByOrdering(owner: Person, now: number, expiresAt: number | null): Delegation {
  return {
    // A provider takes an order without knowing of an end, and has to be told of one.
    number: expiresAt === null ? FIRST : FIRST + 1,
    owner: personOf(owner),
    scope: 'work',
    grantedBy: personOf(owner),
    grantedAt: now,
    expiresAt,
    revokedAt: null,
    revokedBy: null,
    reason: null,
    heard: FIRST,
  }
}

export function grantedAnew(
  before: Delegation | null,
  owner: Person,
  given: { by: Person; at: number; scope: Delegation['scope']; expiresAt: number | null },
): Delegation {
  const { by, at, scope, expiresAt } = given
  return {
    ...givenByOrdering(owner, at, expiresAt),
    number: (before?.number ?? 0) + 1,
    scope,
    grantedBy: personOf(by),
    heard: before?.heard ?? 0,
  }
}

export function revoked(
  before: Delegation,
  { by, at, reason }: { by: Person; at: number; reason: string | null },
): Delegation {
  return {
    ...before,
    number: before.number + 1,
    revokedAt: at,
    revokedBy: personOf(by),
    reason,
  }
}

/** What to say of an order of which nothing is done; of one that failed for good nothing would be done anyway. */
export function stopped(
  order: Pick<Order, 'delegation' | 'owner' | 'state'>,
  now: number,
): string | undefined {
  return order.state === 'FAILED_ON_REQUEST' ? undefined : whyNoWork(order, now)
}

/** Why nothing may be done for an order at present; undefined when it may. Checked before every piece of work. */
export function whyNoWork(
  order: Pick<Order, 'delegation' | 'owner' | 'state'>,
  now: number,
): string | undefined {
  const { delegation, owner } = order
  if (!delegation || !isSamePerson(delegation.owner, owner))
    return 'Stopped: there is no delegation of its owner for this order; the owner can grant one'
  if (delegation.revokedAt !== null) return `Stopped: ${describeRevocation(delegation)}`
  if (delegation.expiresAt !== null && delegation.expiresAt <= now)
    return `Stopped: the delegation for this order ended at ${timeOf(delegation.expiresAt)}; its owner can grant it anew`
  if (delegation.scope === 'deletion' && !isBeingDeleted(order.state))
    return 'Stopped: the delegation for this order is for its deletion alone'
  return undefined
}

function describeRevocation({ revokedAt, revokedBy, reason }: Delegation): string {
  const who = revokedBy ? `${revokedBy.id} of ${revokedBy.identityProviderId}` : 'somebody'
  const why = reason ? `: ${reason}` : ''
  return `${who} revoked the delegation for this order at ${timeOf(revokedAt ?? 0)}${why}`
}

export function isSamePerson(one: Person, other: Person): boolean {
  return one.id === other.id && one.identityProviderId === other.identityProviderId
}

function personOf({ id, identityProviderId }: Person): Person {
  return { id, identityProviderId }
}

function timeOf(at: number): string {
  return new Date(at).toISOString()
}
