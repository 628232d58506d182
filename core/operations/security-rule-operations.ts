import { FogbowError, resources } from '@fogbow/plugin-sdk'
import { isBeingDeleted, type Order } from '../orders/index.ts'
import type { Access, Subject } from './guard.ts'
import type { OperationParts } from './operation-parts.ts'
import type { Operations, RequestContext } from './operations.ts'
import { noSuchOrder, type OrderAccess, toKind } from './order-access.ts'
import type { Provider } from './providers.ts'
import { toRequest } from './request.ts'

const kind = resources.securityRule

/**
 * Firewall rules live in the cloud, inside a network or public IP. They are reached only through the order of their
 * parent: a rule of another parent is none, whatever its id.
 */
export function createSecurityRuleOperations(
  parts: OperationParts,
  { find }: OrderAccess,
): Pick<Operations, 'createSecurityRule' | 'listSecurityRules' | 'deleteSecurityRule'> {
  const { guard, store, providers } = parts

  async function parentOf(
    context: RequestContext,
    access: Access,
    subject: Subject,
    parentKind: string,
    id: string,
  ): Promise<Order> {
    const order = await find(context, toKind(parentKind), id)
    if (order.kind !== parentKind || isBeingDeleted(order.state))
      throw noSuchOrder(toKind(parentKind), id)
    subject.cloudName = order.cloudName
    subject.provider = order.provider
    await access.authorize(order.owner)
    if (order.instanceId === null && providers.of(order.provider).isLocal) {
      throw new FogbowError(
        'unacceptable_operation',
        `${parentKind} ${id} has no instance yet; wait until it is READY`,
      )
    }
    return order
  }

  function onRules<Result>(
    context: RequestContext,
    operation: string,
    parentKind: string,
    id: string,
    run: (order: Order, provider: Provider, access: Access) => Promise<Result>,
  ): Promise<Result> {
    const subject: Subject = { operation, type: kind.type, orderId: id }
    return guard(context, subject, async (access) => {
      const order = await parentOf(context, access, subject, parentKind, id)
      return run(order, providers.of(order.provider), access)
    })
  }

  return {
    createSecurityRule: (context, parentKind, id, body) =>
      onRules(context, 'create', parentKind, id, (order, provider, access) => {
        const rule = toRequest(kind, body)
        const asked = [kind.name, id, rule]
        return parts.idempotently(context, access.user, asked, async (remember, attempt) => {
          const answer = { id: await provider.createRule(order, rule, attempt) }
          await store.write((db) => remember(db, answer))
          return answer
        })
      }),

    listSecurityRules: (context, parentKind, id) =>
      onRules(context, 'getAll', parentKind, id, async (order, provider) => {
        const { provider: where, cloudName } = order
        const rules = await provider.listRules(order)
        return rules.map((rule) => ({ ...rule, provider: where, cloudName }))
      }),

    deleteSecurityRule: (context, parentKind, id, ruleId) =>
      onRules(context, 'delete', parentKind, id, (order, provider, access) => {
        const asked = [kind.name, id, 'delete', ruleId]
        return parts.idempotently(context, access.user, asked, async (remember, attempt) => {
          await provider.deleteRule(order, ruleId, attempt)
          await store.write((db) => remember(db, null))
        })
      }),
  }
}
