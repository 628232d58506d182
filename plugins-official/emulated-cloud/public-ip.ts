import { FogbowError, type PublicIpPlugin } from '@fogbow/plugin-sdk'
import { parseRange } from './addresses.ts'
import { baseView, type Cloud, requested } from './cloud.ts'

const POOL = 'public'

/** A public address lets nobody in before a security rule says so. */
export function createPublicIpPart(cloud: Cloud): PublicIpPlugin {
  const freeAddress = () => {
    const range = parseRange(cloud.config.publicCidr)
    const ip = range && cloud.records.pools.findFree(POOL, range)
    if (ip) return [{ pool: POOL, ip }]
    throw new FogbowError('quota_exceeded', 'the emulated cloud has no public address left')
  }
  return {
    async requestInstance(order) {
      const { computeId } = order.request
      const publicIp = await cloud.make('publicIp', order, () => ({
        details: { computeId: cloud.findForUse('compute', computeId).instanceId },
        occupies: { publicIps: 1 },
        uses: [computeId],
        addresses: freeAddress,
      }))
      return requested(publicIp)
    },

    async getInstance(order) {
      const publicIp = cloud.find('publicIp', order)
      const ip = publicIp.addresses[0]?.ip
      return { ...baseView(cloud, publicIp), ...(ip !== undefined && { ip }) }
    },

    deleteInstance: (order) => cloud.remove('publicIp', order),
  }
}
