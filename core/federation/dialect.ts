import type { FederationUser } from '@fogbow/plugin-sdk'
import type { MemberId, RemoteCall, RemoteMethod } from './contract.ts'
import type { PeerSettings } from './settings.ts'
import type { Clock, DataForm, Element, Log, RequestOptions, XmppComponent } from './xmpp/index.ts'

export type DialectName = 'own' | 'java'

/** One way to say and to answer remote methods over the component. */
export interface Dialect {
  readonly name: DialectName
  /** What it adds to the description that other components read (XEP-0030, XEP-0128). */
  describe(): { readonly features: readonly string[]; readonly forms?: readonly DataForm[] }
  /**
   * Asks a member that is known, may be asked and speaks this dialect. Parameters fit the schema of the method; whether the
   * result does is checked by the caller.
   * @throws FogbowError: what the member answered; unavailable_provider when the outcome is not known in time
   */
  call(
    member: MemberId,
    method: RemoteMethod,
    params: Readonly<Record<string, unknown>>,
    settings: DialectCallSettings,
  ): Promise<unknown>
  /** Resolves when the member gave a sign of life that counts in this dialect. @throws XmppError or FogbowError */
  ping(member: MemberId, timeoutMs: number): Promise<void>
  /** The member can be reached again: what waits for it need not wait longer. */
  recovered?(member: MemberId): void
  /** Takes up what was left undone. Stanzas may have arrived before. */
  start(): Promise<void>
  /** Final; nothing is begun or written afterwards. */
  stop(): Promise<void>
}

export interface DialectCallSettings {
  readonly user?: FederationUser
  /** Names the logical request of a command; absent: a new one. */
  readonly key?: string
  readonly timeoutMs: number
  /** How long a command may wait to be begun, if not as long as the dialect has it by itself. */
  readonly lifetimeMs?: number
  readonly signal?: AbortSignal
}

/** Handed to each dialect when the federation is made. A dialect begins to serve the component at once. */
export interface DialectParts {
  /** For `serve` only; ask through `request`. */
  readonly component: XmppComponent
  readonly siteId: MemberId
  readonly methods: ReadonlyMap<string, RemoteMethod>
  readonly server: DialectServer
  readonly clock: Clock
  readonly log: Log
  /** What the administrator wrote down of a member. */
  written(member: MemberId): PeerSettings | undefined
  /**
   * Asks the component of a member, unless its breaker is open.
   * @returns the answer, an `<iq type='result'>`
   * @throws XmppError
   */
  request(
    member: MemberId,
    type: 'get' | 'set',
    children: readonly Element[],
    options: RequestOptions,
  ): Promise<Element>
  /** The member gave a sign of life that this dialect believes. @param roundTripMs - if it was an answer */
  heard(member: MemberId, roundTripMs?: number): void
}

/** Who answers members; the same checks for every dialect. */
export interface DialectServer {
  /**
   * Whether it may be asked at all: the member may come and in this dialect, the method exists and goes in this
   * direction, the parameters fit its schema, the user is one of the member's own. Nothing is done yet.
   * @throws FogbowError
   */
  admit(asked: Asked): RemoteCall
  /** Carries it out. @returns the result, plain data; @throws FogbowError, anything else is a defect */
  answer(call: RemoteCall): Promise<unknown>
}

/** What a member asks, as a dialect read it from the wire; `unknown` is not checked yet. */
export interface Asked {
  readonly member: MemberId
  readonly method: string
  readonly params: unknown
  readonly user?: unknown
  readonly id: string
  /** ms since the epoch */
  readonly deadline: number
  readonly signal: AbortSignal
}

/** @example createFederation({ dialects: [createOwnDialect({ … }), createJavaDialect({ … })] }) */
export type CreateDialect = (parts: DialectParts) => Dialect
