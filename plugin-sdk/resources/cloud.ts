import { schema } from '../schema/json-schema.ts'
import { defineQueriedResource } from './define-resource.ts'

/** The clouds of a provider; answered by the site itself, the default cloud first. */
export const cloud = defineQueriedResource({
  name: 'cloud',
  type: 'CLOUD_NAME',
  path: 'clouds',
  title: 'Cloud',
  description: 'The clouds of a provider, the default one first',
  view: schema({
    type: 'object',
    required: ['clouds'],
    properties: { clouds: { type: 'array', items: { type: 'string' } } },
  }),
})
