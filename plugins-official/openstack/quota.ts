import type { QuotaPlugin } from '@fogbow/plugin-sdk'
import type { Cloud } from './api/cloud.ts'
import type { Fields } from './api/fields.ts'
import type { Parts } from './parts.ts'
import { segment } from './parts.ts'

/** A limit and what is used of it; -1 for unlimited and unknown. */
interface Amount {
  total: number
  used: number
}

const unknown: Amount = { total: -1, used: -1 }

/** Three services count, each what is its own. What a cloud has not is unknown. */
export function createQuotaPart({ open }: Parts): QuotaPlugin {
  return {
    async getUserQuota(token, call) {
      const cloud = await open(token, call)
      const [compute, volume, network] = await Promise.all([
        computeAmounts(cloud),
        volumeAmounts(cloud),
        networkAmounts(cloud),
      ])
      const amounts = { ...compute, ...volume, ...network }
      return { totalQuota: pick(amounts, 'total'), usedQuota: pick(amounts, 'used') }
    },
  }
}

async function computeAmounts(cloud: Cloud) {
  const limits = (await cloud.get('compute', '/limits')).object('limits').object('absolute')
  return {
    instances: amountOf(limits, 'maxTotalInstances', 'totalInstancesUsed'),
    vCPU: amountOf(limits, 'maxTotalCores', 'totalCoresUsed'),
    ram: amountOf(limits, 'maxTotalRAMSize', 'totalRAMUsed'),
  }
}

async function volumeAmounts(cloud: Cloud) {
  if (!(await cloud.has('volume'))) return { storage: unknown, volumes: unknown }
  const limits = (await cloud.get('volume', '/limits')).object('limits').object('absolute')
  return {
    storage: amountOf(limits, 'maxTotalVolumeGigabytes', 'totalGigabytesUsed'),
    volumes: amountOf(limits, 'maxTotalVolumes', 'totalVolumesUsed'),
  }
}

async function networkAmounts(cloud: Cloud) {
  if (!(await cloud.has('network'))) return { networks: unknown, publicIps: unknown }
  const project = segment(await cloud.projectId())
  const quota = (await cloud.get('network', `/quotas/${project}/details`)).object('quota')
  const of = (key: string) => amountOf(quota.object(key), 'limit', 'used')
  return { networks: of('network'), publicIps: of('floatingip') }
}

function amountOf(fields: Fields, total: string, used: string): Amount {
  return { total: Math.max(-1, fields.number(total)), used: Math.max(-1, fields.number(used)) }
}

type Names = 'instances' | 'vCPU' | 'ram' | 'storage' | 'volumes' | 'networks' | 'publicIps'

function pick(amounts: Record<Names, Amount>, which: keyof Amount): Record<Names, number> {
  const { instances, vCPU, ram, storage, volumes, networks, publicIps } = amounts
  return {
    instances: instances[which],
    vCPU: vCPU[which],
    ram: ram[which],
    storage: storage[which],
    volumes: volumes[which],
    networks: networks[which],
    publicIps: publicIps[which],
  }
}
