import { FogbowError, invalid } from '@fogbow/plugin-sdk'
import type { Kysely } from 'kysely'
import {
  changeDelegation,
  type Delegation,
  findOrder,
  grantedAnew,
  isBeingDeleted,
  isSamePerson,
  type Order,
  type Person,
  revoked,
  whyNoWork,
} from '../orders/index.ts'
import type { Database } from '../store/index.ts'
import type { Access, Subject } from './guard.ts'
import type { OperationParts } from './operation-parts.ts'
import type { DelegationView, Operations, RequestContext } from './operations.ts'
import { noSuchOrder, type OrderAccess, toKind } from './order-access.ts'
import { toBody } from './request.ts'

const LONGEST_REASON = 255

/** What allows the site to work on an order while its owner is not logged in: shown, revoked, granted anew. */
export function createDelegationOperations(
  parts: OperationParts,
  { reach }: OrderAccess,
): Pick<Operations, 'getDelegation' | 'revokeDelegation' | 'grantDelegation'> {
  const { guard, store, engine, now } = parts

  async function change(
    id: string,
    kindName: string,
    next: (order: Order, before: Delegation | null) => Delegation | undefined,
    beside: (db: Kysely<Database>, view: DelegationView) => Promise<void> = async () => {},
  ): Promise<DelegationView> {
    const after = await store.write(async (db: Kysely<Database>) => {
      const order = await findOrder(db, id)
      if (!order || order.state === 'CLOSED') throw noSuchOrder(toKind(kindName), id)
      const delegation = next(order, order.delegation)
      const after = delegation ? await changeDelegation(db, order, delegation, now()) : order
      await beside(db, toView(after, now()))
      return after
    })
    engine.changed(after)
    return toView(after, now())
  }

  function reached<Result>(
    context: RequestContext,
    kindName: string,
    id: string,
    operation: string,
    run: (access: Access, order: Order, subject: Subject) => Promise<Result>,
  ): Promise<Result> {
    const kind = toKind(kindName)
    const subject: Subject = { operation, type: kind.type, orderId: id }
    return guard(context, subject, async (access) =>
      run(access, await reach(context, access, subject, kind, id), subject),
    )
  }

  return {
    getDelegation: (context, kindName, id) =>
      reached(context, kindName, id, 'getDelegation', async (_access, order) =>
        toView(order, now()),
      ),

    revokeDelegation: (context, kindName, id, given) =>
      reached(context, kindName, id, 'revokeDelegation', async (access, _order, subject) => {
        const reason = toReason(given.reason)
        if (reason) subject.detail = reason
        return change(id, kindName, (order, before) => {
          if (!before || before.revokedAt !== null || isOld(before, given.number)) return undefined
          if (isBeingDeleted(order.state)) throw beingDeleted(order)
          return withHeard(revoked(before, { by: access.user, at: now(), reason }), given.number)
        })
      }),

    grantDelegation(context, kindName, id, body) {
      const kind = toKind(kindName)
      const subject: Subject = { operation: 'grantDelegation', type: kind.type, orderId: id }
      return guard(context, subject, async (access) => {
        const { expiresAt: until, number } = toBody(body)
        // A member may have come through too late: what has ended there has ended here as well.
        const expiresAt = toExpiry(until, number === undefined ? now() : 0)
        const by = access.user
        const next = (order: Order, before: Delegation | null) => {
          if (isOld(before, number)) return undefined
          if (isBeingDeleted(order.state)) throw beingDeleted(order)
          assertMayGrant(order, before, by)
          const given = { by, at: now(), scope: 'work' as const, expiresAt }
          return withHeard(grantedAnew(before, order.owner, given), number)
        }
        return parts.idempotently(context, by, ['grantDelegation', id, body], async (remember) => {
          await reach(context, access, subject, kind, id)
          return change(id, kindName, next, remember)
        })
      })
    },
  }
}

/** What somebody else took away for a reason is not for the owner to take back. */
function assertMayGrant(order: Order, before: Delegation | null, by: Person): void {
  const revokedBy = before?.revokedBy
  if (!revokedBy || isSamePerson(revokedBy, by) || !isSamePerson(order.owner, by)) return
  throw new FogbowError(
    'unauthorized',
    `${revokedBy.id} of ${revokedBy.identityProviderId} revoked this delegation; ask an administrator to grant it anew`,
  )
}

/** A member numbers what it tells, so that what arrives late changes nothing. */
function isOld(before: Delegation | null, number: unknown): boolean {
  return typeof number === 'number' && before !== null && number <= before.heard
}

function withHeard(delegation: Delegation, number: unknown): Delegation {
  return typeof number === 'number' ? { ...delegation, heard: number } : delegation
}

function beingDeleted({ kind, id }: Order): FogbowError {
  return new FogbowError('unacceptable_operation', `${kind} ${id} is being deleted already`)
}

function toReason(reason: unknown): string | null {
  if (reason === undefined || reason === null || reason === '') return null
  if (typeof reason === 'string' && reason.length <= LONGEST_REASON) return reason
  throw invalid('reason', `must be a text of at most ${LONGEST_REASON} characters`)
}

function toExpiry(value: unknown, after: number): number | null {
  if (value === undefined || value === null) return null
  const at = typeof value === 'string' ? Date.parse(value) : value
  if (typeof at === 'number' && Number.isSafeInteger(at) && at > after) return at
  throw invalid('expiresAt', 'must be a time to come, such as 2030-01-31T12:00:00Z')
}

function toView(order: Order, now: number): DelegationView {
  const { delegation, owner } = order
  const timeOf = (at: number | null | undefined) =>
    at === null || at === undefined ? null : new Date(at).toISOString()
  const nameOf = (person: Person | null | undefined) =>
    person ? `${person.id}@${person.identityProviderId}` : null
  const problem = whyNoWork(order, now)
  return {
    orderId: order.id,
    owner: nameOf(owner) ?? '',
    active: problem === undefined,
    scope: delegation?.scope ?? null,
    grantedBy: nameOf(delegation?.grantedBy),
    grantedAt: timeOf(delegation?.grantedAt),
    expiresAt: timeOf(delegation?.expiresAt),
    revokedBy: nameOf(delegation?.revokedBy),
    revokedAt: timeOf(delegation?.revokedAt),
    reason: delegation?.reason ?? null,
    problem: problem ?? null,
  }
}
