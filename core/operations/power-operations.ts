import {
  asFogbowError,
  FogbowError,
  invalid,
  type OrderedKind,
  type PowerAction,
} from '@fogbow/plugin-sdk'
import { listOrders, nextState, type Order, type OrderEvent, whyNoWork } from '../orders/index.ts'
import type { Subject } from './guard.ts'
import type { OperationParts } from './operation-parts.ts'
import type { Operations, OrderOutcome } from './operations.ts'
import { eachOf, type OrderAccess, toKind, unacceptable } from './order-access.ts'
import { toBody } from './request.ts'

/** What is done with instances that exist: pausing and the like, for one or for all of a user, and snapshots. */
export function createPowerOperations(
  parts: OperationParts,
  { reach, change }: OrderAccess,
): Pick<Operations, 'actOnOrder' | 'actOnOrdersOfUser' | 'takeSnapshot'> {
  const { guard, store, providers } = parts

  function checkAction(order: Order, kind: OrderedKind, action: PowerAction): void {
    if (!providers.of(order.provider).offers(order.cloudName, kind.name, action.method)) {
      throw new FogbowError(
        'not_implemented',
        `Cloud '${order.cloudName}' cannot ${action.name} a ${kind.name}`,
      )
    }
    if (!nextState(order.state, action.name as OrderEvent)) throw unacceptable(order, action.name)
    const stopped = whyNoWork(order, parts.now())
    if (stopped !== undefined) throw new FogbowError('unacceptable_operation', stopped)
  }

  /**
   * A provider that refuses is heard at once. One that does not answer may have done it, or may still do it: the order
   * then waits for it.
   */
  async function askProvider(order: Order, action: PowerAction): Promise<void> {
    try {
      await providers.of(order.provider).act(order, action.name)
    } catch (error) {
      if (asFogbowError(error).outcome === 'refused') throw error
    }
  }

  async function actOnEach(
    kind: OrderedKind,
    action: PowerAction,
    user: { id: string; identityProviderId: string },
  ): Promise<OrderOutcome[]> {
    const orders = await listOrders(store.db, user, { kind: kind.name })
    const isPossible = (order: Order) =>
      isThereAlready(order, action) ||
      providers.of(order.provider).offers(order.cloudName, kind.name, action.method)
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
    actOnOrder(context, kindName, id, actionName) {
      const kind = toKind(kindName)
      const action = toAction(kind, actionName)
      const subject: Subject = { operation: action.operation, type: kind.type, orderId: id }
      return guard(context, subject, (access) =>
        parts.idempotently(context, access.user, [action.operation, id], async (remember) => {
          const order = await reach(context, access, subject, kind, id, 'invalid_parameter')
          // A member asks again when it has not seen the answer.
          if (context.vouched && isThereAlready(order, action)) return
          checkAction(order, kind, action)
          await askProvider(order, action)
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
        return parts.idempotently(context, access.user, asked, async (remember, attempt) => {
          const order = await reach(context, access, subject, kind, id, 'invalid_parameter')
          const provider = providers.of(order.provider)
          if (!provider.offers(order.cloudName, kind.name, 'takeSnapshot')) {
            throw new FogbowError(
              'not_implemented',
              `Cloud '${order.cloudName}' cannot take snapshots`,
            )
          }
          if (provider.isLocal && order.state !== 'PAUSED' && order.state !== 'HIBERNATED')
            throw unacceptable(order, 'snapshot')
          await provider.takeSnapshot(order, name, attempt)
          await store.write((db) => remember(db, null))
        })
      })
    },
  }
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
