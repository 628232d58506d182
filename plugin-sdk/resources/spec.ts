import { schema } from '../schema/json-schema.ts'
import { defineQueriedResource } from './define-resource.ts'

const id = { type: 'string', minLength: 1, maxLength: 255 } as const
const name = { type: 'string', maxLength: 255 } as const

/** A hardware specification (flavor, instance type, service offering) of a cloud. */
export const spec = defineQueriedResource({
  name: 'spec',
  type: 'SPEC',
  path: 'specs',
  title: 'Spec',
  description: 'A hardware specification (flavor) of a cloud',
  summary: schema({ type: 'object', required: ['id', 'name'], properties: { id, name } }),
  view: schema({
    type: 'object',
    required: ['id', 'name', 'vCPU', 'ram', 'disk'],
    properties: {
      id,
      name,
      vCPU: { type: 'integer', minimum: 0 },
      ram: { type: 'integer', minimum: 0, description: 'MiB' },
      disk: { type: 'integer', minimum: 0, description: 'GiB' },
      requirements: {
        type: 'object',
        additionalProperties: { type: 'string', maxLength: 1024 },
        maxProperties: 256,
      },
    },
  }),
})
