import { schema, type TypeOf } from '../schema/json-schema.ts'

const text = { type: 'string', maxLength: 1024 } as const
const userId = { type: 'string', minLength: 1, maxLength: 255 } as const

/** What a user presents to log in: names and values that the token generator of the site understands. */
export const credentials = schema({
  type: 'object',
  maxProperties: 32,
  additionalProperties: { type: 'string', maxLength: 16384 },
})
export type Credentials = TypeOf<typeof credentials>

/** The text that travels in the header `Fogbow-User-Token`. */
export const tokenValue = schema({ type: 'string', minLength: 1, maxLength: 16384 })

const attributes = {
  type: 'object',
  maxProperties: 64,
  additionalProperties: { anyOf: [text, { type: 'array', items: text, maxItems: 256 }] },
  description: 'What the identity provider says of the user, such as groups or e-mail',
} as const

const roles = {
  type: 'array',
  maxItems: 256,
  items: { type: 'string', minLength: 1, maxLength: 255 },
} as const

/**
 * A user of the federation. Two users are the same person when `id` and `identityProviderId` are equal.
 * (`cloud.fogbow.common.models.SystemUser` of the original system.)
 */
export const federationUser = schema({
  type: 'object',
  required: ['id', 'identityProviderId', 'name', 'roles'],
  properties: { id: userId, identityProviderId: userId, name: text, roles, attributes },
})
export type FederationUser = TypeOf<typeof federationUser>

/** A federation user together with the token that a request carried. Nothing in it is trusted before `isAuthentic` said yes. */
export const federationUserToken = schema({
  type: 'object',
  required: ['id', 'identityProviderId', 'name', 'roles', 'tokenValue', 'expiresAt'],
  properties: {
    id: userId,
    identityProviderId: userId,
    name: text,
    roles,
    attributes,
    tokenValue,
    expiresAt: { type: 'integer', minimum: 0, description: 'ms since the epoch' },
  },
})
export type FederationUserToken = TypeOf<typeof federationUserToken>

/** What is about to be done; `owner` is there when it concerns an existing order. */
export const operation = schema({
  type: 'object',
  required: ['name', 'provider', 'requester'],
  properties: {
    name: {
      type: 'string',
      description:
        'create, get, getAll, delete, pause, takeSnapshot, reload … (the original names)',
    },
    provider: { type: 'string', description: 'Member at which it is to be done' },
    requester: { type: 'string', description: 'Member from which the request came' },
    cloud: { type: 'string', description: 'Cloud concerned, if any' },
    package: { type: 'string', description: 'Package of plugins concerned, if any' },
    owner: {
      type: 'object',
      required: ['id', 'identityProviderId'],
      properties: { id: userId, identityProviderId: userId },
    },
  },
})
export type Operation = TypeOf<typeof operation>

/** A credential for a cloud, in whatever form the cloud's plugins understand. Cached until `expiresAt`. */
export const localToken = schema({
  type: 'object',
  maxProperties: 64,
  properties: {
    expiresAt: {
      type: 'integer',
      minimum: 0,
      description: 'ms since the epoch; not cached beyond a minute when absent',
    },
  },
  additionalProperties: true,
})
export type LocalToken = { expiresAt?: number; [key: string]: unknown }

/** The part of an order that every cloud plugin is given. */
export interface PluginOrder<Request> {
  /** Idempotency key: requests with the same order id never make a second instance. */
  orderId: string
  /** The cloud's own id, once it is known. */
  instanceId?: string
  name: string
  /** What the user asked for; ids of referenced orders are replaced by the ids of their instances in the cloud. */
  request: Request
  owner: { id: string; identityProviderId: string }
}

export interface RequestedInstance {
  /** The cloud's own id of the instance, unique within that cloud. */
  instanceId: string
  /** What the instance really occupies, such as the size of the flavor chosen. */
  allocation?: Record<string, number>
}

export const requestedInstance = schema({
  type: 'object',
  required: ['instanceId'],
  properties: {
    instanceId: { type: 'string', minLength: 1, maxLength: 1024 },
    allocation: {
      type: 'object',
      maxProperties: 16,
      additionalProperties: { type: 'integer', minimum: 0 },
    },
  },
})
