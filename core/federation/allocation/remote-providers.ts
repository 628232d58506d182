import type { FederationUser } from '@fogbow/plugin-sdk'
import type { CloudQuery, Provider, RemoteProviders, Rule } from '../../operations/index.ts'
import type { Order } from '../../orders/index.ts'
import type { CallSettings, Federation, MemberId, MemberView } from '../contract.ts'
import { actionKey } from './remote-orders.ts'

/** Method of a member for each method of a cloud plugin. */
const methods: Readonly<Record<CloudQuery['method'], string>> = {
  getAllImages: 'listImages',
  getImage: 'getImage',
  getAllSpecs: 'listSpecs',
  getFlavor: 'getSpec',
  getUserQuota: 'getQuota',
}

/** Other members as providers. Users are sent as their home site, this one, knows them; orders act for their owner. */
export function createRemoteProviders(
  federation: Pick<Federation, 'call' | 'members'>,
  views: () => MemberView[] = federation.members,
): RemoteProviders {
  const others = (all: MemberView[]) => all.filter(({ local }) => !local)
  const status = () => others(views())
  const members = () => others(federation.members()).map(({ id }) => id)
  return { members, status, of: (member) => createRemoteProvider(federation, member) }
}

function createRemoteProvider(federation: Pick<Federation, 'call'>, member: MemberId): Provider {
  const ask = (
    user: FederationUser,
    method: string,
    params: Record<string, unknown>,
    settings: CallSettings = {},
  ) => federation.call(member, method, params, { user, ...settings })

  const onOrder = (order: Order, method: string, params: object = {}, key?: string) =>
    ask(
      order.owner,
      method,
      { kind: order.kind, orderId: order.id, ...params },
      key === undefined ? {} : { key: `${method}/${order.id}/${key}` },
    )

  return {
    isLocal: false,
    listClouds: async (user, signal) => (await ask(user, 'listClouds', {}, { signal })) as string[],
    defaultCloud: () => '',
    cloudProblem: () => undefined,
    offers: () => true,
    query: (user, { cloudName, method, id }, signal) =>
      ask(user, methods[method], { cloudName, ...(id !== undefined && { id }) }, { signal }),
    async act(order, action) {
      const params = { kind: order.kind, orderId: order.id, action }
      // The state that it puts the order into has the next version; the engine asks under the same key and joins.
      await ask(order.owner, 'actOnOrder', params, { key: actionKey(order, order.version + 1) })
    },
    async takeSnapshot(order, name, { key }) {
      await onOrder(order, 'takeSnapshot', { name }, key)
    },
    async createRule(order, rule, { key }) {
      const answer = await onOrder(order, 'createSecurityRule', { rule }, key)
      return (answer as { id: string | null }).id
    },
    listRules: async (order) => (await onOrder(order, 'listSecurityRules')) as Rule[],
    async deleteRule(order, ruleId, { key }) {
      const { cloudName } = order
      const params = { ruleId, ...(cloudName !== '' && { cloudName }) }
      await onOrder(order, 'deleteSecurityRule', params, key)
    },
  }
}
