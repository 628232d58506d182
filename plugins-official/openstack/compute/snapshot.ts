import type { Cloud } from '../api/cloud.ts'
import { tagOf } from '../order-tag.ts'
import { type Parts, query, segment } from '../parts.ts'
import { getServer } from './servers.ts'

/** Property of images that says of which order's compute they were made. */
const ORDER = 'fogbow_order'

/** The name tells snapshots of a compute apart: asked again, the one that is there, or being made, will do. */
export async function takeSnapshot(
  cloud: Cloud,
  { once }: Parts,
  wanted: { orderId: string; instanceId: string; name: string },
): Promise<void> {
  const { orderId, instanceId, name } = wanted
  await getServer(cloud, instanceId)
  const tag = await tagOf(orderId)
  const find = async () => {
    const images = await cloud.list('image', `/images${query({ name, [ORDER]: tag })}`, 'images')
    return images.length > 0 || undefined
  }
  const create = async () => {
    const createImage = { name, metadata: { [ORDER]: tag } }
    await cloud.post('compute', `/servers/${segment(instanceId)}/action`, { createImage })
    return true
  }
  await once.make(`snapshot/${orderId}/${name}`, find, create)
}
