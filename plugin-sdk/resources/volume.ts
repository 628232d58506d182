import { schema } from '../schema/json-schema.ts'
import {
  defineOrderedResource,
  displayName,
  instanceBase,
  placement,
  requirements,
} from './define-resource.ts'

/** A block storage volume. */
export const volume = defineOrderedResource({
  name: 'volume',
  type: 'VOLUME',
  path: 'volumes',
  title: 'Volume',
  description: 'A block storage volume',
  request: schema({
    type: 'object',
    additionalProperties: false,
    required: ['size'],
    properties: {
      ...placement,
      name: displayName,
      size: { type: 'integer', minimum: 1, maximum: 1048576, description: 'GiB' },
      requirements,
    },
  }),
  aliases: { volumeSize: 'size' },
  instance: schema({
    type: 'object',
    required: ['state', 'cloudState', 'size'],
    properties: { ...instanceBase, size: { type: 'integer', minimum: 0, description: 'GiB' } },
  }),
  allocation: { storage: 'size' },
  countedAs: 'volumes',
  hasAllocation: true,
})
