import { asFogbowError, FogbowError, type PublicIpPlugin } from '@fogbow/plugin-sdk'
import type { Cloud } from '../api/cloud.ts'
import type { Fields } from '../api/fields.ts'
import { tagOf } from '../order-tag.ts'
import { type Parts, query, segment } from '../parts.ts'
import { portsOfCompute } from './ports.ts'
import { deleteGroup, groupsOfOrder, makeGroup } from './security-group.ts'

/** A floating address of Neutron that leads to a port of the compute, and a group for its rules on that port. */
export function createPublicIpPart(parts: Parts): PublicIpPlugin {
  const { open, once, config } = parts
  return {
    async requestInstance({ orderId, request }, token, call) {
      const cloud = await open(token, call)
      const ports = await usablePorts(cloud, request.computeId, config.compute?.defaultNetwork)
      const tag = await tagOf(orderId)
      const key = `public-ip/${orderId}`
      const find = async () => (await addressesOfOrder(cloud, tag))[0]
      const create = async () => {
        const floating_network_id = await externalNetwork(cloud, config.network?.externalNetwork)
        const floatingip = { floating_network_id, description: tag }
        const answer = await cloud.post('network', '/floatingips', { floatingip })
        return answer.object('floatingip')
      }
      const address = await once.make(key, find, create)
      const instanceId = address.text('id')
      try {
        const group = await makeGroup(cloud, once, key, tag, instanceId)
        const portId = address.maybeText('port_id') ?? (await associate(cloud, instanceId, ports))
        await changeGroups(cloud, portId, (groups) => [...new Set([...groups, group])])
      } catch (error) {
        if (asFogbowError(error).outcome === 'refused')
          await remove(cloud, tag, request.computeId, undefined).catch(() => undefined)
        throw error
      }
      return { instanceId }
    },

    async getInstance({ orderId, instanceId }, token, call) {
      const cloud = await open(token, call)
      if (instanceId === undefined) {
        const [address] = await addressesOfOrder(cloud, await tagOf(orderId))
        if (address) return viewOf(address)
        throw notThere(`order '${orderId}' has no public address in the cloud`)
      }
      const found = await cloud.find('network', `/floatingips/${segment(instanceId)}`)
      if (found) return viewOf(found.object('floatingip'))
      throw notThere(`public address '${instanceId}' does not exist in the cloud`)
    },

    async deleteInstance({ orderId, instanceId, request }, token, call) {
      const cloud = await open(token, call)
      await remove(cloud, await tagOf(orderId), request.computeId, instanceId)
    },
  }
}

function notThere(message: string): FogbowError {
  return new FogbowError('instance_not_found', message)
}

function viewOf(address: Fields) {
  const cloudState = address.text('status')
  const ip = address.text('floating_ip_address')
  const leadsSomewhere = address.maybeText('port_id') !== undefined
  const state = leadsSomewhere ? (cloudState === 'ACTIVE' ? 'READY' : 'CREATING') : 'FAILED'
  if (cloudState === 'ERROR') return { state: 'FAILED' as const, cloudState, ip }
  return {
    state: state as 'READY' | 'CREATING' | 'FAILED',
    cloudState,
    ip,
    ...(!leadsSomewhere && { faultMessage: `${ip} does not lead to a compute any more` }),
  }
}

/** Ports of a compute that an address can lead to; that in the default network first, which is the likeliest. */
async function usablePorts(
  cloud: Cloud,
  computeId: string,
  defaultNetwork: string | undefined,
): Promise<string[]> {
  const ports = await portsOfCompute(cloud, computeId)
  const isLate = (port: Fields) => Number(port.maybeText('network_id') !== defaultNetwork)
  const usable = ports
    .filter((port) => port.objects('fixed_ips').some(isIpv4))
    .sort((a, b) => isLate(a) - isLate(b))
  if (usable.length > 0) return usable.map((port) => port.text('id'))
  throw new FogbowError(
    'unacceptable_operation',
    `compute '${computeId}' has no address in the cloud that a public one could lead to`,
  )
}

function isIpv4(fixed: Fields): boolean {
  return fixed.maybeText('ip_address')?.includes('.') === true
}

/** Not every network of a compute has a way to the outside: the next port is tried when the cloud refuses one. */
async function associate(
  cloud: Cloud,
  addressId: string,
  ports: readonly string[],
): Promise<string> {
  let refusal: unknown
  for (const port_id of ports) {
    try {
      const path = `/floatingips/${segment(addressId)}`
      await cloud.put('network', path, { floatingip: { port_id } })
      return port_id
    } catch (error) {
      if (asFogbowError(error).outcome !== 'refused') throw error
      refusal = error
    }
  }
  const why = asFogbowError(refusal).message
  throw new FogbowError('unacceptable_operation', `no port of the compute can be reached: ${why}`)
}

const MOST_ATTEMPTS = 5

/** The groups of a port are one list: it is changed only if nobody else has changed it since it was read. */
async function changeGroups(
  cloud: Cloud,
  portId: string,
  change: (groups: string[]) => string[],
): Promise<void> {
  for (let attempts = 1; ; attempts += 1) {
    const found = await cloud.find('network', `/ports/${segment(portId)}`)
    if (!found) return
    const port = found.object('port')
    const before = port.texts('security_groups')
    const after = change(before)
    if (after.length === before.length) return
    try {
      const body = { port: { security_groups: after } }
      const match = { 'if-match': `revision_number=${port.number('revision_number')}` }
      await cloud.put('network', `/ports/${segment(portId)}`, body, match)
      return
    } catch (error) {
      const wasChanged = asFogbowError(error).details.status === 412
      if (!wasChanged || attempts === MOST_ATTEMPTS) throw error
    }
  }
}

async function remove(
  cloud: Cloud,
  tag: string,
  computeId: string,
  instanceId: string | undefined,
): Promise<void> {
  const addresses = await addressesOfOrder(cloud, tag)
  const ids = new Set(addresses.map((address) => address.text('id')))
  if (instanceId !== undefined) ids.add(instanceId)
  for (const id of ids) await cloud.delete('network', `/floatingips/${segment(id)}`)
  const groups = await groupsOfOrder(cloud, tag)
  if (groups.length === 0) return
  for (const port of await portsOfCompute(cloud, computeId))
    await changeGroups(cloud, port.text('id'), (has) => has.filter((id) => !groups.includes(id)))
  for (const group of groups) await deleteGroup(cloud, group)
}

function addressesOfOrder(cloud: Cloud, tag: string): Promise<Fields[]> {
  return cloud.list('network', `/floatingips${query({ description: tag })}`, 'floatingips')
}

async function externalNetwork(cloud: Cloud, configured: string | undefined): Promise<string> {
  if (configured !== undefined) return configured
  const filter = query({ 'router:external': 'true' })
  const networks = await cloud.list('network', `/networks${filter}`, 'networks')
  const [first, ...more] = networks
  if (first && more.length === 0) return first.text('id')
  const names = networks.map((network) => `${network.text('name')} (${network.text('id')})`)
  throw new FogbowError(
    'configuration_error',
    `the cloud has ${networks.length} external networks: set network.externalNetwork to the id of one; ${names.join(', ')}`,
  )
}
