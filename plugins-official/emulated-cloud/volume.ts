import { FogbowError, type VolumePlugin } from '@fogbow/plugin-sdk'
import { baseView, type Cloud, requested } from './cloud.ts'

export function createVolumePart(cloud: Cloud): VolumePlugin {
  const attachmentOf = (instanceId: string) => cloud.records.usersOf('attachment', instanceId)[0]
  return {
    async requestInstance(order) {
      const { size } = order.request
      const volume = await cloud.make('volume', order, () => ({
        details: { size },
        occupies: { volumes: 1, storage: size },
      }))
      return requested(volume, { storage: volume.details.size })
    },

    async getInstance(order) {
      const volume = cloud.find('volume', order)
      const ready = attachmentOf(volume.instanceId) ? 'in-use' : 'available'
      const words = { CREATING: 'creating', READY: ready }
      return { ...baseView(cloud, volume, words), size: volume.details.size }
    },

    deleteInstance: (order) =>
      cloud.remove('volume', order, ({ instanceId }) => {
        const attachment = attachmentOf(instanceId)
        if (!attachment) return []
        throw new FogbowError(
          'unacceptable_operation',
          `volume ${instanceId} is attached to ${attachment.details.computeId}; detach it first`,
        )
      }),
  }
}
