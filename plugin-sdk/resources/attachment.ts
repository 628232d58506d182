import { schema } from '../schema/json-schema.ts'
import { defineOrderedResource, instanceBase, orderId } from './define-resource.ts'

/** A volume attached to a compute. */
export const attachment = defineOrderedResource({
  name: 'attachment',
  type: 'ATTACHMENT',
  path: 'attachments',
  title: 'Attachment',
  description: 'A volume attached to a compute',
  request: schema({
    type: 'object',
    additionalProperties: false,
    required: ['computeId', 'volumeId'],
    properties: {
      computeId: orderId('Order id of the compute'),
      volumeId: orderId('Order id of the volume'),
      device: {
        type: 'string',
        maxLength: 255,
        description: 'Device wanted, such as /dev/sdb; chosen by the cloud when absent',
      },
    },
  }),
  references: { computeId: 'compute', volumeId: 'volume' },
  shownReferences: { computeId: 'computeName', volumeId: 'volumeName' },
  placedBy: 'volumeId',
  instance: schema({
    type: 'object',
    required: ['state', 'cloudState'],
    properties: { ...instanceBase, device: { type: 'string', maxLength: 255 } },
  }),
  hasAllocation: false,
})
