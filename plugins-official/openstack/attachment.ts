import { type AttachmentPlugin, FogbowError, type InstanceState } from '@fogbow/plugin-sdk'
import type { Cloud } from './api/cloud.ts'
import type { Fields } from './api/fields.ts'
import { tagOf } from './order-tag.ts'
import { type Parts, segment } from './parts.ts'
import { getVolume } from './volume.ts'

/**
 * Key of the volume's metadata that says for which order it is attached: Nova knows attachments by server and volume
 * only, and another order may have attached the same volume to the same server before, or since. Nova's own tags of
 * devices will not do: with drivers that keep no metadata of devices, what has one cannot be detached again.
 */
const CLAIM = 'fogbow_attachment'

/** No attachment is on its way in, or out. */
const atRest = new Set(['available', 'deleting'])

export function createAttachmentPart({ open, once }: Parts): AttachmentPlugin {
  return {
    async requestInstance(order, token, call) {
      const cloud = await open(token, call)
      const tag = await tagOf(order.orderId)
      const { computeId, volumeId, device } = order.request
      const find = async () => (await findOwn(cloud, computeId, volumeId, tag)) && true
      const create = async () => {
        assertFree(await getVolume(cloud, volumeId), volumeId)
        await claim(cloud, volumeId, tag)
        const volumeAttachment = { volumeId, ...(device && { device }) }
        const path = `/servers/${segment(computeId)}/os-volume_attachments`
        await cloud.post('compute', path, { volumeAttachment })
        // Somebody may have claimed it meanwhile, and was refused.
        await claim(cloud, volumeId, tag)
        return true
      }
      await once.make(`attachment/${order.orderId}`, find, create)
      return { instanceId: toId(computeId, volumeId) }
    },

    async getInstance({ orderId, request, instanceId }, token, call) {
      const cloud = await open(token, call)
      const [computeId, volumeId] = placeOf(request, instanceId)
      const volume = await findOwn(cloud, computeId, volumeId, await tagOf(orderId))
      if (volume) return viewOf(volume, computeId)
      throw new FogbowError(
        'instance_not_found',
        `volume '${volumeId}' is not attached to compute '${computeId}' for this order`,
      )
    },

    async deleteInstance({ orderId, request, instanceId }, token, call) {
      const cloud = await open(token, call)
      const [computeId, volumeId] = placeOf(request, instanceId)
      const volume = await findOwn(cloud, computeId, volumeId, await tagOf(orderId))
      // Asked again while it is under way, Nova refuses.
      if (!volume || volume.text('status') === 'detaching') return
      const path = `/servers/${segment(computeId)}/os-volume_attachments/${segment(volumeId)}`
      await cloud.delete('compute', path)
    },
  }
}

/** The volume, if it is attached to that server, or about to be, and for that order. */
async function findOwn(
  cloud: Cloud,
  computeId: string,
  volumeId: string,
  tag: string,
): Promise<Fields | undefined> {
  if (volumeId === '') return undefined
  const found = await cloud.find('volume', `/volumes/${segment(volumeId)}`)
  const volume = found?.object('volume')
  if (volume?.maybeObject('metadata')?.maybeText(CLAIM) !== tag) return undefined
  // On its way in and out a volume lists no server, and is not free yet either.
  const isMoving = volume.objects('attachments').length === 0 && !atRest.has(volume.text('status'))
  return isMoving || attachmentOf(volume, computeId) ? volume : undefined
}

function attachmentOf(volume: Fields, computeId: string): Fields | undefined {
  return volume.objects('attachments').find((each) => each.maybeText('server_id') === computeId)
}

async function claim(cloud: Cloud, volumeId: string, tag: string): Promise<void> {
  const path = `/volumes/${segment(volumeId)}/metadata`
  await cloud.post('volume', path, { metadata: { [CLAIM]: tag } })
}

/** Nova would refuse it as well, but only after the volume was claimed for this order. */
function assertFree(volume: Fields, volumeId: string): void {
  const status = volume.text('status')
  if (status !== 'available')
    throw new FogbowError(
      'unacceptable_operation',
      `volume '${volumeId}' is ${status} in the cloud: it can be attached only when available`,
    )
}

function viewOf(volume: Fields, computeId: string) {
  const status = volume.text('status')
  const attachment = attachmentOf(volume, computeId)
  const device = attachment?.maybeText('device')
  return {
    state: stateOf(status, attachment !== undefined),
    cloudState: status,
    ...(status.startsWith('error') && {
      faultMessage: `the cloud reports ${status} for the volume`,
    }),
    ...(device !== undefined && { device }),
  }
}

function stateOf(volumeStatus: string, isListed: boolean): InstanceState {
  if (volumeStatus === 'detaching') return 'DELETING'
  if (volumeStatus === 'reserved' || volumeStatus === 'attaching') return 'CREATING'
  if (volumeStatus.startsWith('error')) return 'FAILED'
  return isListed ? 'READY' : 'BUSY'
}

const SEPARATOR = '/'

function toId(computeId: string, volumeId: string): string {
  return `${computeId}${SEPARATOR}${volumeId}`
}

function placeOf(
  request: { computeId: string; volumeId: string },
  instanceId: string | undefined,
): [computeId: string, volumeId: string] {
  if (instanceId === undefined) return [request.computeId, request.volumeId]
  const [computeId = '', volumeId = ''] = instanceId.split(SEPARATOR)
  return [computeId, volumeId]
}
