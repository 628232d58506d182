import type { QuotaPlugin } from '@fogbow/plugin-sdk'
import type { Cloud } from './cloud.ts'

/** The whole cloud is one account: whoever asks is told the same. */
export function createQuotaPart({ config, records }: Cloud): QuotaPlugin {
  return {
    getUserQuota: async () => ({
      totalQuota: { ...config.quota },
      usedQuota: { ...records.used },
    }),
  }
}
