import type { CallContext } from '../host.ts'
import { orderedKinds } from '../resources/index.ts'
import { amounts } from '../resources/quota.ts'
import { schema, type TypeOf } from '../schema/json-schema.ts'
import { defineContract } from './define-contract.ts'
import { federationUser } from './shapes.ts'

const { id, identityProviderId, roles, attributes } = federationUser.properties
const provider = { type: 'string', minLength: 1, maxLength: 255 } as const
const reason = { type: 'string', maxLength: 1024 } as const

/** What somebody orders without saying where. Never holds tokens or credentials. */
export const placementRequest = schema({
  type: 'object',
  required: ['kind', 'request', 'user'],
  properties: {
    kind: { type: 'string', enum: orderedKinds.map((kind) => kind.name) },
    request: {
      type: 'object',
      additionalProperties: true,
      description: 'Fields of the request of that kind, without user data and keys',
    },
    user: {
      type: 'object',
      required: ['id', 'identityProviderId', 'roles'],
      properties: { id, identityProviderId, roles, attributes },
    },
  },
})
export type PlacementRequest = TypeOf<typeof placementRequest>

/** A site that may be asked, with what is known of it at present. What is not known is absent. */
export const placementCandidate = schema({
  type: 'object',
  required: ['provider', 'local', 'liveness'],
  properties: {
    provider,
    local: { type: 'boolean', description: 'Whether it is the site that asks' },
    liveness: {
      type: 'string',
      enum: ['alive', 'silent', 'unknown'],
      description: '`unknown` until it was heard of',
    },
    latencyMs: { type: 'number', minimum: 0, description: 'Round trip of its last sign of life' },
    clouds: {
      type: 'array',
      maxItems: 256,
      items: { type: 'string', maxLength: 255 },
      description: 'Its clouds, the default one first',
    },
    quota: {
      type: 'object',
      required: ['total', 'used'],
      properties: { total: amounts, used: amounts },
      description: 'Of the user, in the cloud to which the order would go; some seconds old',
    },
    lastRefusal: {
      type: 'object',
      required: ['reason', 'at'],
      properties: {
        reason,
        at: { type: 'integer', minimum: 0, description: 'ms since the epoch' },
      },
      description: 'When it last refused the user something of this kind, and why',
    },
  },
})
export type PlacementCandidate = TypeOf<typeof placementCandidate>

/** The sites to be asked, best first, and why others are not. Who is in neither list is not asked either. */
export const placementRanking = schema({
  type: 'object',
  required: ['ranked'],
  properties: {
    ranked: { type: 'array', maxItems: 1024, uniqueItems: true, items: provider },
    leftOut: {
      type: 'array',
      maxItems: 1024,
      items: {
        type: 'object',
        required: ['provider', 'reason'],
        properties: { provider, reason: { ...reason, description: 'In words for the user' } },
      },
    },
  },
})
export type PlacementRanking = TypeOf<typeof placementRanking>

export const placementContract = defineContract({
  kind: 'placement',
  version: 1,
  description: 'Says which sites are asked for something that is ordered from any of them',
  methods: {
    rankProviders: {
      params: [
        { name: 'request', schema: placementRequest },
        {
          name: 'candidates',
          schema: schema({ type: 'array', maxItems: 1024, items: placementCandidate }),
        },
      ],
      result: placementRanking,
      timeoutMs: 5_000,
      description:
        'Puts candidates into the order in which they are asked; the next one is asked when one refuses. Asked again after each refusal, with the candidates that are left.',
    },
  },
})

export interface PlacementPlugin {
  rankProviders(
    request: PlacementRequest,
    candidates: PlacementCandidate[],
    call: CallContext,
  ): Promise<PlacementRanking>
}
