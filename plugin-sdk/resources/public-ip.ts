import { schema } from '../schema/json-schema.ts'
import { defineOrderedResource, instanceBase, orderId } from './define-resource.ts'

/** A public address bound to a compute. */
export const publicIp = defineOrderedResource({
  name: 'publicIp',
  type: 'PUBLIC_IP',
  path: 'publicIps',
  title: 'Public IP',
  description: 'A public address bound to a compute',
  request: schema({
    type: 'object',
    additionalProperties: false,
    required: ['computeId'],
    properties: { computeId: orderId('Order id of the compute') },
  }),
  references: { computeId: 'compute' },
  shownReferences: { computeId: 'computeName' },
  placedBy: 'computeId',
  instance: schema({
    type: 'object',
    required: ['state', 'cloudState'],
    properties: { ...instanceBase, ip: { type: 'string', maxLength: 64 } },
  }),
  countedAs: 'publicIps',
  hasAllocation: true,
})
