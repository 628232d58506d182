import { type ComputePlugin, FogbowError, type PluginOrder } from '@fogbow/plugin-sdk'
import { parseRange } from './addresses.ts'
import { baseView, type Cloud, type Plan, requested } from './cloud.ts'
import { chooseFlavor } from './flavors.ts'
import { findImage } from './images.ts'
import type { InstanceRecord } from './record.ts'

type Compute = InstanceRecord<'compute'>
type ComputeOrder = Parameters<ComputePlugin['requestInstance']>[0]
type Request = ComputeOrder['request']

export function createComputePart(cloud: Cloud): ComputePlugin {
  const act = (action: keyof typeof actions) => (order: PluginOrder<Request>) =>
    changePower(cloud, cloud.find('compute', order), action)
  return {
    async requestInstance(order) {
      const compute = await cloud.make('compute', order, () => plan(cloud, order.request))
      const { vCPU, ram, disk } = compute.details
      return requested(compute, { vCPU, ram, disk })
    },

    async getInstance(order) {
      const compute = cloud.find('compute', order)
      const { vCPU, ram, disk } = compute.details
      const { id, name } = cloud.config.defaultNetwork
      return {
        ...baseView(cloud, compute),
        vCPU,
        ram,
        disk,
        ipAddresses: compute.addresses.map(({ ip }) => ip),
        networks: [{ id, name }],
      }
    },

    /** Volumes are detached, and public addresses come loose, as clouds do. */
    deleteInstance: (order) =>
      cloud.remove('compute', order, ({ instanceId }) =>
        cloud.records.usersOf('attachment', instanceId).filter((user) => user.goneAt === undefined),
      ),

    pauseInstance: act('pause'),
    hibernateInstance: act('hibernate'),
    stopInstance: act('stop'),
    resumeInstance: act('resume'),
    takeSnapshot: (order, name) => takeSnapshot(cloud, cloud.find('compute', order), name),
  }
}

function plan(cloud: Cloud, request: Request): Plan<'compute'> {
  const image = findImage(cloud, request.imageId)
  const flavor = chooseFlavor(cloud.config.specs, request, image)
  const networkIds = [...new Set(request.networkIds)]
  for (const id of networkIds) cloud.findForUse('network', id)
  const { vCPU, ram, disk } = flavor
  return {
    details: { flavorId: flavor.id, vCPU, ram, disk, imageId: image.id },
    occupies: { instances: 1, vCPU, ram },
    uses: networkIds,
    addresses: () => [
      addressIn(cloud, cloud.config.defaultNetwork.id, cloud.config.defaultNetwork.cidr),
      ...networkIds.map((id) => {
        const { cidr, gateway } = cloud.findForUse('network', id).details
        return addressIn(cloud, id, cidr, gateway)
      }),
    ],
  }
}

function addressIn(cloud: Cloud, pool: string, cidr: string, gateway?: string) {
  const range = parseRange(cidr)
  const ip = range && cloud.records.pools.findFree(pool, range, gateway)
  if (ip) return { pool, ip }
  throw new FogbowError('unacceptable_operation', `network ${pool} has no free address left`)
}

/** From which states an action is possible, and to which it leads. */
const actions = {
  pause: { from: ['READY'], to: 'PAUSED' },
  hibernate: { from: ['READY'], to: 'HIBERNATED' },
  stop: { from: ['READY', 'PAUSED'], to: 'STOPPED' },
  resume: { from: ['PAUSED', 'HIBERNATED', 'STOPPED'], to: 'READY' },
} as const

async function changePower(
  cloud: Cloud,
  compute: Compute,
  action: keyof typeof actions,
): Promise<void> {
  await cloud.records.stored(compute)
  const { from, to } = actions[action]
  const state = cloud.stateOf(compute)
  const isUnderWay = state === 'BUSY' && compute.details.power?.to === to
  if (state === to || isUnderWay) return
  if (!from.some((possible) => possible === state))
    throw new FogbowError(
      'unacceptable_operation',
      `compute ${compute.instanceId} is ${state}: it can ${action} only when ${from.join(' or ')}`,
    )
  const doneAt = cloud.clock.now() + cloud.config.delaysMs.action
  await cloud.records.change(compute, { ...compute.details, power: { action, to, doneAt } })
}

/** The name tells snapshots of a compute apart: asked again, the one that is there will do. */
async function takeSnapshot(cloud: Cloud, compute: Compute, name: string): Promise<void> {
  const state = cloud.stateOf(compute)
  if (state === 'CREATING' || state === 'FAILED' || state === 'DELETING')
    throw new FogbowError(
      'unacceptable_operation',
      `compute ${compute.instanceId} is ${state}: no snapshot can be made of it`,
    )
  const computeId = compute.instanceId
  const known = [...cloud.records.snapshots.values()]
  if (known.some((image) => image.computeId === computeId && image.name === name)) return
  await cloud.records.addSnapshot({
    id: `image-${crypto.randomUUID()}`,
    name,
    computeId,
    minDisk: compute.details.disk,
    minRam: 0,
    readyAt: cloud.clock.now() + cloud.config.delaysMs.action,
  })
}
