import { join } from 'node:path'
import type { FederationConfig, SiteConfig } from '../config/index.ts'
import type { EngineClock } from '../orders/index.ts'
import type { Store } from '../store/index.ts'
import {
  type Allocation,
  type AllocationSite,
  allocationMethods,
  createAllocation,
} from './allocation/index.ts'
import type { MemberView } from './contract.ts'
import { createFederation, type FederationHost } from './federation.ts'
import { createJavaDialect } from './java/index.ts'
import { createMemberSettings } from './member-settings.ts'
import { createMembership, type Membership, openJsonFile } from './membership/index.ts'
import type { PeerCounts } from './peers/index.ts'
import type { FederationSettings } from './settings.ts'
import type { RemoteService } from './shared-trust/shared-trust.ts'
import { jidOf } from './site-jid.ts'
import { openSiteKeys } from './trust/index.ts'
import { watchKeys } from './watch-keys.ts'
import { createXmppComponent, type Log, type XmppComponent } from './xmpp/index.ts'

/** A site's part in the federation, put together from its configuration. */
export interface SiteFederation {
  federation: FederationHost
  allocation: Allocation
  component: XmppComponent
  membership: Membership
  /** Connects; members are answered from now on. Never throws for want of a server. */
  start(site: AllocationSite): Promise<void>
  /** How the link and the members fare, for metrics. */
  figures(): FederationFigures
  /** The configuration was read again. */
  refresh(): void
  /** What waits for members ends at once, and is taken up at the next start. */
  stop(): Promise<void>
}

export async function openFederation(parts: {
  /** Always with a section `federation`. */
  config(): SiteConfig
  /** Of the component. */
  secret: string
  dataDir: string
  store: Store
  clock: EngineClock
  log: Log
  /** What members can ask beside orders and clouds. */
  services?: readonly RemoteService[]
}): Promise<SiteFederation> {
  const { store, clock, log, services = [] } = parts
  const siteId = parts.config().site.id
  const { xmpp } = sectionOf(parts.config())
  const component = createXmppComponent(
    {
      ...{ jid: jidOf(siteId), host: xmpp.host, port: xmpp.port, secret: parts.secret },
      maxOutgoingBytes: () => largestStanza(sectionOf(parts.config())),
    },
    { log, clock },
  )
  const keys = await openSiteKeys(parts.dataDir)
  const membership = createMembership({
    component,
    siteId,
    settings: () => parts.config().members,
    keys,
    clock,
    log,
    memory: openJsonFile(join(parts.dataDir, 'membership.json')),
  })
  const federation = createFederation({
    component,
    store,
    siteId,
    methods: [...allocationMethods, ...services.flatMap(({ methods }) => methods)],
    config: createMemberSettings(settingsOf(parts.config), membership),
    keys,
    clock,
    log,
    dialects: [createJavaDialect()],
  })
  membership.onChange(federation.refresh)
  const endWatching = watchKeys({ keys, clock, log })
  const allocation = createAllocation({
    federation,
    status: () => withSources(federation, membership),
    store,
    siteId: () => siteId,
    clock,
    log,
  })
  const serviceOf = (method: string) =>
    services.find(({ methods }) => methods.some(({ name }) => name === method))
  return {
    federation,
    allocation,
    component,
    membership,
    async start(site) {
      const server = allocation.serve(site)
      federation.serve((call) => (serviceOf(call.method.name) ?? server).answer(call))
      await membership.start()
      await federation.start()
      component.start()
      await allocation.start()
    },
    figures: () => figuresOf(federation, component),
    refresh() {
      membership.refresh()
      federation.refresh()
    },
    async stop() {
      endWatching()
      await membership.stop()
      allocation.stop()
      await federation.stop()
      await component.stop()
    },
  }
}

export interface FederationFigures {
  online: boolean
  members: ({ id: string; liveness: string; latencyMs?: number } & PeerCounts)[]
  refusals: Readonly<Record<string, number>>
  pendingCommands: number
  stanzas: Readonly<Record<string, number>>
}

const notAsked: PeerCounts = { requests: 0, failures: 0, spared: 0, inFlight: 0 }

function figuresOf(federation: FederationHost, component: XmppComponent): FederationFigures {
  const { peers, refusals, pendingCommands } = federation.counts()
  const others = federation.members().filter(({ local }) => !local)
  return {
    online: component.link.state === 'online',
    members: others.map(({ id, liveness, latencyMs }) => ({
      id,
      liveness,
      ...(latencyMs !== undefined && { latencyMs }),
      ...(peers[id] ?? notAsked),
    })),
    refusals,
    pendingCommands,
    stanzas: { ...component.counters() },
  }
}

/** Members as they fare, each with those who name it. */
function withSources(federation: FederationHost, membership: Membership): MemberView[] {
  const known = new Map(membership.view().members.map(({ id, sources }) => [id, sources]))
  return federation.members().map((member) => ({ ...member, sources: known.get(member.id) ?? [] }))
}

/**
 * What our own dialect sends fits into 48 KiB. The original service knows no pieces: a long list of images is one stanza,
 * which servers take as they come (512 KiB).
 */
function largestStanza({ unsigned }: FederationConfig): number {
  return (unsigned === 'allowed' ? 256 : 64) * 1024
}

function sectionOf(config: SiteConfig): FederationConfig {
  if (config.federation) return config.federation
  throw new Error('the configuration has no section `federation`')
}

/** @returns the same object until the configuration is read again */
function settingsOf(config: () => SiteConfig): () => FederationSettings {
  let last: { config: SiteConfig; settings: FederationSettings } | undefined
  return () => {
    const now = config()
    if (last?.config !== now) last = { config: now, settings: toSettings(now) }
    return last.settings
  }
}

function toSettings(config: SiteConfig): FederationSettings {
  const { list, targets, requesters } = config.members
  const { enabled: _enabled, xmpp: _xmpp, concurrency: _concurrency, ...trust } = sectionOf(config)
  return { members: list, targets, requesters, ...trust }
}
