import type { FederationUser } from '@fogbow/plugin-sdk'
import type { DeviceLogin, LoginSource } from '../aaa/index.ts'
import type { Order, OrderReport } from '../orders/index.ts'
import type { Page, PageRequest } from '../orders/page.ts'
import type { MarketplaceOperations } from './marketplace-operations.ts'
import type { MemberStatus } from './providers.ts'

/** Everything an operation knows of the request behind it; the same for both edges. */
export interface RequestContext {
  /** Unique per request; in the log, the audit and the answer's header. */
  requestId: string
  /** The text of `Fogbow-User-Token`, if any. */
  tokenValue?: string
  /** In place of a token: the user as the requesting member, which signed it, knows him. */
  vouched?: FederationUser
  /** Member from which the request came. */
  requester: string
  /** Secret by which a browser is known again in which a login began. */
  browser?: string
  /** Address of the client, for the audit and for log-in limits. */
  remoteAddress?: string
  /** Repeating a creation with the same key gives the first answer again. */
  idempotencyKey?: string
  signal: AbortSignal
}

/** An instance as the REST API shows it; fields beyond these come from the kind. */
export interface InstanceView {
  id: string
  provider: string
  cloudName: string
  state: string
  cloudState: string | null
  ready: boolean
  faultMessage: string
  [field: string]: unknown
}

/** An order that this site provides, and what was asked for. */
export type ProvidedOrder = OrderReport &
  Pick<Order, 'kind' | 'cloudName' | 'name' | 'request' | 'owner'>

/** One line of a `/status` list. */
export interface StatusEntry {
  instanceId: string
  instanceName: string
  provider: string
  cloudName: string
  state: string
}

export interface StatusQuery extends PageRequest {
  /** Instance states, such as READY. */
  state?: string[]
  provider?: string
  cloudName?: string
  /** Part of the name. */
  name?: string
  /** The caller has this version of the list: when it is still the same, no items are read. */
  unlessVersion?: string
}

/** What allows the site to work on an order while its owner is not logged in. Times are ISO 8601, people `id@identityProviderId`. */
export interface DelegationView {
  orderId: string
  owner: string
  /** Whether anything is done for the order at present. */
  active: boolean
  /** `work`, or `deletion` alone. */
  scope: string | null
  grantedBy: string | null
  grantedAt: string | null
  /** null: as long as the order. */
  expiresAt: string | null
  revokedBy: string | null
  revokedAt: string | null
  reason: string | null
  /** Why nothing is done. */
  problem: string | null
}

/** Outcome for one order of an action on all orders of a user. */
export interface OrderOutcome {
  id: string
  /** `done`, `unchanged` when it was there already, or `refused`. */
  outcome: 'done' | 'unchanged' | 'refused'
  message?: string
}

export interface AuditEntry {
  id: number
  timestamp: string
  requestId: string
  operation: string
  resourceType: string
  userId: string | null
  identityProviderId: string | null
  requester: string
  provider: string
  cloudName: string | null
  orderId: string | null
  /** What was done to which package, and why. */
  detail: string | null
  /** `ok` or the error code. */
  response: string
}

/** Somebody logged in, or could not. */
export interface LogInEntry {
  id: number
  timestamp: string
  requestId: string
  /** As it was typed; null for credentials without one. */
  userName: string | null
  /** Identity source; null when the domain named none. */
  source: string | null
  address: string
  /** `ok`, `refused`, `locked out`, or `failed` when nobody could tell. */
  outcome: string
  reason: string | null
}

/** What anybody may know of a plugin. */
export interface PluginView {
  name: string
  package: string
  version: string
  kinds: readonly string[]
  state: string
  /** Level that it has at present. */
  isolation: string
  reason: string | null
}

/** What an administrator may know of a plugin. Times are ISO 8601. */
export interface PluginReport extends PluginView {
  /** SHA-256 of the code that runs; null while it could not be loaded. */
  bundleHash: string | null
  /** Why it takes no new orders; null when it does. */
  closedForNew: string | null
  /** What to do next; null when there is nothing to do. */
  advice: string | null
  /** When it is started again by itself. */
  retryAt: string | null
  lastFailure: { message: string; at: string } | null
  /** What it was meant to have and why, and what this machine lacks for more; null while it could not be loaded. */
  isolationChoice: {
    wanted: string
    why: string
    minimum: string
    missing: readonly string[]
    /** Its thread did not end: what it did, and when it was moved to a process. */
    moved: { reason: string; at: string } | null
  } | null
  /** What it may reach: hosts, address ranges that are not public, names of secrets, storage. */
  capabilities: {
    network: readonly string[]
    addresses: readonly string[]
    secrets: readonly string[]
    storage: boolean
  }
  /** null for a plugin that stores nothing. */
  storage: { usedBytes: number; quotaBytes: number } | null
  /** As in the configuration, `plugins.NAME.limits`. */
  limits: Record<string, number> | null
  usage: {
    calls: number
    errors: number
    inFlight: number
    waiting: number
    restarts: number
    deniedRequests: number
    cpuMs: number
    heapBytes: number
  }
}

/** For `fogbow federation doctor`, which has the words for it. */
export interface FederationReport {
  link: object
  keys: readonly string[]
  members: readonly object[]
}

/** How plugins can be isolated at this site. */
export interface IsolationView {
  /** The strongest level of this machine. */
  level: string
  /** What a stronger one would need. */
  missing: readonly string[]
  /** The weakest that the configuration allows. */
  minimum: string
  /** Threads that cannot be stopped, and the number at which the site should be restarted. */
  zombies: number
  zombieLimit: number
  advice: string | null
}

export interface CloudView {
  name: string
  isDefault: boolean
  /** Kind → name of the plugin instance that serves it. */
  plugins: Record<string, string>
  /** Worst state of its plugins: `ready`, or why not. */
  health: string
}

/** What the front page shows to anybody. */
export interface SiteView {
  id: string
  version: string
  startedAt: string
  clouds: CloudView[]
  plugins: PluginView[]
  members: string[]
}

/**
 * What a user, a peer or an administrator can ask. Every function authenticates, authorises and leaves an audit
 * record, except those marked open. Errors are `FogbowError`s. `kind` is the name of a resource kind, such as `compute`.
 */
export interface Operations extends MarketplaceOperations {
  /** Open. Body `{credentials, publicKey?}`. */
  createToken(context: RequestContext, body: unknown): Promise<{ token: string }>
  /** Open. Where people can log in beside `createToken`, and whether that takes passwords. */
  loginSources(): { sources: readonly LoginSource[]; passwords: boolean }
  /** Open. Begins a login in the browser of the context, at the identity provider behind a plugin. @returns where the browser goes */
  beginLogin(
    context: RequestContext,
    source: string,
    login: { redirectUri: string; returnUrl?: string | undefined },
  ): Promise<{ url: string }>
  /** Open. What the provider sent the browser back with. @returns a ticket for `fetchToken`, and the page that awaits it */
  completeLogin(
    context: RequestContext,
    source: string,
    callback: { redirectUri: string; parameters: Readonly<Record<string, string>> },
  ): Promise<{ ticket: string; returnUrl: string | undefined }>
  /** Open. Answers the token of a ticket, once and within a minute. */
  fetchToken(context: RequestContext, ticket: string): Promise<{ token: string }>
  /** Open. For programs without a browser (RFC 8628). */
  beginDeviceLogin(context: RequestContext, source: string): Promise<DeviceLogin>
  /** Open. Body `{handle}`. */
  pollDeviceLogin(
    context: RequestContext,
    source: string,
    body: unknown,
  ): Promise<
    { status: 'done'; token: string } | { status: 'pending' | 'slow_down'; intervalSeconds: number }
  >
  /** Open. Where the browser ends its session at the provider; undefined when there is no such page. */
  endSession(
    context: RequestContext,
    source: string,
    returnUri: string,
  ): Promise<string | undefined>
  /** The token of the context is not accepted any more, whatever its expiry. */
  revokeToken(context: RequestContext): Promise<void>
  /** Who the caller is. */
  whoAmI(context: RequestContext): Promise<{
    id: string
    identityProviderId: string
    name: string
    roles: string[]
    expiresAt: number
  }>

  /** For what this site does not have: authenticates, leaves a record, and answers or throws as it is told. */
  answerTo<Answer>(
    context: RequestContext,
    subject: { operation: string; type: string },
    answer: () => Answer,
  ): Promise<Answer>

  createOrder(context: RequestContext, kind: string, body: unknown): Promise<{ id: string }>
  getOrder(context: RequestContext, kind: string, id: string): Promise<InstanceView>
  listOrders(context: RequestContext, kind: string, query: StatusQuery): Promise<Page<StatusEntry>>
  deleteOrder(context: RequestContext, kind: string, id: string): Promise<void>
  getDelegation(context: RequestContext, kind: string, id: string): Promise<DelegationView>
  /**
   * From now on nothing is done for the order by itself, here and at its provider; what is there stays as it is.
   * @param given - `number` when a member tells it, of its own count
   */
  revokeDelegation(
    context: RequestContext,
    kind: string,
    id: string,
    given: { reason?: unknown; number?: unknown },
  ): Promise<DelegationView>
  /** Body `{expiresAt?}`: a time in ISO 8601, or ms since the epoch. */
  grantDelegation(
    context: RequestContext,
    kind: string,
    id: string,
    body: unknown,
  ): Promise<DelegationView>
  /** @param action - name of one of the kind's actions, such as `pause` */
  actOnOrder(context: RequestContext, kind: string, id: string, action: string): Promise<void>
  actOnOrdersOfUser(
    context: RequestContext,
    kind: string,
    action: string,
    user: { id: string; identityProviderId: string },
  ): Promise<OrderOutcome[]>
  /** Body `{name}`. */
  takeSnapshot(context: RequestContext, kind: string, id: string, body: unknown): Promise<void>
  getAllocation(
    context: RequestContext,
    kind: string,
    provider: string,
    cloud: string,
  ): Promise<Record<string, number>>

  createSecurityRule(
    context: RequestContext,
    parentKind: string,
    parentId: string,
    body: unknown,
  ): Promise<{ id: string | null }>
  listSecurityRules(
    context: RequestContext,
    parentKind: string,
    parentId: string,
  ): Promise<Record<string, unknown>[]>
  deleteSecurityRule(
    context: RequestContext,
    parentKind: string,
    parentId: string,
    ruleId: string,
  ): Promise<void>

  /** @param provider - the local one when absent */
  listClouds(context: RequestContext, provider?: string): Promise<{ clouds: string[] }>
  listImages(
    context: RequestContext,
    provider: string,
    cloud: string,
  ): Promise<{ id: string; name: string }[]>
  getImage(
    context: RequestContext,
    provider: string,
    cloud: string,
    id: string,
  ): Promise<Record<string, unknown>>
  listSpecs(
    context: RequestContext,
    provider: string,
    cloud: string,
  ): Promise<{ id: string; name: string }[]>
  getSpec(
    context: RequestContext,
    provider: string,
    cloud: string,
    id: string,
  ): Promise<Record<string, unknown>>
  /** `totalQuota`, `usedQuota`, `availableQuota`. */
  getQuota(
    context: RequestContext,
    provider: string,
    cloud: string,
  ): Promise<Record<string, Record<string, number>>>

  /** Reads the configuration again and replaces what changed; orders go on. */
  reload(context: RequestContext): Promise<void>
  setPolicy(context: RequestContext, body: unknown): Promise<void>
  updatePolicy(context: RequestContext, body: unknown): Promise<void>
  /** Deletes everything of a user, in the order of dependencies; answers when deletion is under way. */
  purgeUser(
    context: RequestContext,
    user: { id: string; identityProviderId: string },
  ): Promise<OrderOutcome[]>
  listAudit(
    context: RequestContext,
    query: PageRequest & { userId?: string; orderId?: string },
  ): Promise<Page<AuditEntry>>
  /** Who logged in and who could not, newest first. */
  listLogIns(
    context: RequestContext,
    query: PageRequest & { userName?: string; source?: string; address?: string; outcome?: string },
  ): Promise<Page<LogInEntry>>
  /** State changes of one order, oldest first. */
  getOrderHistory(
    context: RequestContext,
    kind: string,
    id: string,
  ): Promise<{ timestamp: string; state: string; message: string | null }[]>
  listPlugins(context: RequestContext): Promise<PluginReport[]>
  getPlugin(context: RequestContext, name: string): Promise<PluginReport>
  /** Body `{originalIsolation?}`: a plugin that was moved because its thread did not end gets a thread again. */
  restartPlugin(context: RequestContext, name: string, body: unknown): Promise<void>
  getIsolation(context: RequestContext): Promise<IsolationView>
  /** Looks at the link to the XMPP server and asks every member once. @throws not_found when the site is in no federation */
  examineFederation(context: RequestContext): Promise<FederationReport>
  /** Writes a copy of the store that can be started from; answers its path. */
  backUp(context: RequestContext): Promise<{ path: string }>

  /** Open. */
  members(): string[]
  /** Open. Members, this site first, and how they fare. */
  memberStatus(): readonly MemberStatus[]
  /** Open. May users of this site go to (`target`), or users of that site come from (`requester`), a provider? */
  isMemberAuthorized(direction: 'target' | 'requester', body: unknown): { authorized: boolean }
  /** Open. base64 of the site's RSA key as X.509 SubjectPublicKeyInfo, one line. */
  publicKey(): string
  /** Open. */
  site(): SiteView
}

/** What other members ask beside that, of the orders that this site provides for them. */
export interface MemberOperations {
  /**
   * Takes an order of another member under the id that it has there. Asking again for the same gives the same order.
   * @throws idempotency_conflict when something else was ordered under that id
   */
  provideOrder(
    context: RequestContext,
    kind: string,
    orderId: string,
    body: unknown,
  ): Promise<OrderReport>
  /**
   * An order as this site provides it, also when it is closed.
   * @param from - `looked at`: the cloud first, as `getOrder` does, for a user who reads it. `stored`: for a member that follows
   *   what it is told of anyway, which leaves a record only when it is refused
   */
  reportOrder(
    context: RequestContext,
    kind: string,
    id: string,
    from: 'stored' | 'looked at',
  ): Promise<OrderReport>
  /** An order with all that was asked for, for the member that asked; on behalf of nobody, so that no record is left. */
  readOrderOf(requester: string, id: string): Promise<ProvidedOrder>
}
