import { schema } from '../schema/json-schema.ts'
import { defineQueriedResource } from './define-resource.ts'

const id = { type: 'string', minLength: 1, maxLength: 255 } as const
const name = {
  type: 'string',
  maxLength: 255,
  description: 'Never null: clients concatenate it',
} as const

/** A boot image of a cloud. */
export const image = defineQueriedResource({
  name: 'image',
  type: 'IMAGE',
  path: 'images',
  title: 'Image',
  description: 'A boot image of a cloud',
  summary: schema({ type: 'object', required: ['id', 'name'], properties: { id, name } }),
  view: schema({
    type: 'object',
    required: ['id', 'name'],
    properties: {
      id,
      name,
      size: { type: 'integer', minimum: -1, default: -1, description: 'Bytes; -1 unknown' },
      minDisk: { type: 'integer', minimum: -1, default: -1, description: 'GiB; -1 unknown' },
      minRam: { type: 'integer', minimum: -1, default: -1, description: 'MiB; -1 unknown' },
      status: { type: 'string', maxLength: 255 },
    },
  }),
})
