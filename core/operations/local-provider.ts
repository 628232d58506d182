import { FogbowError, type ParentOrder } from '@fogbow/plugin-sdk'
import type { LocalClouds } from '../clouds/index.ts'
import type { Order } from '../orders/index.ts'
import type { Provider, Rule } from './providers.ts'

/** This site as a provider. */
export function createLocalProvider(clouds: LocalClouds, siteId: () => string): Provider {
  function callOnRules(order: Order, method: string, ...args: unknown[]): Promise<unknown> {
    return clouds.call(order.owner, order.cloudName, 'securityRule', method, [
      ...args,
      toParent(order),
    ])
  }
  const listRules = async (order: Order) => (await callOnRules(order, 'getSecurityRules')) as Rule[]

  return {
    isLocal: true,
    listClouds: async () => clouds.names(),
    defaultCloud: () => clouds.names()[0] as string,
    cloudProblem(cloudName) {
      if (clouds.has(cloudName)) return undefined
      return `there is no cloud '${cloudName}' at ${siteId()}; clouds are ${clouds.names().join(', ')}`
    },
    offers: clouds.offers,
    query: (user, { cloudName, kind, method, id }, signal) =>
      clouds.call(user, cloudName, kind, method, id === undefined ? [] : [id], signal),
    act: async () => {},
    takeSnapshot: (order, name) => clouds.takeSnapshot(order, name),
    createRule: async (order, rule) =>
      (await callOnRules(order, 'requestSecurityRule', rule)) as string,
    listRules,
    async deleteRule(order, ruleId) {
      const rules = await listRules(order)
      if (!rules.some((rule) => rule.id === ruleId)) {
        throw new FogbowError(
          'instance_not_found',
          `${order.kind} ${order.id} has no security rule '${ruleId}'`,
        )
      }
      await callOnRules(order, 'deleteSecurityRule', ruleId)
    },
  }
}

function toParent(order: Order): ParentOrder {
  return { kind: order.kind, orderId: order.id, instanceId: order.instanceId ?? '' }
}
