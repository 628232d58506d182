import type { FederationUser } from '@fogbow/plugin-sdk'
import type { Selectable } from 'kysely'
import type { OrderTable } from '../store/index.ts'
import type { Delegation } from './delegation.ts'
import type { OrderState } from './states.ts'

/** An order as it is worked with. The store's row, with its JSON read. */
export interface Order {
  seq: number
  id: string
  kind: string
  state: OrderState
  provider: string
  cloudName: string
  requester: string
  owner: FederationUser
  name: string
  request: Readonly<Record<string, unknown>>
  instanceId: string | null
  /** What the plugin reported last, valid against the kind's instance schema. */
  instance: Readonly<Record<string, unknown>> | null
  observedAt: number | null
  allocation: Readonly<Record<string, number>> | null
  faultMessage: string | null
  version: number
  attempts: number
  requestOutcome: RequestOutcome
  requestUntil: number | null
  stateSince: number
  createdAt: number
  /** Of an order that another member provides: the newest version there that was heard of. */
  generation: number | null
  /** How often its provider refused what was asked about it since: part of the next request's name. */
  refusals: number
  /** Sites that were considered for it and what came of that; null when it was placed by its user. */
  considered: readonly Consideration[] | null
  /** What allows the site to work on it in its owner's name; without one it may not. */
  delegation: Delegation | null
  /** Number of the newest one that its provider was told of. */
  delegationTold: number
}

/** A site that was considered for an order. */
export interface Consideration {
  provider: string
  /** `chosen`: the order is with it. */
  outcome: 'leftOut' | 'refused' | 'chosen'
  /** In words for the user; absent of the one that is chosen. */
  reason?: string
  /** ms since the epoch */
  at: number
}

/** Where an order goes. */
export interface Place {
  provider: string
  /** Empty when only the provider can tell. */
  cloudName: string
}

/** Whether the order goes to another site when one refuses it. */
export function mayGoAnywhere(order: Order): boolean {
  return order.considered !== null
}

/** What is known of the request to the cloud. */
export type RequestOutcome = 'never asked' | 'unknown' | 'known'

const outcomes: readonly RequestOutcome[] = ['never asked', 'unknown', 'known']

export function outcomeNumber(outcome: RequestOutcome): number {
  return outcomes.indexOf(outcome)
}

export function toOrder(row: Selectable<OrderTable>): Order {
  return {
    seq: row.seq,
    id: row.id,
    kind: row.kind,
    state: row.state as OrderState,
    provider: row.provider,
    cloudName: row.cloud_name,
    requester: row.requester,
    owner: JSON.parse(row.owner),
    name: row.name,
    request: JSON.parse(row.request),
    instanceId: row.instance_id,
    instance: row.instance === null ? null : JSON.parse(row.instance),
    observedAt: row.observed_at,
    allocation: row.allocation === null ? null : JSON.parse(row.allocation),
    faultMessage: row.fault_message,
    version: row.version,
    attempts: row.attempts,
    requestOutcome: outcomes[row.request_outcome] ?? 'unknown',
    requestUntil: row.request_until,
    stateSince: row.state_since,
    createdAt: row.created_at,
    generation: row.generation,
    refusals: row.refusals,
    considered: row.considered === null ? null : JSON.parse(row.considered),
    delegation: row.delegation === null ? null : JSON.parse(row.delegation),
    delegationTold: row.delegation_told,
  }
}

/** Two users are the same person when both ids are equal. */
export function isOwnedBy(order: Order, user: { id: string; identityProviderId: string }): boolean {
  return order.owner.id === user.id && order.owner.identityProviderId === user.identityProviderId
}
