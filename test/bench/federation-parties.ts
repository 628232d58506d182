import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jidOf, openSiteKeys } from '../../core/federation/index.ts'
import { loopbackAddress } from '../federation/servers/addresses.ts'
import { createAuthority } from '../federation/servers/certificates.ts'
import { startEjabberd } from '../federation/servers/ejabberd.ts'
import { startProsody } from '../federation/servers/prosody.ts'
import { SiteProcess, siteConfig } from '../system/support/site-process.ts'

/** Where a component finds its server. */
export interface Link {
  readonly jid: string
  readonly host: string
  readonly port: number
  readonly secret: string
}

/** A site by its name; it may run or be stood in for. */
export interface Party {
  readonly siteId: string
  readonly folder: string
  readonly dataDir: string
  readonly keys: readonly string[]
  readonly link: Link
}

/** Two servers that trust each other, and the names that components may have there. */
export interface Parties {
  readonly servers: readonly { readonly pid: number }[]
  /** By site id. */
  readonly sites: Readonly<Record<string, Party>>
  /** A component beside the site's own at its server. */
  linkOf(jid: string): Link
  /** As an administrator runs it, at an emulated cloud without delay. */
  startSite(siteId: string): Promise<SiteProcess>
  stop(): Promise<void>
}

const SECRET = 'correct horse'

/**
 * @param layout - for each server the site ids and names of further components at it, all under one domain
 */
export async function startParties(
  kind: 'prosody' | 'ejabberd',
  layout: readonly { domain: string; siteIds: readonly string[]; jids?: readonly string[] }[],
): Promise<Parties> {
  const undo: (() => unknown)[] = []
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  const authority = createAuthority()
  undo.push(() => authority.remove())
  const links = new Map<string, Link>()
  const places = await Promise.all(
    layout.map(async ({ domain, siteIds, jids = [] }) => {
      const all = [...siteIds.map(jidOf), ...jids]
      return { domain, jids: all, address: await loopbackAddress() }
    }),
  )
  const names = Object.fromEntries(
    places.flatMap(({ jids, address }) => jids.map((jid) => [jid, address])),
  )
  const servers = []
  for (const { domain, address, jids } of places) {
    const components = Object.fromEntries(jids.map((jid) => [jid, SECRET]))
    const start = kind === 'prosody' ? startProsody : startEjabberd
    const server = await start({ domain, address, components, authority, names })
    undo.push(() => server.remove())
    servers.push(server)
    for (const jid of jids)
      links.set(jid, { jid, host: address, port: server.portOf(jid), secret: SECRET })
  }
  const linkOf = (jid: string) => links.get(jid) as Link
  const ids = layout.flatMap(({ siteIds }) => siteIds)
  const parties = await Promise.all(ids.map((siteId) => makeParty(siteId, linkOf(jidOf(siteId)))))
  for (const { folder } of parties)
    undo.push(() => rmSync(folder, { recursive: true, force: true }))
  const sites = Object.fromEntries(parties.map((party) => [party.siteId, party]))

  async function startSite(siteId: string): Promise<SiteProcess> {
    const { folder } = sites[siteId] as Party
    const config = configuration(siteId, Object.values(sites))
    const env = { XMPP_SECRET: SECRET }
    const site = await SiteProcess.start({ folder, config, env })
    undo.push(() => site.stop())
    return site
  }
  return { servers, sites, linkOf, startSite, stop }
}

async function makeParty(siteId: string, link: Link): Promise<Party> {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-bench-'))
  const dataDir = join(folder, 'data')
  const { announced: keys } = await openSiteKeys(dataDir)
  return { siteId, folder, dataDir, keys, link }
}

/** What `federation.peers` says of all others. */
export function peersOf(siteId: string, all: readonly Party[]) {
  const others = all.filter((other) => other.siteId !== siteId)
  return Object.fromEntries(others.map(({ siteId: id, keys }) => [id, { keys }]))
}

function configuration(siteId: string, all: readonly Party[]): string {
  const peers = peersOf(siteId, all)
  const { host, port } = (all.find((party) => party.siteId === siteId) as Party).link
  return siteConfig({
    emulated: { quota: { instances: -1, vCPU: -1, ram: -1 } },
    site: {
      site: { id: siteId },
      members: { list: Object.keys(peers) },
      federation: { xmpp: { host, port, secret: 'env:XMPP_SECRET' }, peers },
    },
  }).replaceAll('"site-a.test"', JSON.stringify(siteId))
}
