import { FogbowError, sdkVersion } from '@fogbow/plugin-sdk'
import { validatorFor } from '@fogbow/plugin-sdk/validate'
import type { Store } from '../store/index.ts'
import type { Federation, MemberId, RemoteCall, RemoteMethod } from './contract.ts'
import type { CreateDialect, Dialect, DialectName, DialectParts } from './dialect.ts'
import { createSiteExaminer, type SiteReport } from './doctor/index.ts'
import { createGatekeeper, readParams, readUser } from './gatekeeper.ts'
import { createOwnDialect } from './own/index.ts'
import {
  createDialectChoice,
  createHeartbeat,
  createMembers,
  createPeers,
  type PeerCounts,
} from './peers/index.ts'
import type { FederationSettings } from './settings.ts'
import { createTrust, type RefusalReason, type SiteKeys } from './trust/index.ts'
import {
  type Clock,
  createPeerDiscovery,
  type Log,
  serveDiscovery,
  type XmppComponent,
} from './xmpp/index.ts'

export interface FederationParts {
  /** Started and stopped by whoever made it; other services may use it too. */
  readonly component: XmppComponent
  readonly store: Store
  readonly siteId: MemberId
  readonly methods: readonly RemoteMethod[]
  readonly config: () => FederationSettings
  readonly keys: SiteKeys
  readonly clock: Clock
  readonly log: Log
  /** Beside our own. */
  readonly dialects?: readonly CreateDialect[]
  /** Namespaces of other services at the same component, for those who ask what it can do. */
  readonly features?: readonly string[]
  /** 128 bits that nobody guesses; random when left out. */
  readonly newId?: () => string
}

/** The federation as the site that runs it sees it. */
export interface FederationHost extends Federation {
  /** The configuration was read again, or members came or went. */
  refresh(): void
  counts(): FederationCounts
  /** Looks at the link and asks every member once, for an administrator. Takes seconds when one is silent. */
  examine(): Promise<SiteReport>
}

export interface FederationCounts {
  /** What was not believed, by reason. */
  readonly refusals: Readonly<Record<RefusalReason, number>>
  readonly peers: Readonly<Record<MemberId, PeerCounts>>
  /** Commands of this site whose outcome is not known. */
  readonly pendingCommands: number
}

export function createFederation(parts: FederationParts): FederationHost {
  const { component, store, siteId, config, keys, clock, log, newId } = parts
  const methods = new Map(parts.methods.map((method) => [method.name, method]))
  const trust = createTrust({ siteId, keys, store, settings: config, clock, log })
  const members = createMembers(siteId, config)
  const discovery = createPeerDiscovery(component, clock)
  const choice = createDialectChoice({ settings: config, peerKeys: trust.peerKeys, discovery })
  const gatekeeper = createGatekeeper({ methods, members, choice, settings: config })
  const examiner = createSiteExaminer({ component, trust, settings: config, siteId, clock })
  const dialects = new Map<DialectName, Dialect>()
  const recovered = (member: MemberId) => {
    for (const dialect of dialects.values()) dialect.recovered?.(member)
  }
  const peers = createPeers({ siteId, members, component, clock, recovered })
  const heartbeat = createHeartbeat({ members, peers, clock, log, ping })
  let answer: ((call: RemoteCall) => Promise<unknown>) | undefined
  let endListening = () => {}

  const partsOf = (name: DialectName): DialectParts => ({
    component,
    siteId,
    methods,
    clock,
    log,
    written: (member) => {
      const { peers } = config()
      return Object.hasOwn(peers, member) ? peers[member] : undefined
    },
    request: peers.request,
    heard: peers.heard,
    server: {
      admit: (asked) => gatekeeper.admit(name, asked),
      answer: async (call) => {
        if (!answer) throw new FogbowError('unavailable_provider', `${siteId} is starting`)
        return answer(call)
      },
    },
  })
  const own = createOwnDialect({
    store,
    trust,
    isMember: members.isMember,
    introduce: choice.introduce,
    ...(newId && { newId }),
  })(partsOf('own'))
  dialects.set('own', own)
  for (const create of parts.dialects ?? []) {
    const dialect = create(partsOf('java'))
    dialects.set(dialect.name, dialect)
  }
  serveDiscovery(component, describe)

  function describe() {
    const said = [...dialects.values()].map((dialect) => dialect.describe())
    return {
      identities: [{ category: 'component', type: 'generic', name: `Fogbow site ${siteId}` }],
      features: [...said.flatMap(({ features }) => features), ...(parts.features ?? [])],
      forms: said.flatMap(({ forms = [] }) => forms),
      software: { name: 'fogbow', version: sdkVersion },
    }
  }

  async function dialectOf(member: MemberId): Promise<Dialect> {
    const name = await choice.of(member)
    const dialect = dialects.get(name)
    if (!dialect)
      throw new FogbowError(
        'unavailable_provider',
        `${member} speaks '${name}', this site does not`,
      )
    peers.of(member).dialect = name
    return dialect
  }

  async function ping(member: MemberId, timeoutMs: number): Promise<void> {
    await (await dialectOf(member)).ping(member, timeoutMs)
  }

  function methodNamed(name: string): RemoteMethod {
    const method = methods.get(name)
    if (method) return method
    throw new FogbowError(
      'not_implemented',
      `No member is asked '${name}': there is no such method`,
    )
  }

  function assertMayAsk(member: MemberId, method: RemoteMethod): void {
    if (members.mayAsk(member, method)) return
    const why = members.isMember(member)
      ? `may not be asked '${method.name}' from here`
      : 'is no member of the federation here'
    throw new FogbowError('unavailable_provider', `${member} ${why}`)
  }

  function assertResult(member: MemberId, { name, result }: RemoteMethod, value: unknown): void {
    const problem = result && validatorFor(result)(value)
    if (!problem) return
    throw new FogbowError(
      'unavailable_provider',
      `${member} answered '${name}' with something else than agreed: ${problem.field || 'it'} ${problem.message}`,
    )
  }

  return {
    async call(member, name, params, settings = {}) {
      const method = methodNamed(name)
      assertMayAsk(member, method)
      const { user: given, timeoutMs = method.timeoutMs, ...others } = settings
      const user = method.onBehalf ? readUser(siteId, given, config().identityProviders) : undefined
      const asked = readParams(method, params)
      const dialect = await dialectOf(member)
      const how = { ...others, timeoutMs, ...(user && { user }) }
      const result = await dialect.call(member, method, asked, how)
      assertResult(member, method, result)
      return result
    },
    serve(handler) {
      answer = handler
    },
    members: peers.views,
    async start() {
      for (const dialect of dialects.values()) await dialect.start()
      endListening = component.onLink(({ state }) => {
        if (state === 'online') for (const member of members.list()) recovered(member)
      })
      heartbeat.refresh()
    },
    async stop() {
      endListening()
      heartbeat.stop()
      for (const dialect of dialects.values()) await dialect.stop()
    },
    refresh: heartbeat.refresh,
    examine: examiner.report,
    counts: () => ({
      refusals: trust.refusals.counts(),
      peers: peers.counts(),
      pendingCommands: own.pendingCommands,
    }),
  }
}
