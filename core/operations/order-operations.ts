import { createHash, randomUUID } from 'node:crypto'
import {
  type FederationUser,
  FogbowError,
  invalid,
  type OrderedKind,
  orderedKind,
  type PowerAction,
} from '@fogbow/plugin-sdk'
import type { Kysely } from 'kysely'
import {
  applyStep,
  dependants,
  findOrder,
  insertOrder,
  isBeingDeleted,
  isObserved,
  listOrders,
  listVersion,
  nextState,
  type Order,
  type OrderEvent,
  orderHistory,
  shownAs,
} from '../orders/index.ts'
import type { Database } from '../store/index.ts'
import { cutPage } from './cut-page.ts'
import type { Access, Subject } from './guard.ts'
import type { OperationParts } from './operation-parts.ts'
import type { Operations, OrderOutcome, StatusQuery } from './operations.ts'
import { place } from './placement.ts'
import { toBody, toRequest } from './request.ts'
import { assertWithinQuota } from './user-quota.ts'
import { toInstanceView, toStatusEntry } from './views.ts'

type OrderOperations = Pick<
  Operations,
  | 'createOrder'
  | 'getOrder'
  | 'listOrders'
  | 'deleteOrder'
  | 'actOnOrder'
  | 'actOnOrdersOfUser'
  | 'takeSnapshot'
  | 'getAllocation'
  | 'getOrderHistory'
  | 'purgeUser'
>

const LONGEST_PAGE = 1000

export function createOrderOperations(parts: OperationParts): OrderOperations {
  const { guard, store, engine, clouds, config, now } = parts

  /**
   * The order behind an id, for somebody who may do this with it.
   * @param otherKind - how the original service answers to the id of another kind: reading differs from actions
   */
  async function reach(
    access: Access,
    subject: Subject,
    kind: OrderedKind,
    id: string,
    otherKind: 'unauthorized' | 'invalid_parameter' = 'unauthorized',
  ): Promise<Order> {
    const order = await findOrder(store.db, id)
    if (!order || order.state === 'CLOSED') throw noSuchOrder(kind, id)
    subject.cloudName = order.cloudName
    subject.provider = order.provider
    if (order.kind !== kind.name) {
      throw new FogbowError(
        otherKind,
        `'${id}' is the id of a ${order.kind}, not of a ${kind.name}`,
      )
    }
    await access.authorize(order.owner)
    return order
  }

  /** Changes the state of an order as an event says; whoever was faster is seen. */
  async function change(
    id: string,
    kind: OrderedKind,
    event: OrderEvent,
    check: (order: Order, db: Kysely<Database>) => Promise<void>,
  ) {
    const after = await store.write(async (db) => {
      const order = await findOrder(db, id)
      if (!order || order.state === 'CLOSED') throw noSuchOrder(kind, id)
      await check(order, db)
      const to = nextState(order.state, event)
      if (!to) throw unacceptable(order, event)
      return applyStep(db, order, { to, faultMessage: null, dueInMs: 0 }, now())
    })
    engine.wake(after)
    return after
  }

  function checkOffered(cloudName: string, kind: OrderedKind): void {
    if (clouds.offers(cloudName, kind.name, 'requestInstance')) return
    throw new FogbowError('not_implemented', `Cloud '${cloudName}' has no ${kind.path}`)
  }

  function checkAction(order: Order, kind: OrderedKind, action: PowerAction): void {
    if (!clouds.offers(order.cloudName, kind.name, action.method)) {
      throw new FogbowError(
        'not_implemented',
        `Cloud '${order.cloudName}' cannot ${action.name} a ${kind.name}`,
      )
    }
    if (!nextState(order.state, action.name as OrderEvent)) throw unacceptable(order, action.name)
  }

  async function markForDeletion(
    id: string,
    kind: OrderedKind,
    withDependants: boolean,
  ): Promise<void> {
    await change(id, kind, 'delete', async (order, db) => {
      if (isBeingDeleted(order.state)) {
        throw new FogbowError(
          'unacceptable_operation',
          `${kind.title} ${id} is being deleted already`,
        )
      }
      const blocking = withDependants ? [] : await dependants(db, id)
      if (blocking.length > 0) {
        throw new FogbowError(
          'unacceptable_operation',
          `${kind.title} ${id} is in use; delete first: ${blocking.join(', ')}`,
        )
      }
    })
  }

  /** The order after a look at the cloud, unless it was looked at just now or does not answer in time. */
  async function fresh(order: Order): Promise<Order> {
    const { freshMs, readTimeoutMs } = config().orders
    if (
      !isObserved(order.state) ||
      (order.observedAt !== null && now() - order.observedAt < freshMs)
    )
      return order
    const late = Symbol('late')
    const answer = await Promise.race([engine.refresh(order), pause(readTimeoutMs, late)])
    if (answer !== late) return answer as Order
    const faultMessage = `Cloud '${order.cloudName}' did not answer within ${readTimeoutMs} ms; the last answer is shown`
    return { ...order, state: 'UNABLE_TO_CHECK_STATUS', faultMessage }
  }

  async function namesOfReferences(kind: OrderedKind, order: Order): Promise<Map<string, string>> {
    const ids = Object.keys(kind.references).flatMap(
      (field) => (order.request[field] ?? []) as string | string[],
    )
    if (ids.length === 0) return new Map()
    const rows = await store.db
      .selectFrom('orders')
      .select(['id', 'name'])
      .where('id', 'in', ids)
      .execute()
    return new Map(rows.map((row) => [row.id, row.name]))
  }

  async function eachOf(
    orders: readonly Order[],
    run: (order: Order) => Promise<OrderOutcome['outcome']>,
  ): Promise<OrderOutcome[]> {
    const outcomes: OrderOutcome[] = []
    for (const order of orders) {
      try {
        outcomes.push({ id: order.id, outcome: await run(order) })
      } catch (error) {
        if (!(error instanceof FogbowError)) throw error
        outcomes.push({ id: order.id, outcome: 'refused', message: error.message })
      }
    }
    return outcomes
  }

  async function actOnEach(
    kind: OrderedKind,
    action: PowerAction,
    user: { id: string; identityProviderId: string },
  ): Promise<OrderOutcome[]> {
    const orders = await listOrders(store.db, user, { kind: kind.name })
    const isPossible = (order: Order) =>
      isThereAlready(order, action) || clouds.offers(order.cloudName, kind.name, action.method)
    const outcomes = await eachOf(orders.filter(isPossible), async (order) => {
      if (isThereAlready(order, action)) return 'unchanged'
      await change(order.id, kind, action.name as OrderEvent, async (latest) =>
        checkAction(latest, kind, action),
      )
      return 'done'
    })
    const unable = orders.filter((order) => !isPossible(order))
    if (unable.length > 0) throw cannotAll(action, kind, unable, outcomes)
    return outcomes
  }

  return {
    createOrder(context, kindName, body) {
      const kind = toKind(kindName)
      const subject: Subject = { operation: 'create', type: kind.type }
      return guard(context, subject, async (access) => {
        const request = toRequest(kind, body)
        return parts.idempotently(context, access.user, [kind.name, request], async (remember) => {
          const where = await place(store.db, kind, request, access.user, parts)
          Object.assign(subject, where)
          await access.authorize()
          checkOffered(where.cloudName, kind)
          const order = await store.write(async (db) => {
            // Once more inside the transaction: what is referred to may have been deleted meanwhile.
            const { dependsOn } = await place(db, kind, request, access.user, parts)
            await assertWithinQuota(db, access.user, kind, request, config().userQuota)
            const inserted = await insertOrder(
              db,
              toNewOrder(kind, request, access.user, { ...where, dependsOn }, context.requester),
              now(),
            )
            await remember(db, { id: inserted.id })
            return inserted
          })
          subject.orderId = order.id
          engine.wake(order)
          return { id: order.id }
        })
      })
    },

    getOrder(context, kindName, id) {
      const kind = toKind(kindName)
      const subject: Subject = { operation: 'get', type: kind.type, orderId: id }
      return guard(context, subject, async (access) => {
        const order = await fresh(await reach(access, subject, kind, id))
        if (order.state === 'CLOSED') throw noSuchOrder(kind, id)
        return toInstanceView(order, await namesOfReferences(kind, order))
      })
    },

    listOrders(context, kindName, query) {
      const kind = toKind(kindName)
      return guard(context, { operation: 'getAll', type: kind.type }, async (access) => {
        const filter = toFilter(kind, query)
        await access.authorize()
        const version = `${tagOf(access.user)}-${await listVersion(store.db, access.user, kind.name)}`
        if (query.unlessVersion === version) return { items: [], version }
        const { limit } = query
        const rows = await listOrders(store.db, access.user, {
          ...filter,
          ...(limit !== undefined && { limit: limit + 1 }),
        })
        const { items, next } = cutPage(rows, limit, (order) => order.seq)
        return { items: items.map(toStatusEntry), version, ...(next && { next }) }
      })
    },

    deleteOrder(context, kindName, id) {
      const kind = toKind(kindName)
      const subject: Subject = { operation: 'delete', type: kind.type, orderId: id }
      return guard(context, subject, async (access) => {
        await reach(access, subject, kind, id)
        await markForDeletion(id, kind, false)
      })
    },

    actOnOrder(context, kindName, id, actionName) {
      const kind = toKind(kindName)
      const action = toAction(kind, actionName)
      const subject: Subject = { operation: action.operation, type: kind.type, orderId: id }
      return guard(context, subject, (access) =>
        parts.idempotently(context, access.user, [action.operation, id], async (remember) => {
          await reach(access, subject, kind, id, 'invalid_parameter')
          await change(id, kind, action.name as OrderEvent, async (order, db) => {
            checkAction(order, kind, action)
            await remember(db, null)
          })
        }),
      )
    },

    actOnOrdersOfUser(context, kindName, actionName, user) {
      const kind = toKind(kindName)
      const action = toAction(kind, actionName)
      const { operationForAll } = action
      return guard(context, { operation: operationForAll, type: kind.type }, async (access) => {
        await access.authorize(user)
        const asked = [operationForAll, user.id, user.identityProviderId]
        return parts.idempotently(context, access.user, asked, async (remember) => {
          const outcomes = await actOnEach(kind, action, user)
          await store.write((db) => remember(db, outcomes))
          return outcomes
        })
      })
    },

    takeSnapshot(context, kindName, id, body) {
      const kind = toKind(kindName)
      const subject: Subject = { operation: 'takeSnapshot', type: kind.type, orderId: id }
      return guard(context, subject, (access) => {
        const name = toSnapshotName(id, body)
        const asked = ['takeSnapshot', id, name]
        return parts.idempotently(context, access.user, asked, async (remember) => {
          const order = await reach(access, subject, kind, id, 'invalid_parameter')
          if (!clouds.offers(order.cloudName, kind.name, 'takeSnapshot')) {
            throw new FogbowError(
              'not_implemented',
              `Cloud '${order.cloudName}' cannot take snapshots`,
            )
          }
          if (order.state !== 'PAUSED' && order.state !== 'HIBERNATED')
            throw unacceptable(order, 'snapshot')
          await clouds.takeSnapshot(order, name)
          await store.write((db) => remember(db, null))
        })
      })
    },

    getAllocation(context, kindName, provider, cloudName) {
      const kind = toKind(kindName)
      return guard(
        context,
        { operation: 'getUserAllocation', type: kind.type, provider, cloudName },
        async (access) => {
          parts.checkCloud(provider, cloudName)
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

    getOrderHistory(context, kindName, id) {
      const kind = toKind(kindName)
      const subject: Subject = { operation: 'get', type: kind.type, orderId: id }
      return guard(context, subject, async (access) => {
        await reach(access, subject, kind, id)
        const events = await orderHistory(store.db, id)
        return events.map((event) => ({
          ...event,
          timestamp: new Date(event.timestamp).toISOString(),
        }))
      })
    },

    purgeUser(context, user) {
      return guard(context, { operation: 'purge', type: 'USER' }, async (access) => {
        await access.authorize()
        const orders = await listOrders(store.db, user, {})
        // What was made last goes first: it may depend on what was made before, never the other way round.
        return eachOf(orders.reverse(), async (order) => {
          if (isBeingDeleted(order.state)) return 'unchanged'
          await markForDeletion(order.id, toKind(order.kind), true)
          return 'done'
        })
      })
    },
  }

  function toFilter(kind: OrderedKind, query: StatusQuery) {
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
}

function toNewOrder(
  kind: OrderedKind,
  request: Record<string, unknown>,
  owner: FederationUser,
  where: { provider: string; cloudName: string; dependsOn: readonly string[] },
  requester: string,
) {
  const name = typeof request.name === 'string' ? request.name : `fogbow-${randomUUID()}`
  return { id: randomUUID(), kind: kind.name, ...where, requester, owner, name, request }
}

function toKind(name: string): OrderedKind {
  const kind = orderedKind(name)
  if (!kind)
    throw new FogbowError('not_found', `'${name}' is no kind of resource that can be ordered`)
  return kind
}

function toAction(kind: OrderedKind, name: string): PowerAction {
  const action = kind.actions.find((candidate) => candidate.name === name)
  if (!action) throw new FogbowError('not_found', `A ${kind.name} has no action '${name}'`)
  return action
}

function isThereAlready(order: Order, action: PowerAction): boolean {
  const goals: Record<string, string> = {
    pause: 'PAUS',
    hibernate: 'HIBERNAT',
    stop: 'STOPP',
    resume: 'RESUM',
  }
  const reached = order.state.startsWith(goals[action.name] ?? '-')
  return reached || (action.name === 'resume' && order.state === 'FULFILLED')
}

/** Clients of the original service fall back from hibernating to stopping when they are told 501. */
function cannotAll(
  action: PowerAction,
  kind: OrderedKind,
  unable: readonly Order[],
  others: readonly OrderOutcome[],
): FogbowError {
  const ids = unable.map((order) => order.id).join(', ')
  const done = others.filter(({ outcome }) => outcome !== 'refused').length
  return new FogbowError(
    'not_implemented',
    `${done} of ${unable.length + others.length} ${kind.path}: ${action.name} done; the clouds of these cannot: ${ids}`,
  )
}

function toSnapshotName(id: string, body: unknown): string {
  const name = toBody(body).name ?? `fogbow-snapshot-${id}`
  if (typeof name === 'string' && name.length >= 1 && name.length <= 255) return name
  throw invalid('name', 'must be a text of 1 to 255 characters')
}

function noSuchOrder(kind: OrderedKind, id: string): FogbowError {
  return new FogbowError('instance_not_found', `There is no ${kind.name} with the id '${id}'`)
}

function unacceptable(order: Order, action: string): FogbowError {
  return new FogbowError(
    'unacceptable_operation',
    `Cannot ${action} ${order.kind} ${order.id}: it is ${shownAs[order.state]}`,
  )
}

/** Tells users apart in list versions without naming them. */
function tagOf(user: FederationUser): string {
  return createHash('sha256')
    .update(`${user.identityProviderId}\n${user.id}`)
    .digest('base64url')
    .slice(0, 8)
}

function pause<Value>(ms: number, value: Value): Promise<Value> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, value).unref()
  })
}
