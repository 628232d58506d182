import { placementCandidate, placementRequest } from '../contracts/placement.ts'
import { federationUser, localToken, operation } from '../contracts/shapes.ts'
import { orderedKinds } from '../resources/index.ts'
import { schema, type TypeOf } from '../schema/json-schema.ts'

const id = { type: 'string', minLength: 1, maxLength: 1024 } as const
const credentialSet = {
  type: 'object',
  additionalProperties: { type: 'string', maxLength: 16384 },
} as const
const question = {
  type: 'object',
  additionalProperties: false,
  required: ['user', 'operation', 'type'],
  properties: { user: federationUser, operation, type: { type: 'string' } },
} as const

const ranking = {
  type: 'object',
  additionalProperties: false,
  required: ['request', 'candidates', 'ranked'],
  properties: {
    request: placementRequest,
    candidates: { type: 'array', items: placementCandidate },
    ranked: { type: 'array', items: { type: 'string' } },
  },
} as const

/** Values for the conformance cases that only the author of a plugin knows. All are optional. */
export const samplesSchema = schema({
  type: 'object',
  additionalProperties: false,
  properties: {
    localToken: { ...localToken, description: 'Credential for the cloud; empty when absent' },
    requests: {
      type: 'object',
      propertyNames: { enum: orderedKinds.map((kind) => kind.name) },
      additionalProperties: { type: 'object', additionalProperties: true },
      description:
        'Fields of requests by kind, such as the image of a compute or the size of a volume',
    },
    imageId: { ...id, description: 'An image to boot; the first one listed when absent' },
    credentials: { ...credentialSet, description: 'With which a user can log in' },
    wrongCredentials: {
      type: 'array',
      items: credentialSet,
      description: 'With which nobody can; the right ones with one field changed when absent',
    },
    tokenValue: { type: 'string', description: 'A token, for plugins that read but make none' },
    allowed: { type: 'array', items: question, description: 'What must be authorized' },
    denied: { type: 'array', items: question, description: 'What must be denied' },
    policy: { type: 'string', description: 'A policy that setPolicy and updatePolicy accept' },
    user: { ...federationUser, description: 'A user with an account in the cloud' },
    rankings: { type: 'array', items: ranking, description: 'How sites must be ranked' },
    stranger: { ...federationUser, description: 'A user without one, if that is possible' },
  },
})

export type Samples = TypeOf<typeof samplesSchema>
