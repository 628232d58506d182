import { FogbowError, type InstanceState, type VolumePlugin } from '@fogbow/plugin-sdk'
import type { Cloud } from './api/cloud.ts'
import type { Fields } from './api/fields.ts'
import { cloudName, tagOf } from './order-tag.ts'
import { type Parts, query, segment } from './parts.ts'

/** Key of the metadata that says for which order a volume was made. */
const ORDER = 'fogbow_order'

/** States of Cinder (Block Storage API v3, "Volumes"); what uses a volume makes it no less ready. */
const states: Readonly<Record<string, InstanceState>> = {
  creating: 'CREATING',
  downloading: 'CREATING',
  available: 'READY',
  'in-use': 'READY',
  reserved: 'READY',
  attaching: 'READY',
  detaching: 'READY',
  uploading: 'READY',
  'backing-up': 'BUSY',
  'restoring-backup': 'BUSY',
  extending: 'BUSY',
  retyping: 'BUSY',
  maintenance: 'BUSY',
  'awaiting-transfer': 'BUSY',
  deleting: 'DELETING',
}

export function createVolumePart({ open, once, config }: Parts): VolumePlugin {
  return {
    async requestInstance(order, token, call) {
      const cloud = await open(token, call)
      const tag = await tagOf(order.orderId)
      const { size, requirements = {} } = order.request
      const create = async () => {
        const type = await chooseType(cloud, requirements, config.volume?.types ?? {})
        const fields = { name: cloudName(order.name, tag), size, metadata: { [ORDER]: tag } }
        const volume = { ...fields, ...(type !== undefined && { volume_type: type }) }
        return (await cloud.post('volume', '/volumes', { volume })).object('volume')
      }
      const find = async () => (await findAll(cloud, tag))[0]
      const volume = await once.make(`volume/${order.orderId}`, find, create)
      return { instanceId: volume.text('id'), allocation: { storage: volume.number('size') } }
    },

    async getInstance({ orderId, instanceId }, token, call) {
      const cloud = await open(token, call)
      const volume =
        instanceId === undefined
          ? await getVolumeOfOrder(cloud, orderId)
          : await getVolume(cloud, instanceId)
      const cloudState = volume.text('status')
      const state = states[cloudState] ?? (cloudState.startsWith('error') ? 'FAILED' : 'UNKNOWN')
      const fault =
        state === 'FAILED' ? await faultOf(cloud, volume.text('id'), cloudState) : undefined
      return {
        state,
        cloudState,
        size: volume.number('size'),
        ...(fault !== undefined && { faultMessage: fault }),
      }
    },

    async deleteInstance({ orderId, instanceId }, token, call) {
      const cloud = await open(token, call)
      const found = await findAll(cloud, await tagOf(orderId))
      const going = new Set(found.filter(isGoing).map((volume) => volume.text('id')))
      const ids = new Set(found.map((volume) => volume.text('id')))
      if (instanceId !== undefined) ids.add(instanceId)
      for (const id of ids)
        if (!going.has(id)) await cloud.delete('volume', `/volumes/${segment(id)}`)
    },
  }
}

/** @throws instance_not_found */
export async function getVolume(cloud: Cloud, volumeId: string): Promise<Fields> {
  const found = await cloud.find('volume', `/volumes/${segment(volumeId)}`)
  if (found) return found.object('volume')
  throw new FogbowError('instance_not_found', `volume '${volumeId}' does not exist in the cloud`)
}

async function getVolumeOfOrder(cloud: Cloud, orderId: string): Promise<Fields> {
  const [found] = await findAll(cloud, await tagOf(orderId))
  if (found) return found
  throw new FogbowError('instance_not_found', `order '${orderId}' has no volume in the cloud`)
}

/** Asked again while it is under way, Cinder refuses. */
function isGoing(volume: Fields): boolean {
  return volume.text('status') === 'deleting'
}

/** The oldest one first. */
async function findAll(cloud: Cloud, tag: string): Promise<Fields[]> {
  const filter = { metadata: JSON.stringify({ [ORDER]: tag }), sort: 'created_at:asc' }
  const volumes = await cloud.list('volume', `/volumes/detail${query(filter)}`, 'volumes')
  // A service that does not know the filter would list everything.
  return volumes.filter((volume) => volume.maybeObject('metadata')?.maybeText(ORDER) === tag)
}

/**
 * A volume type with every requirement: extra specs that the cloud shows, capabilities that the administrator wrote down,
 * and `type`, its name. Without requirements it is the cloud's default.
 */
async function chooseType(
  cloud: Cloud,
  requirements: Readonly<Record<string, string>>,
  written: Readonly<Record<string, Record<string, string>>>,
): Promise<string | undefined> {
  const wanted = Object.entries(requirements)
  if (wanted.length === 0) return undefined
  const types = await cloud.list('volume', '/types', 'volume_types')
  const fits = (type: Fields) => {
    const name = type.text('name')
    const shown = type.maybeObject('extra_specs')?.entries() ?? {}
    const has: Record<string, string> = { ...shown, ...written[name], type: name }
    return wanted.every(([key, value]) => has[key] === value)
  }
  const found = types.find(fits)
  if (found) return found.text('name')
  const demands = wanted.map(([key, value]) => `${key}=${value}`).join(', ')
  throw new FogbowError(
    'unacceptable_operation',
    `no volume type of the cloud has ${demands}; types are ${types.map((type) => type.text('name')).join(', ')}`,
  )
}

/** Cinder tells why in messages of their own; not every cloud lets users read them. */
async function faultOf(cloud: Cloud, volumeId: string, cloudState: string): Promise<string> {
  const filter = query({ resource_uuid: volumeId })
  const messages = await cloud.list('volume', `/messages${filter}`, 'messages').catch(() => [])
  const [last] = messages
  return last?.maybeText('user_message') ?? `the cloud reports ${cloudState}`
}
