import {
  type CallContext,
  FogbowError,
  type ImagePlugin,
  type LocalToken,
  type QuotaPlugin,
  type SpecPlugin,
} from '@fogbow/plugin-sdk'
import type { Api, Flavor, Image, Limits } from './api.ts'

/** What can be ordered, and how much of it. */
export function createCatalogueParts(api: Api): {
  image: ImagePlugin
  spec: SpecPlugin
  quota: QuotaPlugin
} {
  const images = (token: LocalToken, call: CallContext) =>
    api<Image[]>('GET', '/images', token, call)
  const flavors = (token: LocalToken, call: CallContext) =>
    api<Flavor[]>('GET', '/flavors', token, call)
  return {
    image: {
      getAllImages: images,
      async getImage(imageId, token, call) {
        const { id, name } = find(await images(token, call), imageId, 'image')
        return { id, name, size: -1, minDisk: -1, minRam: -1 }
      },
    },
    spec: {
      getAllSpecs: async (token, call) =>
        (await flavors(token, call)).map(({ id, name }) => ({ id, name })),
      async getFlavor(specId, token, call) {
        const flavor = find(await flavors(token, call), specId, 'flavor')
        const { id, name, cpus, memoryMiB, diskGiB } = flavor
        return { id, name, vCPU: cpus, ram: memoryMiB, disk: diskGiB }
      },
    },
    quota: {
      async getUserQuota(token, call) {
        const { machines } = await api<Limits>('GET', '/limits', token, call)
        return {
          totalQuota: { ...unknown, instances: machines.limit },
          usedQuota: { ...unknown, instances: machines.used },
        }
      },
    },
  }
}

/** -1 says that the cloud has no such limit, or does not tell. */
const unknown = { vCPU: -1, ram: -1, storage: -1, volumes: -1, networks: -1, publicIps: -1 }

function find<Entry extends { id: string }>(
  list: readonly Entry[],
  id: string,
  what: string,
): Entry {
  const found = list.find((entry) => entry.id === id)
  if (found) return found
  throw new FogbowError('instance_not_found', `${what} '${id}' does not exist`)
}
