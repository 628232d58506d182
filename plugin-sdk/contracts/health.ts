import type { CallContext } from '../host.ts'
import { defineContract } from './define-contract.ts'

export const healthContract = defineContract({
  kind: 'health',
  version: 1,
  description: 'Says whether what the plugin needs is there',
  methods: {
    check: {
      params: [],
      timeoutMs: 30_000,
      description:
        'Tries the connection to what is configured, with the credentials of the configuration, and changes nothing. Throws what an administrator has to set right. Asked before a new version or setting takes over, and whenever an administrator wants to know.',
    },
  },
})

export interface HealthPlugin {
  /** @throws FogbowError that names the setting, secret or endpoint, and what is wrong with it */
  check(call: CallContext): Promise<void>
}
