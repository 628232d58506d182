import { schema } from '../schema/json-schema.ts'
import { defineQueriedResource } from './define-resource.ts'

const amount = (description: string) =>
  ({
    type: 'integer',
    minimum: -1,
    description: `${description}; -1 unlimited or unknown`,
  }) as const

/** Amounts of one cloud account. */
export const amounts = schema({
  type: 'object',
  required: ['instances', 'vCPU', 'ram', 'storage', 'volumes', 'networks', 'publicIps'],
  properties: {
    instances: amount('Computes'),
    vCPU: amount('Virtual CPUs'),
    ram: amount('Memory, MiB'),
    storage: amount('Volume storage, GiB'),
    volumes: amount('Volumes'),
    networks: amount('Networks'),
    publicIps: amount('Public addresses'),
  },
})

/** Limits and use of the cloud account that a user is mapped to. What is available follows from the two. */
export const quota = defineQueriedResource({
  name: 'quota',
  type: 'QUOTA',
  path: 'quota',
  title: 'Quota',
  description: 'Limits and use of the cloud account that the user is mapped to',
  view: schema({
    type: 'object',
    required: ['totalQuota', 'usedQuota'],
    properties: { totalQuota: amounts, usedQuota: amounts },
  }),
})
