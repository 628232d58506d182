import { type AttachmentPlugin, FogbowError } from '@fogbow/plugin-sdk'
import { baseView, type Cloud, type Plan, requested } from './cloud.ts'

type Request = Parameters<AttachmentPlugin['requestInstance']>[0]['request']

export function createAttachmentPart(cloud: Cloud): AttachmentPlugin {
  return {
    async requestInstance(order) {
      const attachment = await cloud.make('attachment', order, () => plan(cloud, order.request))
      return requested(attachment)
    },

    async getInstance(order) {
      const attachment = cloud.find('attachment', order)
      const words = { CREATING: 'attaching', READY: 'attached', DELETING: 'detaching' }
      return { ...baseView(cloud, attachment, words), device: attachment.details.device }
    },

    deleteInstance: (order) => cloud.remove('attachment', order),
  }
}

function plan(cloud: Cloud, { computeId, volumeId, device }: Request): Plan<'attachment'> {
  const compute = cloud.findForUse('compute', computeId)
  const volume = cloud.findForUse('volume', volumeId)
  for (const record of [compute, volume]) {
    const state = cloud.stateOf(record)
    if (state === 'CREATING' || state === 'FAILED')
      throw refusal(`${record.kind} ${record.instanceId} is ${state}`)
  }
  const other = cloud.records.usersOf('attachment', volumeId)[0]
  if (other) throw refusal(`volume ${volumeId} is attached to ${other.details.computeId} already`)
  return {
    details: { computeId, volumeId, device: freeDevice(cloud, computeId, device) },
    uses: [computeId, volumeId],
  }
}

function freeDevice(cloud: Cloud, computeId: string, wanted: string | undefined): string {
  const attachments = cloud.records.usersOf('attachment', computeId)
  const taken = new Set(attachments.map(({ details }) => details.device))
  if (wanted && taken.has(wanted))
    throw refusal(`device ${wanted} of compute ${computeId} is taken already`)
  const device = wanted || deviceNames.find((name) => !taken.has(name))
  if (device) return device
  throw refusal(`compute ${computeId} has no free device left`)
}

/** The first one is the root disk. */
const deviceNames = [...'bcdefghijklmnopqrstuvwxyz'].map((letter) => `/dev/vd${letter}`)

function refusal(problem: string): FogbowError {
  return new FogbowError('unacceptable_operation', `cannot attach: ${problem}`)
}
