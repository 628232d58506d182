import { subscribe } from 'node:diagnostics_channel'
import { writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { SiteConfig } from '../../core/config/index.ts'
import type { AllocationSite } from '../../core/federation/allocation/index.ts'
import { defaultFederationSettings } from '../../core/federation/index.ts'
import { openFederation, type SiteFederation } from '../../core/federation/open-federation.ts'
import { systemClock } from '../../core/federation/xmpp/index.ts'
import { loadRendezvousConfig } from '../../core/rendezvous/config.ts'
import { runRendezvous } from '../../core/rendezvous/main.ts'
import { openSqliteStore } from '../../core/store/index.ts'
import { type Handlers, obey } from './child.ts'
import type { Link, Party } from './federation-parties.ts'

export type CrowdOptions =
  | { readonly role: 'rendezvous'; readonly link: Link; readonly folder: string }
  | { readonly role: 'sites' }

/** A rendezvous that members report to, and how it signs. */
export interface Meeting {
  readonly jid: string
  readonly key: string
}

export interface CrowdFigures {
  /** Members that the site knows which knows fewest. */
  readonly fewestMembers: number
  /** Of all pairs: who has heard of whom, signed. */
  readonly alive: number
  readonly messages: number
  readonly bytes: number
}

const log = { info() {}, warn() {}, error() {} }
/** Nobody orders anything. */
const nothing = { operations: {}, engine: {} } as AllocationSite

await obey(async (options: CrowdOptions) =>
  options.role === 'rendezvous' ? asRendezvous(options) : asSites(),
)

async function asRendezvous({ link, folder }: CrowdOptions & { role: 'rendezvous' }) {
  const { jid, host, port, secret } = link
  const file = join(folder, 'rendezvous.config.json')
  const xmpp = { host, port, secret: 'env:SECRET' }
  writeFileSync(file, JSON.stringify({ jid, xmpp, dataDir: folder, members: { anybody: true } }))
  const loaded = await loadRendezvousConfig(file, folder)
  const { key } = await runRendezvous(loaded, { SECRET: secret }, log)
  return { meeting: (): Meeting => ({ jid, key }) }
}

/** Everything of a site that has to do with others, many times in one process. */
async function asSites(): Promise<Handlers> {
  const sites: SiteFederation[] = []
  const sockets: Socket[] = []
  subscribe('net.client.socket', (message) => {
    sockets.push((message as { socket: Socket }).socket)
  })

  async function open({ siteId, dataDir, link }: Party, meeting: Meeting): Promise<void> {
    const config = configuration(siteId, link, meeting)
    const site = await openFederation({
      config: () => config,
      secret: link.secret,
      dataDir,
      store: await openSqliteStore(join(dataDir, 'site.db')),
      clock: systemClock,
      log: log as never,
    })
    sites.push(site)
    await site.start(nothing)
  }

  const sum = (of: (site: SiteFederation) => number) =>
    sites.reduce((total, site) => total + of(site), 0)
  return {
    async start({ parties, meeting }: { parties: readonly Party[]; meeting: Meeting }) {
      for (const party of parties) await open(party, meeting)
    },
    figures: (): CrowdFigures => ({
      fewestMembers: Math.min(...sites.map(({ membership }) => membership.members().length)),
      alive: sum(
        ({ federation }) =>
          federation.members().filter(({ local, liveness }) => !local && liveness === 'alive')
            .length,
      ),
      messages: sum(({ component }) => component.counters().requests),
      bytes: sockets.reduce(
        (total, { bytesRead, bytesWritten }) => total + bytesRead + bytesWritten,
        0,
      ),
    }),
  }
}

function configuration(siteId: string, { host, port }: Link, { jid, key }: Meeting): SiteConfig {
  const { members: list, ...trust } = defaultFederationSettings
  const rendezvous = [{ jid, keys: [key], vouches: true }]
  const federation = { ...trust, enabled: true, xmpp: { host, port }, concurrency: 32 }
  return {
    site: { id: siteId },
    members: { list, rendezvous },
    federation,
  } as unknown as SiteConfig
}
