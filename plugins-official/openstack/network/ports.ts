import type { Cloud } from '../api/cloud.ts'
import type { Fields } from '../api/fields.ts'
import type { Once } from '../once.ts'
import { query, segment } from '../parts.ts'
import { findGroup } from './security-group.ts'

/**
 * A port of a compute in a network that was ordered: it is made before the compute, so that it has the rules of that
 * network and of no other.
 */
export async function makePort(
  cloud: Cloud,
  once: Once,
  orderKey: string,
  tag: string,
  networkId: string,
): Promise<string> {
  const find = async () => (await portsOfOrder(cloud, tag, networkId))[0]?.text('id')
  const create = async () => {
    const group = await findGroup(cloud, networkId)
    const groups = group === undefined ? {} : { security_groups: [group] }
    const port = { network_id: networkId, description: tag, ...groups }
    return (await cloud.post('network', '/ports', { port })).object('port').text('id')
  }
  return once.make(`${orderKey}/port/${networkId}`, find, create)
}

export function portsOfOrder(cloud: Cloud, tag: string, networkId?: string): Promise<Fields[]> {
  const filter = { description: tag, ...(networkId !== undefined && { network_id: networkId }) }
  return cloud.list('network', `/ports${query(filter)}`, 'ports')
}

export function portsOfCompute(cloud: Cloud, computeId: string): Promise<Fields[]> {
  return cloud.list('network', `/ports${query({ device_id: computeId })}`, 'ports')
}

export async function deletePorts(cloud: Cloud, tag: string): Promise<void> {
  for (const port of await portsOfOrder(cloud, tag))
    await cloud.delete('network', `/ports/${segment(port.text('id'))}`)
}
