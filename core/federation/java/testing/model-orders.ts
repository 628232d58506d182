import { type FederationUser, FogbowError } from '@fogbow/plugin-sdk'
import type { RemoteCall } from '../../contract.ts'

export interface ModelOrder {
  readonly orderId: string
  readonly kind: string
  readonly cloudName: string
  readonly name: string
  readonly request: Readonly<Record<string, unknown>>
  readonly owner: FederationUser
  readonly requester: string
  generation: number
  state: string
  faultMessage: string | null
  instance: Record<string, unknown> | null
  instanceId: string | null
  allocation: Record<string, number> | null
}

export interface ModelOrders {
  readonly orders: Map<string, ModelOrder>
  readonly rules: { orderId: string; rule: Record<string, unknown> & { id: string } }[]
  answer(call: RemoteCall): Promise<unknown>
}

/** What a site does with what members ask, in memory: enough to drive a dialect from outside. */
export function createModelOrders(): ModelOrders {
  const orders = new Map<string, ModelOrder>()
  const rules: ModelOrders['rules'] = []

  function find({ member, params, user, method }: RemoteCall): ModelOrder {
    const order = orders.get(String(params.orderId))
    const isKind = params.kind === undefined || params.kind === order?.kind
    if (!order || order.requester !== member || !isKind || order.state === 'CLOSED')
      throw new FogbowError('instance_not_found', `there is no order ${params.orderId}`)
    if (method.onBehalf && user?.id !== order.owner.id)
      throw new FogbowError('unauthorized', `${user?.id} does not own ${order.orderId}`)
    return order
  }

  function report(order: ModelOrder) {
    const {
      kind: _k,
      cloudName: _c,
      name: _n,
      request: _r,
      owner: _o,
      requester: _q,
      ...rest
    } = order
    return rest
  }

  const methods: Readonly<Record<string, (call: RemoteCall) => unknown>> = {
    createOrder({ params, user, member }) {
      const { orderId, kind, cloudName = 'c1', name, request } = params as unknown as ModelOrder
      if (orders.has(orderId)) throw new FogbowError('idempotency_conflict', 'order exists')
      const asked = { orderId, kind, cloudName, name, request, requester: member }
      const order: ModelOrder = {
        ...asked,
        owner: user as FederationUser,
        generation: 0,
        state: 'OPEN',
        faultMessage: null,
        instance: null,
        instanceId: null,
        allocation: null,
      }
      orders.set(orderId, order)
      return report(order)
    },
    deleteOrder(call) {
      const order = find(call)
      if (order.state === 'ASSIGNED_FOR_DELETION')
        throw new FogbowError('unacceptable_operation', 'deletion is running')
      order.state = 'ASSIGNED_FOR_DELETION'
    },
    actOnOrder(call) {
      find(call).state = 'PAUSED'
    },
    takeSnapshot: (call) => void find(call),
    getInstance: (call) => report(find(call)),
    readOrder(call) {
      const { requester: _, ...whole } = find(call)
      return whole
    },
    createSecurityRule(call) {
      const id = `rule-${rules.length + 1}`
      rules.push({
        orderId: find(call).orderId,
        rule: { ...(call.params.rule as object), id },
      })
      return { id }
    },
    listSecurityRules(call) {
      const { orderId } = find(call)
      return rules.filter((entry) => entry.orderId === orderId).map(({ rule }) => rule)
    },
    deleteSecurityRule(call) {
      const { orderId } = find(call)
      const at = rules.findIndex(
        (entry) => entry.orderId === orderId && entry.rule.id === call.params.ruleId,
      )
      if (at < 0) throw new FogbowError('instance_not_found', 'no such rule')
      rules.splice(at, 1)
    },
    listClouds: () => ['c1', 'my cloud', 'c2'],
    orderChanged({ params, member }) {
      const order = orders.get(String(params.orderId))
      if (!order || order.requester !== member)
        throw new FogbowError('instance_not_found', 'no such order')
      order.state = String(params.state)
    },
  }

  return {
    orders,
    rules,
    async answer(call) {
      const method = methods[call.method.name]
      if (!method) throw new FogbowError('not_implemented', `no ${call.method.name}`)
      return method(call)
    },
  }
}
