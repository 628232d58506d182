import type { MemberConnector, Order, OrderReport } from '../../orders/index.ts'
import type { CallSettings, Federation, MemberId } from '../contract.ts'

export interface RemoteOrders extends MemberConnector {
  /** The member told of a change by itself. */
  heardFrom(member: MemberId): void
}

/**
 * The way of the order engine to other members. The keys of commands say which logical request they belong to, so that
 * asking again, also after a restart, joins what was asked before.
 */
export function createRemoteOrders(
  federation: Pick<Federation, 'call'>,
  now: () => number,
): RemoteOrders {
  const heard = new Map<MemberId, number>()

  const call = (order: Order, method: string, params: object, settings: CallSettings = {}) =>
    federation.call(
      order.provider,
      method,
      { kind: order.kind, orderId: order.id, ...params },
      { user: order.owner, ...settings },
    )

  async function report(order: Order, method: string, params: object = {}, key?: string) {
    return (await call(order, method, params, key === undefined ? {} : { key })) as OrderReport
  }

  return {
    createOrder: (order) =>
      report(order, 'createOrder', toRequest(order), `createOrder/${order.id}`),
    getOrder: (order) => report(order, 'getOrder'),
    getInstance: (order) => report(order, 'getInstance'),
    async deleteOrder(order) {
      await call(order, 'deleteOrder', {}, { key: `deleteOrder/${order.id}/${order.refusals}` })
    },
    async actOnOrder(order, action) {
      const key = actionKey(order, order.version)
      await call(order, 'actOnOrder', { action }, { key })
    },
    async setDelegation(order, { number, revokedAt, reason, expiresAt }) {
      const params = { number, revoked: revokedAt !== null, reason, expiresAt }
      await call(order, 'setDelegation', params, { key: `setDelegation/${order.id}/${number}` })
    },
    tellsChanges: (provider) =>
      now() - (heard.get(provider) ?? Number.NEGATIVE_INFINITY) < TELLS_MS,
    heardFrom: (member) => void heard.set(member, now()),
  }
}

/** A member that told of something within this time will tell again. */
const TELLS_MS = 24 * 3_600_000

/** Names an action by the state that it puts the order into: the version that the order has while it is in it. */
export function actionKey(order: Order, version: number): string {
  return `actOnOrder/${order.id}/${version}`
}

/** What the user asked for, without where: the provider is told by being asked. */
function toRequest(order: Order) {
  const { provider: _provider, cloudName: _cloudName, name: _name, ...request } = order.request
  const cloud = order.cloudName === '' ? {} : { cloudName: order.cloudName }
  return { ...cloud, name: order.name, request }
}
