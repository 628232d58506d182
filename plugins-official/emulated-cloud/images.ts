import { FogbowError, type ImagePlugin } from '@fogbow/plugin-sdk'
import type { Cloud } from './cloud.ts'
import type { ImageConfig } from './config.ts'

export function createImagePart(cloud: Cloud): ImagePlugin {
  return {
    getAllImages: async () => allImages(cloud).map(({ id, name }) => ({ id, name })),
    async getImage(imageId) {
      const { id, name, size = 0, minDisk = 0, minRam = 0 } = findAny(cloud, imageId)
      return { id, name, size, minDisk, minRam, status: isSaved(cloud, id) ? 'active' : 'saving' }
    },
  }
}

/** @throws instance_not_found, also for a snapshot that is not finished */
export function findImage(cloud: Cloud, imageId: string): ImageConfig {
  const image = findAny(cloud, imageId)
  if (isSaved(cloud, imageId)) return image
  throw new FogbowError('instance_not_found', `image '${imageId}' is still being made`)
}

function findAny(cloud: Cloud, imageId: string): ImageConfig {
  const image =
    cloud.records.snapshots.get(imageId) ?? cloud.config.images.find(({ id }) => id === imageId)
  if (image) return image
  throw new FogbowError('instance_not_found', `image '${imageId}' does not exist`)
}

function allImages(cloud: Cloud): ImageConfig[] {
  return [...cloud.config.images, ...cloud.records.snapshots.values()]
}

function isSaved(cloud: Cloud, imageId: string): boolean {
  return (cloud.records.snapshots.get(imageId)?.readyAt ?? 0) <= cloud.clock.now()
}
