import type { ObjectSchema, Schema, TypeOf } from '../schema/json-schema.ts'

/**
 * - `ordered`: asked for by an order, which has a life cycle of its own;
 * - `queried`: read from the cloud, never created through Fogbow;
 * - `nested`: lives inside an ordered resource and has no order of its own.
 */
export type Lifecycle = 'ordered' | 'queried' | 'nested'

/** State of an instance as its plugin sees it, whatever the words of the cloud. */
export const instanceStates = [
  'CREATING',
  'READY',
  'BUSY',
  'PAUSED',
  'HIBERNATED',
  'STOPPED',
  'FAILED',
  'DELETING',
  'UNKNOWN',
] as const
export type InstanceState = (typeof instanceStates)[number]

/** What can be done with an instance once it exists; the method that the plugin may offer for it. */
export interface PowerAction {
  /** Last part of the REST path and of the CLI verb. */
  name: string
  /** Name of the operation that authorization is asked about, and of its form for all orders of one user. */
  operation: string
  operationForAll: string
  method: string
  title: string
}

/** Looks at a request that is valid against its schema. */
export type RequestCheck = (
  request: Readonly<Record<string, unknown>>,
) => { field: string; message: string } | undefined

interface KindBase {
  /** Name in code, contracts and configuration, such as `publicIp`. */
  name: string
  /** Name on the wire of authorization, audit and federation, such as `PUBLIC_IP`. */
  type: string
  /** Path segment of the REST API, such as `publicIps`. */
  path: string
  title: string
  description: string
}

export interface OrderedKind extends KindBase {
  lifecycle: 'ordered'
  /** What a user orders. Sizes are minima; defaults are filled in before validation. */
  request: ObjectSchema & Schema
  /** Names that older clients use for fields of the request: alias → field. */
  aliases: Record<string, string>
  /** Fields of the request that hold order ids (one or a list): field → kind. They must be of the same provider and cloud. */
  references: Record<string, string>
  /** Where referenced orders are shown: a list of `{id, name}` gets them added, a single one shows its name there. */
  shownReferences: Record<string, string>
  /** Field whose order gives provider and cloud, when the request has none of its own. */
  placedBy?: string
  /** What a schema cannot say of a request. @returns the field and what is wrong with it */
  check?: RequestCheck
  /** What a plugin reports of an instance, beside `state`, `cloudState` and `faultMessage`. */
  instance: ObjectSchema & Schema
  /** Fields that are shown from the order instead of the instance. */
  shownFromOrder: readonly string[]
  /** Fields shown under a second name as well, for older clients: field → alias. */
  shownAlso: Record<string, string>
  /** What an instance uses of a quota: name in allocation answers → field of the instance. Counts come by themselves. */
  allocation: Record<string, string>
  /** Name of this kind's count in quotas, such as `instances` or `publicIps`. */
  countedAs?: string
  hasAllocation: boolean
  actions: readonly PowerAction[]
  hasSnapshot: boolean
}

export interface QueriedKind extends KindBase {
  lifecycle: 'queried'
  summary?: ObjectSchema & Schema
  view: ObjectSchema & Schema
}

export interface NestedKind extends KindBase {
  lifecycle: 'nested'
  /** Kinds of the orders it can live in. */
  parents: readonly string[]
  request: ObjectSchema & Schema
  check?: RequestCheck
  aliases: Record<string, string>
  view: ObjectSchema & Schema
}

export type ResourceKind = OrderedKind | QueriedKind | NestedKind

type OrderedDefaults =
  | 'aliases'
  | 'references'
  | 'shownReferences'
  | 'shownFromOrder'
  | 'shownAlso'
  | 'allocation'
  | 'actions'
  | 'hasSnapshot'

/** Keeps the exact types of what was declared: types of requests and views are derived from them. */
type Defined<K, Kind> = K & Omit<Kind, keyof K>

export function defineOrderedResource<
  const K extends Omit<OrderedKind, OrderedDefaults | 'lifecycle'> & Partial<OrderedKind>,
>(kind: K): Defined<K, OrderedKind> {
  return {
    aliases: {},
    references: {},
    shownReferences: {},
    shownFromOrder: [],
    shownAlso: {},
    allocation: {},
    actions: [],
    hasSnapshot: false,
    ...kind,
    lifecycle: 'ordered',
  } as unknown as Defined<K, OrderedKind>
}

export function defineQueriedResource<const K extends Omit<QueriedKind, 'lifecycle'>>(
  kind: K,
): Defined<K, QueriedKind> {
  return { ...kind, lifecycle: 'queried' } as unknown as Defined<K, QueriedKind>
}

export function defineNestedResource<
  const K extends Omit<NestedKind, 'lifecycle' | 'aliases'> & Partial<NestedKind>,
>(kind: K): Defined<K, NestedKind> {
  return { aliases: {}, ...kind, lifecycle: 'nested' } as unknown as Defined<K, NestedKind>
}

/** What a user orders, as validated. */
export type RequestOf<K extends { request: Schema }> = TypeOf<K['request']>
/** What a plugin reports of an instance of this kind. */
export type InstanceOf<K extends { instance: Schema }> = TypeOf<K['instance']>
export type ViewOf<K extends { view: Schema }> = TypeOf<K['view']>

/** Fields that every request of a kind placed by provider and cloud has. */
export const placement = {
  provider: {
    type: 'string',
    minLength: 1,
    maxLength: 255,
    description:
      'Member that provides the resource, `any` for whichever takes it; when absent the local one, unless the site sends such orders to any',
  },
  cloudName: {
    type: 'string',
    minLength: 1,
    maxLength: 255,
    description: 'Cloud of that provider; its default cloud when absent',
  },
} as const

export const displayName = {
  type: 'string',
  minLength: 1,
  maxLength: 255,
  description: 'Name shown to the user; `fogbow-` and a random UUID when absent',
} as const

export const orderId = (description: string) =>
  ({ type: 'string', minLength: 1, maxLength: 1024, description }) as const

/** Cloud-specific capabilities asked for, such as extra specs of a flavor. */
export const requirements = {
  type: 'object',
  maxProperties: 64,
  additionalProperties: { type: 'string', maxLength: 1024 },
  description: 'Capabilities that the flavor or type must have, as key and value',
} as const

/** Fields that every instance reported by a plugin has. */
export const instanceBase = {
  state: { type: 'string', enum: instanceStates, description: 'State in the words of the SDK' },
  cloudState: { type: 'string', maxLength: 255, description: "State in the cloud's own words" },
  faultMessage: {
    type: 'string',
    maxLength: 1024,
    description: 'Why it failed, in words a user understands',
  },
  name: { type: 'string', maxLength: 255 },
} as const
