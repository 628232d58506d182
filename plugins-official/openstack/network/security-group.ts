import { FogbowError } from '@fogbow/plugin-sdk'
import type { Cloud } from '../api/cloud.ts'
import type { Fields } from '../api/fields.ts'
import type { Once } from '../once.ts'
import { query, segment } from '../parts.ts'

/**
 * Every network and public address has a group of its own, which holds its rules. It is named after the instance, so that
 * computes that join a network find it.
 */
const nameOf = (instanceId: string) => `fogbow-${instanceId}`

export async function makeGroup(
  cloud: Cloud,
  once: Once,
  orderKey: string,
  tag: string,
  instanceId: string,
): Promise<string> {
  const create = async () => {
    const fields = { name: nameOf(instanceId), description: tag }
    const answer = await cloud.post('network', '/security-groups', { security_group: fields })
    return answer.object('security_group').text('id')
  }
  return once.make(`${orderKey}/group`, () => findGroup(cloud, instanceId), create)
}

export async function findGroup(cloud: Cloud, instanceId: string): Promise<string | undefined> {
  const [group] = await groups(cloud, { name: nameOf(instanceId) })
  return group?.text('id')
}

/** @throws instance_not_found */
export async function getGroup(cloud: Cloud, instanceId: string): Promise<string> {
  const found = await findGroup(cloud, instanceId)
  if (found !== undefined) return found
  throw new FogbowError(
    'instance_not_found',
    `'${instanceId}' does not exist in the cloud, or has no security group`,
  )
}

/** What an order left, also when the instance that it was for is gone. */
export async function groupsOfOrder(cloud: Cloud, tag: string): Promise<string[]> {
  return (await groups(cloud, { description: tag })).map((group) => group.text('id'))
}

export function deleteGroup(cloud: Cloud, groupId: string): Promise<void> {
  return cloud.delete('network', `/security-groups/${segment(groupId)}`)
}

function groups(cloud: Cloud, filter: Record<string, string>): Promise<Fields[]> {
  const fields = query({ ...filter, fields: 'id' })
  return cloud.list('network', `/security-groups${fields}`, 'security_groups')
}
