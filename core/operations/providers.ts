import type { FederationUser } from '@fogbow/plugin-sdk'
import type { Order } from '../orders/index.ts'
import type { Attempt } from './idempotency.ts'

/** What can be asked of a cloud without ordering anything; `id` where one thing is meant. */
export interface CloudQuery {
  cloudName: string
  kind: 'image' | 'spec' | 'quota'
  method: 'getAllImages' | 'getImage' | 'getAllSpecs' | 'getFlavor' | 'getUserQuota'
  id?: string
}

/**
 * What operations ask of the site that provides, whether that is this one or another member, so that they need not
 * care. Orders themselves are the engine's. Users are allowed to do it here; another member decides for itself once more.
 */
export interface Provider {
  isLocal: boolean
  /** The default one first. */
  listClouds(user: FederationUser, signal: AbortSignal): Promise<readonly string[]>
  /** Where an order goes that names no cloud; empty when only the provider can tell. */
  defaultCloud(): string
  /** Says that a cloud does not exist, if that is known here. */
  cloudProblem(cloudName: string): string | undefined
  /** Whether a cloud can do it; true as well while nobody can tell. */
  offers(cloudName: string, kind: string, method: string): boolean
  query(user: FederationUser, query: CloudQuery, signal: AbortSignal): Promise<unknown>
  /** Asks for a power action that the engine will watch. Does nothing where the engine asks for itself. */
  act(order: Order, action: string): Promise<void>
  /** Done once, however many attempts there are; so are the changes of rules below. */
  takeSnapshot(order: Order, name: string, attempt: Attempt): Promise<void>
  /** @returns the id of the rule, null from a provider that does not tell */
  createRule(
    order: Order,
    rule: Readonly<Record<string, unknown>>,
    attempt: Attempt,
  ): Promise<string | null>
  listRules(order: Order): Promise<Rule[]>
  deleteRule(order: Order, ruleId: string, attempt: Attempt): Promise<void>
}

export type Rule = Record<string, unknown> & { id: string }

export interface Providers {
  /** Members beside this site. */
  members(): readonly string[]
  /** This site and all members, as they fare. */
  status(): readonly MemberStatus[]
  /** @throws invalid_parameter for what is no member; unauthorized or unavailable_provider for one that cannot be asked */
  of(provider: string): Provider
}

/** How a member fares, as seen from here. */
export interface MemberStatus {
  id: string
  local: boolean
  /** How it is spoken to: `own`, `java` (the original service), or `unknown` until it was asked. */
  dialect: string
  /** `alive`, `silent`, or `unknown` until it was asked */
  liveness: string
  /** Round trip of its last sign of life */
  latencyMs?: number
  /** ms since the epoch */
  lastSeenAt?: number
  /** Why it is not used. */
  problem?: string
  /** Who names it as a member: `configuration`, or the name of a rendezvous. */
  sources?: readonly MemberNaming[]
}

export interface MemberNaming {
  source: string
  /** Whether the rendezvous signed that it is one: `verified`, `expired` or `none`. */
  statement: string
  /** ms since the epoch; when the source heard of it, or named it */
  lastHeardAt?: number
}

/** The way to other members, as far as operations need it. */
export interface RemoteProviders {
  members(): readonly string[]
  /** All members beside this site, as they fare. */
  status(): readonly MemberStatus[]
  /** @throws unavailable_provider */
  of(member: string): Provider
}

/** What is decided here of who may go where. */
export interface ProviderRules {
  siteId(): string
  /** Members that users of this site may go to; all when absent. */
  targets(): readonly string[] | undefined
}
