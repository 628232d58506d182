import { ComputeManagementClient } from '@azure/arm-compute'
import { ClientSecretCredential } from '@azure/identity'
import { failureOf, sdkPlugin } from './checks.js'

export default sdkPlugin(({ config }) => {
  const credential = new ClientSecretCredential('tenant-1', 'client-1', 'a secret', {
    authorityHost: config.authority,
    disableInstanceDiscovery: true,
    retryOptions: { maxRetries: 0 },
  })
  const client = new ComputeManagementClient(credential, 'subscription-1', {
    endpoint: config.endpoint,
    retryOptions: { maxRetries: 1, retryDelayInMs: 10 },
  })
  return {
    async token() {
      const { token, expiresOnTimestamp } = await credential.getToken('https://management/.default')
      return { token, lasts: expiresOnTimestamp > Date.now() }
    },
    async list() {
      const names = []
      for await (const { name } of client.virtualMachines.listAll()) names.push(name)
      return names
    },
    async create() {
      const { name, provisioningState } = await client.virtualMachines.createOrUpdate(
        'group',
        'vm-9',
        { location: 'westeurope' },
        { updateIntervalInMs: 10 },
      )
      return { name, provisioningState }
    },
    missing: () => failureOf(() => client.virtualMachines.get('group', 'none')),
  }
})
