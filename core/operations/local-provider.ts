import type { ParentOrder } from '@fogbow/plugin-sdk'
import type { LocalClouds } from '../clouds/index.ts'
import type { Order } from '../orders/index.ts'
import { type Image, ruleDeletion, ruleMaking, snapshotTaking } from './cloud-effects.ts'
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
    takeSnapshot(order, name, { once }) {
      const lists = clouds.offers(order.cloudName, 'image', 'getAllImages')
      const images = async () =>
        (await clouds.call(order.owner, order.cloudName, 'image', 'getAllImages', [])) as Image[]
      const take = () => clouds.takeSnapshot(order, name)
      return once(snapshotTaking(name, { take, ...(lists && { images }) }))
    },
    createRule(order, rule, { once }) {
      const make = async () => (await callOnRules(order, 'requestSecurityRule', rule)) as string
      return once(ruleMaking(rule, { rules: () => listRules(order), make }))
    },
    listRules,
    deleteRule(order, ruleId, { once }) {
      const remove = async () => void (await callOnRules(order, 'deleteSecurityRule', ruleId))
      const parent = `${order.kind} ${order.id}`
      return once(ruleDeletion(ruleId, parent, { rules: () => listRules(order), remove }))
    },
  }
}

function toParent(order: Order): ParentOrder {
  return { kind: order.kind, orderId: order.id, instanceId: order.instanceId ?? '' }
}
