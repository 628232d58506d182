import { join } from 'node:path'
import { loopbackAddress } from '../federation/servers/addresses.ts'
import { type Authority, createAuthority } from '../federation/servers/certificates.ts'
import { type SetUp, setUpSite } from '../federation/set-up/set-up.ts'
import { SiteProcess } from '../system/support/site-process.ts'
import { openTap, type Tap } from './tap.ts'

/** A site with its XMPP server, as an administrator would have set them up. */
export interface DemoSite {
  readonly id: string
  readonly address: string
  readonly process: SiteProcess
  readonly setUp: SetUp
  readonly tap: Tap
}

export interface DemoSites {
  readonly sites: readonly DemoSite[]
  stop(): Promise<void>
}

const ids = ['north.site-n.test', 'west.site-w.test', 'south.site-s.test'] as const
const COMPONENT_PORT = 5347
const TAP_PORT = 5348
const official = join(import.meta.dirname, '../../plugins-official')

/** @param say - tells of each step */
export async function startDemoSites(say: (step: string) => void): Promise<DemoSites> {
  const undo: (() => unknown)[] = []
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const sites = await start(say, undo)
    return { sites, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(
  say: (step: string) => void,
  undo: (() => unknown)[],
): Promise<readonly DemoSite[]> {
  const authority = createAuthority()
  undo.push(() => authority.remove())
  const addresses = await Promise.all(ids.map(loopbackAddress))
  say(`fogbow federation init, for ${ids.join(', ')}`)
  const setUps = setUpAll(addresses, authority)
  undo.push(() => {
    for (const each of setUps) each.remove()
  })
  say('three Prosody servers, which trust one private authority')
  const taps: Tap[] = []
  for (const [n, setUp] of setUps.entries()) {
    const server = await setUp.startServer()
    undo.push(() => server.remove())
    const tap = await openTap(addresses[n] ?? '', TAP_PORT, COMPONENT_PORT)
    undo.push(() => tap.close())
    taps.push(tap)
  }
  say('three sites: fogbow start')
  return Promise.all(
    setUps.map(async (setUp, n): Promise<DemoSite> => {
      const config = configuration(setUp, setUps)
      const process = await SiteProcess.start({ folder: setUp.folder, config })
      undo.push(() => process.stop())
      return { id: setUp.siteId, address: addresses[n] ?? '', process, setUp, tap: taps[n] as Tap }
    }),
  )
}

function setUpAll(addresses: readonly string[], authority: Authority): SetUp[] {
  const names = Object.fromEntries(ids.map((id, n) => [`ras-${id}`, addresses[n] ?? '']))
  return ids.map((siteId, n) => {
    const members = ids.filter((id) => id !== siteId)
    const address = addresses[n] ?? ''
    return setUpSite({ siteId, kind: 'prosody', address, authority, names, members })
  })
}

/** The sections that were written for the site, with the keys of the others that their administrators told. */
function configuration({ siteId }: SetUp, all: readonly SetUp[]): string {
  const others = all.filter((other) => other.siteId !== siteId)
  const peers = Object.fromEntries(
    others.map((other) => [other.siteId, { keys: other.result.keys }]),
  )
  const plugin = (name: string, config: object, more = {}) => ({
    package: join(official, name),
    config,
    ...more,
  })
  const users = { secrets: { users: 'file:{dataDir}/users.json' } }
  const site = {
    site: { id: siteId },
    log: { level: 'warn' },
    plugins: {
      identity: plugin('local-identity', { issuer: siteId }, users),
      roles: plugin('role-authorization', { site: siteId }),
      account: plugin('single-account', { withoutCredentials: true }),
      emulated: plugin('emulated-cloud', { delaysMs: { create: 40 } }),
    },
    aaa: {
      tokenGenerator: 'identity',
      federationIdentity: 'identity',
      authentication: 'identity',
      authorization: 'roles',
    },
    clouds: { emulated: { plugin: 'emulated', mapper: 'account' } },
  }
  return `import { federation, members } from './federation/sections.ts'

const site = ${JSON.stringify(site, null, 2)}

const peers = ${JSON.stringify(peers, null, 2)}

export default {
  ...site,
  members,
  // Through the tap, which notes when messages go by.
  federation: { ...federation, xmpp: { ...federation.xmpp, port: ${TAP_PORT} }, peers },
}
`
}
