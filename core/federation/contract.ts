import type { FederationUser, Schema } from '@fogbow/plugin-sdk'

/** Provider id of a member, lower case, such as `site-a.example`. */
export type MemberId = string

/** One thing that a member can ask of another, as data. Both dialects and both sides derive from it. */
export interface RemoteMethod {
  readonly name: string
  /** `command` changes something: it has an id that survives all attempts, an outbox and an inbox entry. */
  readonly effect: 'read' | 'command'
  /** Who asks whom. */
  readonly direction: 'to provider' | 'to requester'
  /** Whether it is asked on behalf of a user, whose identity then travels signed by the home site. */
  readonly onBehalf: boolean
  readonly params: Schema
  /** Absent: the answer says only that it was done. */
  readonly result?: Schema
  readonly timeoutMs: number
  /**
   * About an order that is there already: asked and answered between any two members, also when the lists of targets and
   * requesters let no new one through. Otherwise nobody could end what they have at a site that was taken off a list.
   */
  readonly aboutExisting?: true
  /**
   * Parameters that name an object and its generation: of what waits to be sent about one object only the newest is. Who
   * serves it has to let an older generation, and the same one again, change nothing; it has no inbox entry then.
   */
  readonly newest?: { readonly of: string; readonly by: string }
}

/** A call that arrived from a member: signature, audience, time, replay and schema were checked. */
export interface RemoteCall {
  readonly member: MemberId
  readonly method: RemoteMethod
  readonly params: Readonly<Record<string, unknown>>
  /** As the home site describes its user; always of that site. Present exactly when the method is on behalf of one. */
  readonly user?: FederationUser
  /** The same over all attempts; the idempotency key of a command. */
  readonly id: string
  /** ms since the epoch after which nothing may be begun */
  readonly deadline: number
  readonly signal: AbortSignal
}

export interface CallSettings {
  user?: FederationUser
  /**
   * For commands: names the logical request, such as `createOrder/<order id>`. Asking again with the same key and the
   * same parameters joins the first; it is never executed twice.
   */
  key?: string
  timeoutMs?: number
  /** For commands: after this the member does not begin it any more; asking again with the same key then starts anew. */
  lifetimeMs?: number
  signal?: AbortSignal
}

/** What the rest of a site sees of the federation. */
export interface Federation {
  /**
   * Asks a member. A command that is not answered in time throws an error whose outcome is `unknown`, and goes on by itself.
   * @throws FogbowError: what the member answered; unavailable_provider when it cannot be reached or may not be asked
   */
  call(
    member: MemberId,
    method: string,
    params: Record<string, unknown>,
    settings?: CallSettings,
  ): Promise<unknown>
  /** Who answers what members ask. Set once, before `start`. */
  serve(handler: (call: RemoteCall) => Promise<unknown>): void
  members(): MemberView[]
  start(): Promise<void>
  stop(): Promise<void>
}

/** Where the members come from: the configuration, and each rendezvous that this site believes. */
export interface MemberSource {
  /** All but this site, at this moment. Cheap enough to be asked at each call. */
  members(): readonly MemberId[]
  /** Somebody came or went. @returns what ends the listening */
  onChange(listener: () => void): () => void
}

export interface MemberView {
  id: MemberId
  local: boolean
  /** `unknown` until it was asked. */
  dialect: 'own' | 'java' | 'unknown'
  liveness: 'alive' | 'silent' | 'unknown'
  /** Round trip of the last sign of life, ms. */
  latencyMs?: number
  lastSeenAt?: number
  /** Why it is not used: breaker open, not allowed, no key. */
  problem?: string
  /** Who names it as a member; absent where only the configuration could. */
  sources?: readonly MemberNaming[]
}

export interface MemberNaming {
  /** `configuration`, or the JID of a rendezvous. */
  readonly source: string
  /** `verified`: signed by a known key of the rendezvous. `expired`: it was once. */
  readonly statement: 'verified' | 'expired' | 'none'
  /** ms since the epoch; when the rendezvous heard of it, as far as it tells, else when it last listed it */
  readonly lastHeardAt?: number
}
