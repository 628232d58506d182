import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ADMIN_PASSWORD, type SiteProcess } from '../../system/support/site-process.ts'
import { createAuthority } from '../servers/certificates.ts'
import type { XmppServer } from '../servers/server-process.ts'
import { type ClosedSite, setUpClosedSite, walled } from './closed-site.ts'
import type { Machine } from './machine.ts'
import { type Network, openNetwork, RESOLVER } from './network.ts'
import { startResolver } from './resolver.ts'
import type { Trade } from './trade.ts'
import { startWatch, type Watch } from './watch.ts'

const runFile = promisify(execFile)
const root = join(import.meta.dirname, '../../..')

/** A site that runs, and what is counted at its walls. */
export interface RunningSite extends ClosedSite {
  readonly server: XmppServer
  readonly process: SiteProcess
  readonly watches: { readonly [machine in 'server' | 'gateway' | 'host' | 'desk']: Watch }
}

export interface ClosedSites {
  readonly network: Network
  readonly sites: readonly RunningSite[]
  /** Ends and removes everything. */
  stop(): Promise<void>
}

const members = [
  { id: 'north.site-n.example', kind: 'prosody' },
  { id: 'west.site-w.example', kind: 'prosody' },
  { id: 'south.site-s.example', kind: 'ejabberd' },
] as const

/** Three sites, closed before anything of them runs. */
export async function startClosedSites(): Promise<ClosedSites> {
  const undo: (() => unknown)[] = []
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    return { ...(await start(undo)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(undo: (() => unknown)[]): Promise<Omit<ClosedSites, 'stop'>> {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-internet-'))
  undo.push(() => rmSync(folder, { recursive: true, force: true }))
  const resolvConf = join(folder, 'resolv.conf')
  writeFileSync(resolvConf, `nameserver ${RESOLVER}\n`)
  const network = await openNetwork(members.length, resolvConf)
  undo.push(network.remove)
  const authority = createAuthority()
  undo.push(authority.remove)
  const ids = members.map(({ id }) => id)
  const sites = await Promise.all(
    network.sites.map((its, n) => {
      const { id, kind } = members[n] as (typeof members)[number]
      return setUpClosedSite({ id, kind, network: its, members: ids, authority })
    }),
  )
  undo.push(() => {
    for (const site of sites) site.remove()
  })
  const records = sites.flatMap((site) => site.records)
  const resolver = await startResolver(network.internet, RESOLVER, records)
  undo.push(resolver.stop)
  const closed: Omit<RunningSite, 'process'>[] = []
  for (const site of sites) {
    for (const machine of walled) site.close(machine)
    const watches = watchSite(site)
    const server = await site.startServer()
    undo.push(() => server.remove())
    closed.push({ ...site, watches, server })
  }
  return { network, sites: await startHosts(closed, undo) }
}

/** All at once, and none is forgotten when another fails. */
async function startHosts(
  sites: readonly Omit<RunningSite, 'process'>[],
  undo: (() => unknown)[],
): Promise<RunningSite[]> {
  const started = await Promise.allSettled(sites.map((site) => site.startHost(sites)))
  for (const each of started) if (each.status === 'fulfilled') undo.push(() => each.value.stop())
  return sites.map((site, n) => {
    const host = started[n]
    if (host?.status !== 'fulfilled') throw host?.reason
    return { ...site, process: host.value }
  })
}

function watchSite({ network }: ClosedSite): RunningSite['watches'] {
  const { server, gateway, host, desk, addresses } = network
  const fromOutside = { arrived: `iifname lan0 ip saddr != ${addresses.inside} ct state new` }
  return {
    server: startWatch(server, {
      arrived: 'iifname inet0 meta l4proto { tcp, udp } ct state new',
      servers: 'iifname inet0 tcp dport 5269 ct state new',
      components: 'iifname dmz0 tcp dport 5347 ct state new',
    }),
    gateway: startWatch(gateway, { arrived: 'iifname dmz0 ct state new' }),
    host: startWatch(host, fromOutside),
    desk: startWatch(desk, fromOutside),
  }
}

/** A user at her desk in the private network of `home` has a compute of `provider` for a moment. */
export async function trade(home: RunningSite, provider: RunningSite): Promise<Trade> {
  const script = join(import.meta.dirname, 'trade.ts')
  const args = [home.process.url, provider.id, provider.process.url]
  return JSON.parse(await runAt(home.network.desk, [process.execPath, script, ...args]))
}

/** The command of an administrator who is logged in at a site, on the machine of its host. */
export async function fogbow(
  { network, process: site, folder }: RunningSite,
  args: readonly string[],
): Promise<string> {
  const command = [process.execPath, join(root, 'core/cli/bin.mjs'), '--url', site.url]
  const env = { PATH: process.env.PATH, XDG_CONFIG_HOME: join(folder, 'home') }
  const place = { env, cwd: folder }
  const login = [...command, 'login', '--username', 'admin', '--password-stdin']
  await runAt(network.host, login, place, `${ADMIN_PASSWORD}\n`)
  return runAt(network.host, [...command, ...args], place)
}

/** @returns standard output, also of a command that fails after it said something */
async function runAt(
  machine: Machine,
  command: readonly string[],
  place: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
  input = '',
): Promise<string> {
  const [program = '', ...args] = [...machine.through, ...command]
  const running = runFile(program, args, place)
  running.child.stdin?.end(input)
  return (await running).stdout
}
