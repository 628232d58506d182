import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { loopbackAddress } from '../servers/addresses.ts'
import { type Authority, createAuthority } from '../servers/certificates.ts'
import type { XmppServer } from '../servers/server-process.ts'
import { type SetUp, setUpSite } from '../set-up/set-up.ts'
import { createFederatedSite, type FederatedSite } from './federated-site.ts'
import { type SiteSettings, siteConfig } from './site-config.ts'
import { openStanzaWire } from './stanza-wire.ts'
import { openWire, type Wire } from './wire.ts'

/** A member whose host is the test itself: it has the keys, the secret and a server, and no site. */
export interface Guest {
  readonly id: string
  readonly jid: string
  readonly setUp: SetUp
  readonly server: XmppServer
  readonly front: Wire
}

export interface Federation {
  readonly sites: readonly FederatedSite[]
  readonly guests: readonly Guest[]
  readonly authority: Authority
  /** Where each server is found by the others. */
  readonly names: Readonly<Record<string, string>>
  /** Text of the configuration of a site, with other settings. */
  configOf(site: FederatedSite, settings: SiteSettings): string
  /** Each site has its link, and every other one answers it. */
  isWhole(): Promise<void>
  stop(): Promise<void>
}

export interface MemberOptions {
  readonly id: string
  readonly kind: 'prosody' | 'ejabberd'
  /** Beside those that all sites have. */
  readonly settings?: SiteSettings
}

export interface FederationOptions {
  readonly sites: readonly MemberOptions[]
  readonly guests?: readonly string[]
  /** Names of other servers and components that these servers are to find, and their addresses. */
  readonly names?: Readonly<Record<string, string>>
  /** What is added to the written configuration of each Prosody. */
  readonly prosody?: (siteId: string) => string
  readonly settings?: SiteSettings
}

export const COMPONENT_PORT = 5347
const LINK_PORT = 5348
const FRONT_PORT = 5269
const PATIENCE_MS = 60_000

/** Two behind Prosody, one behind ejabberd. */
export const threeSites = [
  { id: 'a.site-a.test', kind: 'prosody' },
  { id: 'b.site-b.test', kind: 'prosody' },
  { id: 'e.site-e.test', kind: 'ejabberd' },
] as const

/** A federation as its administrators would set it up; all that was started ends with `stop`, or when this fails. */
export async function startFederation(options: FederationOptions): Promise<Federation> {
  const undo: (() => unknown)[] = []
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const federation = await start(options, undo)
    return { ...federation, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(
  options: FederationOptions,
  undo: (() => unknown)[],
): Promise<Omit<Federation, 'stop'>> {
  const { sites: wanted, guests: guestIds = [], settings = {} } = options
  const authority = createAuthority()
  undo.push(() => authority.remove())
  const all = [...wanted, ...guestIds.map((id) => ({ id, kind: 'prosody' as const }))]
  const places = await Promise.all(
    all.map(async (site) => ({
      ...site,
      address: await loopbackAddress(),
      front: await loopbackAddress(),
    })),
  )
  const names = {
    ...options.names,
    ...Object.fromEntries(places.map(({ id, front }) => [jidOf(id), front])),
  }
  const setUps = places.map(({ id, kind, address }) => {
    const members = all.map((other) => other.id).filter((other) => other !== id)
    const setUp = setUpSite({ siteId: id, kind, address, authority, names, members })
    undo.push(() => setUp.remove())
    const more = kind === 'prosody' ? options.prosody?.(id) : undefined
    if (more) appendFileSync(join(setUp.folder, 'federation/prosody.cfg.lua'), more)
    return setUp
  })
  const members = setUps.map(({ siteId, result }) => ({ siteId, keys: result.keys }))
  const configFor = (id: string, changed: SiteSettings) =>
    siteConfig(
      id,
      members.filter(({ siteId }) => siteId !== id),
      LINK_PORT,
      { ...settings, ...wanted.find((site) => site.id === id)?.settings, ...changed },
    )

  const servers = await Promise.all(
    places.map(async ({ address, front: host }, n) => {
      const setUp = setUps[n] as SetUp
      const server = await setUp.startServer()
      undo.push(() => server.remove())
      const front = await openWire({
        listen: { host, port: FRONT_PORT },
        to: { host: address, port: FRONT_PORT },
      })
      undo.push(() => front.close())
      return { setUp, server, front, address }
    }),
  )
  const sites = await Promise.all(
    servers.slice(0, wanted.length).map(async ({ setUp, server, front, address: host }) => {
      const link = await openStanzaWire({
        listen: { host, port: LINK_PORT },
        to: { host, port: COMPONENT_PORT },
      })
      const config = configFor(setUp.siteId, {})
      const site = createFederatedSite({ setUp, server, link, front, config })
      undo.push(() => site.remove())
      return site
    }),
  )
  await Promise.all(sites.map((site) => site.start()))
  const guests = servers.slice(wanted.length).map(({ setUp, server, front }) => ({
    ...{ id: setUp.siteId, jid: jidOf(setUp.siteId), setUp, server, front },
  }))
  const isWhole = () => untilWhole(sites)
  await isWhole()
  return {
    sites,
    guests,
    authority,
    names,
    configOf: (site, changed) => configFor(site.id, changed),
    isWhole,
  }
}

interface MemberReport {
  id: string
  ping: { kind: string }
}

async function untilWhole(sites: readonly FederatedSite[]): Promise<void> {
  const ids = new Set(sites.map(({ id }) => id))
  const giveUpAt = performance.now() + PATIENCE_MS
  for (const site of sites)
    for (;;) {
      const { body } = await site.client().get('/ras/admin/federation')
      const { members = [] } = body as { members?: MemberReport[] }
      const others = members.filter(({ id }) => ids.has(id))
      if (others.length > 0 && others.every(({ ping }) => ping.kind === 'answered')) break
      if (performance.now() > giveUpAt)
        throw new Error(`${site.id} does not reach the others: ${JSON.stringify(body)}`)
      await pause(100)
    }
}

export function jidOf(siteId: string): string {
  return `ras-${siteId}`
}
