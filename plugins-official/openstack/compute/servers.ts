import { FogbowError, type InstanceState } from '@fogbow/plugin-sdk'
import type { Cloud } from '../api/cloud.ts'
import type { Fields } from '../api/fields.ts'
import { tagOf } from '../order-tag.ts'
import { query, segment } from '../parts.ts'

/** Something goes on that ends by itself, or by the hand of an administrator. */
const busy = [
  'REBOOT',
  'HARD_REBOOT',
  'REBUILD',
  'RESIZE',
  'REVERT_RESIZE',
  'MIGRATING',
  'PASSWORD',
  'RESCUE',
]

/** States of a server (Compute API, "Server concepts"). */
const states: Readonly<Record<string, InstanceState>> = {
  BUILD: 'CREATING',
  ACTIVE: 'READY',
  VERIFY_RESIZE: 'READY',
  PAUSED: 'PAUSED',
  SUSPENDED: 'HIBERNATED',
  SHUTOFF: 'STOPPED',
  SHELVED: 'STOPPED',
  SHELVED_OFFLOADED: 'STOPPED',
  ERROR: 'FAILED',
  SOFT_DELETED: 'DELETING',
  DELETED: 'DELETING',
  ...Object.fromEntries(busy.map((status) => [status, 'BUSY' as const])),
}

/** What Nova is doing with a server that leads from one power state to another. */
const powerTasks = /^(pausing|unpausing|suspending|resuming|powering-off|powering-on)$/

export function stateOf(server: Fields): InstanceState {
  const task = server.maybeText('OS-EXT-STS:task_state') ?? ''
  if (task === 'deleting' || task === 'soft-deleting') return 'DELETING'
  if (powerTasks.test(task)) return 'BUSY'
  return states[server.text('status')] ?? 'UNKNOWN'
}

/** @throws instance_not_found */
export async function getServer(cloud: Cloud, serverId: string): Promise<Fields> {
  const found = await cloud.find('compute', `/servers/${segment(serverId)}`)
  if (found) return found.object('server')
  throw new FogbowError('instance_not_found', `compute '${serverId}' does not exist in the cloud`)
}

/** @throws instance_not_found */
export async function getServerOfOrder(cloud: Cloud, orderId: string): Promise<Fields> {
  const [found] = await serversOfOrder(cloud, await tagOf(orderId))
  if (found) return found
  throw new FogbowError('instance_not_found', `order '${orderId}' has no compute in the cloud`)
}

/** The oldest one first. */
export function serversOfOrder(cloud: Cloud, tag: string): Promise<Fields[]> {
  const filter = query({ tags: tag, sort_key: 'created_at', sort_dir: 'asc' })
  return cloud.list('compute', `/servers/detail${filter}`, 'servers')
}

/** @param disks - size of the volume that it was booted from, GiB, when that is known */
export function viewOf(server: Fields, rootDisk?: number) {
  const state = stateOf(server)
  const task = server.maybeText('OS-EXT-STS:task_state')
  const cloudState = [server.text('status'), task].filter(Boolean).join(' ')
  return {
    state,
    cloudState,
    ...sizeOf(server, rootDisk),
    ipAddresses: addressesOf(server),
    ...(state === 'FAILED' && { faultMessage: faultOf(server) }),
  }
}

/** A server in a cell that is down comes without its flavor: its size is not known, and nobody says that it is gone. */
export function sizeOf(server: Fields, rootDisk?: number) {
  const flavor = server.maybeObject('flavor')
  if (!flavor) return { vCPU: 0, ram: 0, disk: rootDisk ?? 0 }
  return {
    vCPU: flavor.number('vcpus'),
    ram: flavor.number('ram'),
    disk: rootDisk ?? flavor.number('disk'),
  }
}

function addressesOf(server: Fields): string[] {
  const networks = server.maybeObject('addresses')
  if (!networks) return []
  return networks
    .keys()
    .flatMap((network) => networks.objects(network))
    .flatMap((address) => address.maybeText('addr') ?? [])
}

function faultOf(server: Fields): string {
  return server.maybeObject('fault')?.maybeText('message') ?? 'the cloud does not say why'
}
