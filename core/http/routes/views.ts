import type { NestedKind, OrderedKind, QueriedKind } from '@fogbow/plugin-sdk'
import { shownAs } from '../../orders/index.ts'
import type { ApiSchema } from './route.ts'

/** States in which the REST API shows instances. */
export const shownStates: readonly string[] = [...new Set(Object.values(shownAs))]

const text = { type: 'string' } as const
const state = { type: 'string', enum: shownStates }

export function object(title: string, properties: Record<string, ApiSchema>): ApiSchema {
  return { title, ...objectOf(properties) }
}

/** Part of another view, without a name of its own. */
export function objectOf(properties: Record<string, ApiSchema>): ApiSchema {
  return { type: 'object', required: Object.keys(properties), properties }
}

export function listOf(items: ApiSchema): ApiSchema {
  return { type: 'array', items }
}

export const createdId = object('CreatedId', {
  id: { type: 'string', description: 'Id under which the new resource is asked for' },
})

export const version = object('Version', { version: text })
export const publicKey = object('PublicKey', {
  publicKey: { type: 'string', description: 'base64 of an X.509 SubjectPublicKeyInfo, one line' },
})

export const statusEntry = object('StatusEntry', {
  instanceId: { type: 'string', description: 'Order id' },
  instanceName: text,
  provider: text,
  cloudName: text,
  state,
})

export const orderOutcome: ApiSchema = {
  title: 'OrderOutcome',
  type: 'object',
  required: ['id', 'outcome'],
  properties: {
    id: { type: 'string', description: 'Order id' },
    outcome: { type: 'string', enum: ['done', 'unchanged', 'refused'] },
    message: { type: 'string', description: 'Why it was refused' },
  },
}

export const orderHistoryEntry = object('OrderHistoryEntry', {
  timestamp: { type: 'string', format: 'date-time' },
  state: { type: 'string', description: 'State of the order' },
  message: { type: ['string', 'null'] },
})

/** Body of every error. */
export const errorView: ApiSchema = {
  title: 'Error',
  type: 'object',
  required: ['message', 'details', 'code', 'requestId'],
  properties: {
    message: { type: 'string', description: 'For people: what is wrong and what to do' },
    details: { type: 'string', description: '`uri=` and the path of the request' },
    code: { type: 'string', description: 'For programs: entry of the error catalogue' },
    field: { type: 'string', description: 'The field concerned, such as `userData[0].tag`' },
    requestId: { type: 'string', description: 'Under which the log and the audit have it' },
  },
}

/** What a client may send for a kind: unknown fields are ignored, aliases are understood. */
export function requestView(kind: OrderedKind | NestedKind): ApiSchema {
  const properties: Record<string, unknown> = { ...kind.request.properties }
  for (const [alias, field] of Object.entries(kind.aliases)) {
    const target = kind.request.properties[field] as ApiSchema
    properties[alias] = { ...target, deprecated: true, description: `Older name of \`${field}\`` }
  }
  return {
    title: `${titleOf(kind)}Request`,
    description: kind.description,
    type: 'object',
    required: kind.request.required ?? [],
    properties,
  }
}

const considered = {
  type: 'array',
  description:
    'Of an order that could go to any site: those considered, and why others were not taken',
  items: {
    type: 'object',
    required: ['provider', 'outcome', 'reason', 'at'],
    properties: {
      provider: text,
      outcome: { type: 'string', enum: ['leftOut', 'refused', 'chosen'] },
      reason: { type: ['string', 'null'] },
      at: { type: 'string', format: 'date-time' },
    },
  },
}

/** An instance as `GET` shows it: common part, what the plugin reports, what is copied from the order. */
export function instanceView(kind: OrderedKind): ApiSchema {
  const properties: Record<string, unknown> = {
    id: { type: 'string', description: 'Order id' },
    provider: text,
    cloudName: text,
    state,
    cloudState: { type: ['string', 'null'], description: "State in the cloud's own words" },
    ready: { type: 'boolean' },
    faultMessage: { type: 'string', description: 'Empty when there is none' },
  }
  const required = Object.keys(properties)
  const reported = kind.instance.properties
  for (const [name, schema] of Object.entries(reported)) {
    properties[name] ??= nullable(schema as ApiSchema)
  }
  for (const name of kind.shownFromOrder) {
    properties[name] ??= nullable(kind.request.properties[name] as ApiSchema)
  }
  for (const field of singleReferences(kind)) {
    properties[field] = { type: ['string', 'null'], description: 'Order id' }
    const shown = kind.shownReferences[field]
    if (shown) properties[shown] = { type: ['string', 'null'], description: 'Name of that order' }
  }
  for (const [field, alias] of Object.entries(kind.shownAlso)) {
    properties[alias] = nullable({
      ...(reported[field] as ApiSchema),
      description: `Same as \`${field}\``,
    })
  }
  properties.considered = considered
  if (kind.actions.length > 0) {
    for (const name of ['paused', 'hibernated', 'stopped']) properties[name] = { type: 'boolean' }
  }
  return {
    title: titleOf(kind),
    description: kind.description,
    type: 'object',
    required,
    properties,
  }
}

export function allocationView(kind: OrderedKind): ApiSchema {
  const amounts = ['instances', ...Object.keys(kind.allocation)].map((name) => [
    name,
    { type: 'integer', minimum: 0 },
  ])
  return object(`${titleOf(kind)}Allocation`, Object.fromEntries(amounts))
}

export function queriedView(kind: QueriedKind | NestedKind): ApiSchema {
  return {
    title: titleOf(kind),
    description: kind.description,
    type: 'object',
    required: kind.view.required ?? [],
    properties: Object.fromEntries(
      Object.entries(kind.view.properties).map(([name, schema]) => [
        name,
        isRequired(kind, name) ? schema : nullable(schema as ApiSchema),
      ]),
    ),
  }
}

/** A view that says where it was read as well, as the original service's do. */
export function placedView(kind: QueriedKind | NestedKind): ApiSchema {
  const view = queriedView(kind)
  return {
    ...view,
    properties: { ...(view.properties as object), provider: text, cloudName: text },
  }
}

export function summaryView(kind: QueriedKind): ApiSchema {
  return { ...kind.summary, title: `${titleOf(kind)}Summary` }
}

/** Name of a kind as part of a schema's or an operation's name, such as `PublicIp`. */
export function titleOf(kind: { name: string }): string {
  return kind.name.charAt(0).toUpperCase() + kind.name.slice(1)
}

function isRequired(kind: QueriedKind | NestedKind, field: string): boolean {
  return kind.view.required?.includes(field) ?? false
}

function singleReferences(kind: OrderedKind): string[] {
  return Object.keys(kind.references).filter(
    (field) => (kind.request.properties[field] as ApiSchema).type === 'string',
  )
}

function nullable(schema: ApiSchema): ApiSchema {
  if (typeof schema.type !== 'string') return schema
  const allowed = Array.isArray(schema.enum) && { enum: [...schema.enum, null] }
  return { ...schema, type: [schema.type, 'null'], ...allowed }
}

const textOrNull = { type: ['string', 'null'] } as const
const timeOrNull = { type: ['string', 'null'], format: 'date-time' } as const

export const delegationView = object('Delegation', {
  orderId: { type: 'string' },
  owner: { type: 'string', description: '`id@identityProviderId`, as all people here' },
  active: { type: 'boolean', description: 'Whether anything is done for the order at present' },
  scope: { ...textOrNull, description: '`work`, or `deletion` alone' },
  grantedBy: textOrNull,
  grantedAt: timeOrNull,
  expiresAt: { ...timeOrNull, description: 'null: as long as the order' },
  revokedBy: textOrNull,
  revokedAt: timeOrNull,
  reason: textOrNull,
  problem: { ...textOrNull, description: 'Why nothing is done' },
})

export const delegationRequest: ApiSchema = {
  title: 'DelegationRequest',
  type: 'object',
  properties: {
    expiresAt: {
      type: ['string', 'null'],
      format: 'date-time',
      description: 'When it ends; as long as the order when absent',
    },
  },
}
