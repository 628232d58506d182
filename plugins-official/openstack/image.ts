import { FogbowError, type ImagePlugin } from '@fogbow/plugin-sdk'
import type { Cloud } from './api/cloud.ts'
import type { Fields } from './api/fields.ts'
import { defaults } from './config.ts'
import { type Parts, query, segment } from './parts.ts'

const PAGE = 100

export function createImagePart({ open, config }: Parts): ImagePlugin {
  const visibilities: readonly string[] = config.image?.visibilities ?? defaults.visibilities
  return {
    async getAllImages(token, call) {
      const cloud = await open(token, call)
      const path = `/images${query({ status: 'active', limit: String(PAGE) })}`
      const images = await cloud.list('image', path, 'images')
      return images
        .filter((image) => visibilities.includes(image.maybeText('visibility') ?? ''))
        .map(nameOf)
    },

    async getImage(imageId, token, call) {
      const image = await findImage(await open(token, call), imageId)
      return {
        ...nameOf(image),
        size: amountOf(image, 'size'),
        minDisk: amountOf(image, 'min_disk'),
        minRam: amountOf(image, 'min_ram'),
        status: image.text('status'),
      }
    },
  }
}

/** @throws instance_not_found */
export async function findImage(cloud: Cloud, imageId: string): Promise<Fields> {
  const image = await cloud.find('image', `/images/${segment(imageId)}`)
  if (image) return image
  throw new FogbowError('instance_not_found', `image '${imageId}' does not exist in the cloud`)
}

/** Images may have no name. */
function nameOf(image: Fields): { id: string; name: string } {
  const id = image.text('id')
  return { id, name: image.maybeText('name') ?? id }
}

/** Sizes are not known before an image has data. */
export function amountOf(image: Fields, key: string): number {
  const value = Number(image.entries()[key] ?? Number.NaN)
  return Number.isSafeInteger(value) && value >= 0 ? value : -1
}
