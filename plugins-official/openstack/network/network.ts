import { FogbowError, type InstanceState, type NetworkPlugin } from '@fogbow/plugin-sdk'
import { type Cloud, isCode } from '../api/cloud.ts'
import type { Fields } from '../api/fields.ts'
import { defaults } from '../config.ts'
import { cloudName, tagOf } from '../order-tag.ts'
import { type Parts, query, segment } from '../parts.ts'
import { deleteGroup, groupsOfOrder, makeGroup } from './security-group.ts'

type Order = Parameters<NetworkPlugin['requestInstance']>[0]

const states: Readonly<Record<string, InstanceState>> = {
  ACTIVE: 'READY',
  BUILD: 'CREATING',
  DOWN: 'CREATING',
  ERROR: 'FAILED',
}

/** A network of Neutron with one subnet and a group for its rules; and with a way out, when a router is configured. */
export function createNetworkPart(parts: Parts): NetworkPlugin {
  const { open, once, config } = parts
  return {
    async requestInstance(order, token, call) {
      const cloud = await open(token, call)
      const tag = await tagOf(order.orderId)
      const key = `network/${order.orderId}`
      const find = async () => (await networksOfOrder(cloud, tag))[0]?.text('id')
      const create = async () => {
        const network = { name: cloudName(order.name, tag), description: tag }
        return (await cloud.post('network', '/networks', { network })).object('network').text('id')
      }
      const networkId = await once.make(key, find, create)
      try {
        const subnetId = await makeSubnet(cloud, parts, order, networkId)
        await makeGroup(cloud, once, key, tag, networkId)
        if (config.network?.router !== undefined)
          await connect(cloud, parts, order, networkId, subnetId, config.network.router)
      } catch (error) {
        await undoIfRefused(cloud, parts, error, tag)
        throw error
      }
      return { instanceId: networkId }
    },

    async getInstance({ orderId, instanceId }, token, call) {
      const cloud = await open(token, call)
      const id = instanceId ?? (await idOfOrder(cloud, orderId))
      const network = await getNetwork(cloud, id)
      const [subnet] = await subnetsOf(cloud, id)
      return viewOf(network, subnet)
    },

    async deleteInstance({ orderId, instanceId }, token, call) {
      await remove(await open(token, call), parts, await tagOf(orderId), instanceId)
    },
  }
}

async function makeSubnet(
  cloud: Cloud,
  { once, config }: Parts,
  { orderId, request }: Order,
  networkId: string,
): Promise<string> {
  const { cidr = config.network?.defaultCidr ?? defaults.cidr, gateway, allocationMode } = request
  const find = async () => (await subnetsOf(cloud, networkId))[0]?.text('id')
  const create = async () => {
    const subnet = {
      network_id: networkId,
      ip_version: 4,
      cidr,
      enable_dhcp: allocationMode !== 'static',
      dns_nameservers: config.network?.dnsServers ?? [],
      ...(gateway !== undefined && { gateway_ip: gateway }),
    }
    return (await cloud.post('network', '/subnets', { subnet })).object('subnet').text('id')
  }
  return once.make(`network/${orderId}/subnet`, find, create)
}

async function connect(
  cloud: Cloud,
  { once }: Parts,
  { orderId }: Order,
  networkId: string,
  subnetId: string,
  router: string,
): Promise<void> {
  const find = async () => (await routerPorts(cloud, networkId, router)).length > 0 || undefined
  const create = async () => {
    const path = `/routers/${segment(router)}/add_router_interface`
    await cloud.put('network', path, { subnet_id: subnetId })
    return true
  }
  await once.make(`network/${orderId}/router`, find, create)
}

/** Of what is refused half-way nothing stays. */
async function undoIfRefused(
  cloud: Cloud,
  parts: Parts,
  error: unknown,
  tag: string,
): Promise<void> {
  if (!(error instanceof FogbowError) || error.outcome !== 'refused') return
  await remove(cloud, parts, tag, undefined).catch((problem) => {
    parts.host.log.warn('what a refused network left is still there', {
      problem: String(problem.message),
    })
  })
}

/** First the network, which the cloud refuses as long as something uses it. */
async function remove(
  cloud: Cloud,
  { config }: Parts,
  tag: string,
  instanceId: string | undefined,
): Promise<void> {
  const ids = new Set((await networksOfOrder(cloud, tag)).map((network) => network.text('id')))
  if (instanceId !== undefined) ids.add(instanceId)
  const router = config.network?.router
  for (const id of ids) {
    if (router !== undefined) await disconnect(cloud, id, router)
    await cloud.delete('network', `/networks/${segment(id)}`)
  }
  for (const group of await groupsOfOrder(cloud, tag)) await deleteGroup(cloud, group)
}

async function disconnect(cloud: Cloud, networkId: string, router: string): Promise<void> {
  for (const port of await routerPorts(cloud, networkId, router)) {
    const path = `/routers/${segment(router)}/remove_router_interface`
    await cloud.put('network', path, { port_id: port.text('id') }).catch((error) => {
      // Somebody else did it meanwhile.
      if (!isCode(error, 'instance_not_found')) throw error
    })
  }
}

function routerPorts(cloud: Cloud, networkId: string, router: string): Promise<Fields[]> {
  const filter = query({ network_id: networkId, device_id: router })
  return cloud.list('network', `/ports${filter}`, 'ports')
}

function networksOfOrder(cloud: Cloud, tag: string): Promise<Fields[]> {
  return cloud.list('network', `/networks${query({ description: tag, fields: 'id' })}`, 'networks')
}

async function idOfOrder(cloud: Cloud, orderId: string): Promise<string> {
  const [found] = await networksOfOrder(cloud, await tagOf(orderId))
  if (found) return found.text('id')
  throw new FogbowError('instance_not_found', `order '${orderId}' has no network in the cloud`)
}

function subnetsOf(cloud: Cloud, networkId: string): Promise<Fields[]> {
  return cloud.list('network', `/subnets${query({ network_id: networkId })}`, 'subnets')
}

async function getNetwork(cloud: Cloud, networkId: string): Promise<Fields> {
  const found = await cloud.find('network', `/networks/${segment(networkId)}`)
  if (found) return found.object('network')
  throw new FogbowError('instance_not_found', `network '${networkId}' does not exist in the cloud`)
}

function viewOf(network: Fields, subnet: Fields | undefined) {
  const cloudState = network.text('status')
  const cidr = subnet?.maybeText('cidr')
  const gateway = subnet?.maybeText('gateway_ip')
  const vLAN = network.entries()['provider:segmentation_id']
  return {
    state: states[cloudState] ?? ('UNKNOWN' as const),
    cloudState,
    allocationMode:
      subnet?.flag('enable_dhcp') === false ? ('static' as const) : ('dynamic' as const),
    interfaceState: network.flag('admin_state_up') ? 'up' : 'down',
    ...(cidr !== undefined && { cidr }),
    ...(gateway !== undefined && { gateway }),
    ...(vLAN !== undefined && { vLAN }),
  }
}
