import { FogbowError, type ParentOrder, resources } from '@fogbow/plugin-sdk'
import { findOrder, isBeingDeleted, type Order } from '../orders/index.ts'
import type { Access, Subject } from './guard.ts'
import type { OperationParts } from './operation-parts.ts'
import type { Operations, RequestContext } from './operations.ts'
import { toRequest } from './request.ts'

const kind = resources.securityRule

type Rule = Record<string, unknown> & { id: string }

/**
 * Firewall rules live in the cloud, inside a network or public IP. They are reached only through the order of their
 * parent: a rule of another parent is none, whatever its id.
 */
export function createSecurityRuleOperations(
  parts: OperationParts,
): Pick<Operations, 'createSecurityRule' | 'listSecurityRules' | 'deleteSecurityRule'> {
  const { guard, store, clouds } = parts

  async function parentOf(
    access: Access,
    subject: Subject,
    parentKind: string,
    id: string,
  ): Promise<Order> {
    const order = await findOrder(store.db, id)
    if (!order || order.kind !== parentKind || isBeingDeleted(order.state)) {
      throw new FogbowError('instance_not_found', `There is no ${parentKind} with the id '${id}'`)
    }
    subject.cloudName = order.cloudName
    subject.provider = order.provider
    await access.authorize(order.owner)
    if (order.instanceId === null) {
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
    run: (order: Order, access: Access) => Promise<Result>,
  ): Promise<Result> {
    const subject: Subject = { operation, type: kind.type, orderId: id }
    return guard(context, subject, async (access) =>
      run(await parentOf(access, subject, parentKind, id), access),
    )
  }

  function call(order: Order, method: string, ...args: unknown[]): Promise<unknown> {
    return clouds.call(order.owner, order.cloudName, kind.name, method, [...args, toParent(order)])
  }

  return {
    createSecurityRule: (context, parentKind, id, body) =>
      onRules(context, 'create', parentKind, id, (order, access) => {
        const rule = toRequest(kind, body)
        return parts.idempotently(context, access.user, [kind.name, id, rule], async (remember) => {
          const answer = { id: (await call(order, 'requestSecurityRule', rule)) as string }
          await store.write((db) => remember(db, answer))
          return answer
        })
      }),

    listSecurityRules: (context, parentKind, id) =>
      onRules(context, 'getAll', parentKind, id, async (order) => {
        const rules = (await call(order, 'getSecurityRules')) as Rule[]
        return rules.map((rule) => ({
          ...rule,
          provider: order.provider,
          cloudName: order.cloudName,
        }))
      }),

    deleteSecurityRule: (context, parentKind, id, ruleId) =>
      onRules(context, 'delete', parentKind, id, async (order) => {
        const rules = (await call(order, 'getSecurityRules')) as Rule[]
        if (!rules.some((rule) => rule.id === ruleId)) {
          throw new FogbowError(
            'instance_not_found',
            `${parentKind} ${id} has no security rule '${ruleId}'`,
          )
        }
        await call(order, 'deleteSecurityRule', ruleId)
      }),
  }
}

function toParent(order: Order): ParentOrder {
  return { kind: order.kind, orderId: order.id, instanceId: order.instanceId ?? '' }
}
