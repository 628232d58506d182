import {
  asFogbowError,
  type CallContext,
  type ComputePlugin,
  FogbowError,
  type LocalToken,
} from '@fogbow/plugin-sdk'
import type { Api, Flavor, Machine } from './api.ts'

const states = {
  building: 'CREATING',
  running: 'READY',
  broken: 'FAILED',
  deleting: 'DELETING',
} as const

export function createComputePart(api: Api): ComputePlugin {
  return {
    /** Safe to repeat: the cloud answers a second `PUT` under one key with the machine that the first one made. */
    async requestInstance({ orderId, name, request }, token, call) {
      // Silently leaving out what was asked for would be worse than to refuse it.
      if ((request.networkIds ?? []).length > 0)
        throw new FogbowError('unacceptable_operation', 'this cloud has no networks to join')
      const flavor = await chooseFlavor(api, request, token, call)
      const machine = { label: name, image: request.imageId, flavor: flavor.id }
      const { id } = await api<Machine>('PUT', pathOf({ orderId }), token, call, machine)
      return { instanceId: id, allocation: sizeOf(flavor) }
    },

    async getInstance(order, token, call) {
      const machine = await api<Machine>('GET', pathOf(order), token, call)
      return {
        state: states[machine.status],
        cloudState: machine.status,
        ...sizeOf(machine.flavor),
        ipAddresses: machine.address === undefined ? [] : [machine.address],
        ...(machine.problem !== undefined && { faultMessage: machine.problem }),
      }
    },

    /** Without an instance id, whatever was made for the order; what is gone already is no failure. */
    async deleteInstance(order, token, call) {
      await api('DELETE', pathOf(order), token, call).catch((error) => {
        if (asFogbowError(error).code !== 'instance_not_found') throw error
      })
    },
  }
}

/** By the key under which it was made, as long as the site does not know the id: a look-up must never name a list. */
function pathOf({ orderId, instanceId }: { orderId: string; instanceId?: string }): string {
  return instanceId === undefined
    ? `/machines/by-key/${encodeURIComponent(orderId)}`
    : `/machines/${encodeURIComponent(instanceId)}`
}

function sizeOf({ cpus, memoryMiB, diskGiB }: Flavor) {
  return { vCPU: cpus, ram: memoryMiB, disk: diskGiB }
}

/** Sizes that are asked for are minima: the smallest flavor that has them. */
async function chooseFlavor(
  api: Api,
  wanted: { vCPU?: number; ram?: number; disk?: number },
  token: LocalToken,
  call: CallContext,
): Promise<Flavor> {
  const { vCPU = 0, ram = 0, disk = 0 } = wanted
  const flavors = await api<Flavor[]>('GET', '/flavors', token, call)
  const [smallest] = flavors
    .filter(({ cpus, memoryMiB, diskGiB }) => cpus >= vCPU && memoryMiB >= ram && diskGiB >= disk)
    .sort((a, b) => a.cpus - b.cpus || a.memoryMiB - b.memoryMiB || a.diskGiB - b.diskGiB)
  if (smallest) return smallest
  throw new FogbowError(
    'unacceptable_operation',
    `no flavor has ${vCPU} vCPU, ${ram} MiB of memory and ${disk} GiB of disk`,
  )
}
