import { federationUser, orderedKinds, resources, type Schema } from '@fogbow/plugin-sdk'
import type { RemoteMethod } from '../contract.ts'

const orderId = { type: 'string', minLength: 1, maxLength: 64 } as const
const cloudName = { type: 'string', minLength: 1, maxLength: 64 } as const
const foreignId = { type: 'string', minLength: 1, maxLength: 1024 } as const
const word = { type: 'string', minLength: 1, maxLength: 64 } as const
const object = { type: 'object' } as const
const kind = { type: 'string', enum: orderedKinds.map(({ name }) => name) } as const

const orderFields = {
  orderId,
  /** Grows with every change at the provider: what is older than what is known is not believed. */
  generation: { type: 'integer', minimum: 0 },
  state: word,
  /** The cloud that the provider took. */
  cloudName,
  faultMessage: { type: ['string', 'null'], maxLength: 4096 },
  instance: { type: ['object', 'null'] },
  instanceId: { type: ['string', 'null'], maxLength: 1024 },
  allocation: { type: ['object', 'null'], additionalProperties: { type: 'number' } },
  observedAt: { type: ['integer', 'null'], minimum: 0 },
} as const
const orderRequired = ['orderId', 'generation', 'state']

/** An order as its provider knows it. */
const remoteOrder = fields(orderFields, orderRequired)

/** And what was asked for. */
const wholeOrder = fields(
  {
    ...orderFields,
    kind,
    name: { type: 'string', maxLength: 255 },
    request: object,
    owner: federationUser,
  },
  [...orderRequired, 'kind', 'cloudName', 'name', 'request', 'owner'],
)

const summaries = {
  type: 'array',
  items: fields({ id: foreignId, name: { type: 'string', maxLength: 1024 } }, ['id', 'name']),
} as Schema

const listed = fields({ kind, orderId }, ['kind', 'orderId'])
const inCloud = fields({ cloudName }, ['cloudName'])
const oneInCloud = fields({ cloudName, id: foreignId }, ['cloudName', 'id'])
const underParent = { kind, orderId }

/** How long a provider may take that has to ask its cloud first. */
const CLOUD_MS = 30_000
const OWN_MS = 10_000

/** Everything that a site asks another about orders and clouds: one entry each, for both dialects and both sides. */
export const allocationMethods: readonly RemoteMethod[] = [
  command('createOrder', {
    params: fields(
      {
        orderId,
        kind,
        cloudName,
        name: { type: 'string', maxLength: 255 },
        request: object,
      },
      ['orderId', 'kind', 'name', 'request'],
    ),
    result: remoteOrder,
  }),
  command('deleteOrder', { params: listed, aboutExisting: true }),
  command('actOnOrder', {
    params: fields({ kind, orderId, action: word }, ['kind', 'orderId', 'action']),
  }),
  /** What its owner allows to be done for an order while nobody is there; `number` says which word of the site is newer. */
  command('setDelegation', {
    params: fields(
      {
        ...{ kind, orderId, number: { type: 'integer', minimum: 1 }, revoked: { type: 'boolean' } },
        reason: { type: ['string', 'null'], maxLength: 255 },
        expiresAt: { type: ['integer', 'null'], minimum: 0 },
      },
      ['kind', 'orderId', 'number', 'revoked'],
    ),
    aboutExisting: true,
  }),
  command('takeSnapshot', {
    params: fields({ kind, orderId, name: { type: 'string', maxLength: 255 } }, [
      'kind',
      'orderId',
      'name',
    ]),
    timeoutMs: CLOUD_MS,
  }),
  /** The order as it is stored, without asking the cloud: how a site follows its orders where it is not told of them. */
  read('getOrder', { params: listed, result: remoteOrder, aboutExisting: true }),
  /**
   * The order as it is stored and as it was asked for, for the site that asked. Sites of the original service follow their
   * orders so, and name neither user nor kind.
   */
  {
    ...read('readOrder', { params: fields({ orderId }, ['orderId']), result: wholeOrder }),
    onBehalf: false,
    aboutExisting: true,
  },
  /** The order after a look at the cloud, for a user who reads it. */
  read('getInstance', {
    params: listed,
    result: remoteOrder,
    timeoutMs: CLOUD_MS,
    aboutExisting: true,
  }),
  command('createSecurityRule', {
    params: fields({ ...underParent, rule: object }, ['kind', 'orderId', 'rule']),
    result: fields({ id: { type: ['string', 'null'], maxLength: 1024 } }, ['id']),
    timeoutMs: CLOUD_MS,
  }),
  read('listSecurityRules', {
    params: listed,
    result: { type: 'array', items: object } as Schema,
    timeoutMs: CLOUD_MS,
    aboutExisting: true,
  }),
  command('deleteSecurityRule', {
    params: fields({ ...underParent, ruleId: foreignId, cloudName }, ['kind', 'orderId', 'ruleId']),
    timeoutMs: CLOUD_MS,
    aboutExisting: true,
  }),
  read('listClouds', {
    params: fields({}, []),
    result: { type: 'array', items: cloudName } as Schema,
  }),
  read('listImages', { params: inCloud, result: summaries, timeoutMs: CLOUD_MS }),
  read('getImage', {
    params: oneInCloud,
    result: resources.image.view as Schema,
    timeoutMs: CLOUD_MS,
  }),
  read('listSpecs', { params: inCloud, result: summaries, timeoutMs: CLOUD_MS }),
  read('getSpec', {
    params: oneInCloud,
    result: resources.spec.view as Schema,
    timeoutMs: CLOUD_MS,
  }),
  read('getQuota', {
    params: inCloud,
    result: resources.quota.view as Schema,
    timeoutMs: CLOUD_MS,
  }),
  /** What the provider tells the requester of one of its orders, without being asked. */
  {
    name: 'orderChanged',
    effect: 'command',
    direction: 'to requester',
    onBehalf: false,
    params: remoteOrder,
    timeoutMs: OWN_MS,
    aboutExisting: true,
    newest: { of: 'orderId', by: 'generation' },
  },
]

/** How a user travels: as the home site describes them, and without any token of a cloud. */
export const travellingUser = federationUser

interface Given {
  aboutExisting?: true
  params: Schema
  result?: Schema
  timeoutMs?: number
}

function read(name: string, given: Given): RemoteMethod {
  return onBehalf(name, 'read', given)
}

function command(name: string, given: Given): RemoteMethod {
  return onBehalf(name, 'command', given)
}

function onBehalf(name: string, effect: RemoteMethod['effect'], given: Given): RemoteMethod {
  return { name, effect, direction: 'to provider', onBehalf: true, timeoutMs: OWN_MS, ...given }
}

function fields(properties: Record<string, Schema>, required: readonly string[]): Schema {
  return { type: 'object', properties, required, additionalProperties: false } as Schema
}
