import { execFile, execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SiteProcess } from '../../system/support/site-process.ts'
import type { Authority } from '../servers/certificates.ts'
import { dyingWithParent, startServer, type XmppServer } from '../servers/server-process.ts'
import type { SiteNetwork } from './network.ts'

/** Machines for which rules are written, and the files of these. */
const walls = {
  server: 'nftables-xmpp-server.conf',
  gateway: 'nftables-gateway.conf',
  host: 'nftables-host.conf',
} as const
export type Walled = keyof typeof walls
export const walled = Object.keys(walls) as Walled[]

/** A site behind a closed firewall, with everything as `fogbow federation init` wrote it. */
export interface ClosedSite {
  readonly id: string
  readonly network: SiteNetwork
  /** Lines for the zone. */
  readonly records: readonly string[]
  readonly keys: readonly string[]
  /** Certificate of the federation's authority. */
  readonly authorityFile: string
  readonly folder: string
  readonly dataDir: string
  /** Loads the rules that were written for a machine. */
  close(machine: Walled): void
  /** Takes them away. */
  open(machine: Walled): void
  startServer(): Promise<XmppServer>
  startHost(peers: readonly Pick<ClosedSite, 'id' | 'keys'>[]): Promise<SiteProcess>
  remove(): void
}

export interface ClosedSiteOptions {
  readonly id: string
  readonly kind: 'prosody' | 'ejabberd'
  readonly network: SiteNetwork
  readonly members: readonly string[]
  readonly authority: Authority
}

export const REST_PORT = 8080
const COMPONENT_PORT = 5347
const root = join(import.meta.dirname, '../../..')
const launcher = join(root, 'core/cli/bin.mjs')
const run = promisify(execFile)

export async function setUpClosedSite(options: ClosedSiteOptions): Promise<ClosedSite> {
  const { id, network } = options
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-closed-'))
  const files = join(folder, 'server')
  mkdirSync(files)
  writeCertificates(files, options)
  const { keys } = await init(folder, files, options)
  const made = (name: string) => join(folder, 'federation', name)
  return {
    ...{ id, network, folder, keys },
    authorityFile: join(files, 'ca.pem'),
    dataDir: join(folder, 'data'),
    records: readFileSync(made('dns.zone'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(';')),
    close: (machine) => {
      network[machine].run(['nft', '-f', made(walls[machine])])
    },
    open: (machine) => {
      network[machine].run(['nft', 'delete', 'table', 'inet', 'fogbow_federation'])
    },
    startServer: () => startXmppServer(folder, files, options),
    startHost(peers) {
      const config = configuration(id, network.addresses.host, peers)
      const env = { PORT: String(REST_PORT) }
      const through = [...network.host.through, ...dyingWithParent()]
      return SiteProcess.start({ folder, config, env, through })
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function writeCertificates(folder: string, { id, authority }: ClosedSiteOptions): void {
  const { key, certificate } = authority.issue(id.slice(id.indexOf('.') + 1))
  copyFileSync(key, join(folder, 'site.key'))
  copyFileSync(certificate, join(folder, 'site.pem'))
  copyFileSync(authority.certificate, join(folder, 'ca.pem'))
}

async function init(
  folder: string,
  files: string,
  { id, kind, members, network }: ClosedSiteOptions,
): Promise<{ keys: string[] }> {
  const { open, server, host, inside } = network.addresses
  const args = [
    ...['federation', 'init', '--json', '--site-id', id, '--server', kind],
    ...['--address', open, '--component-address', server, '--host-address', host],
    ...['--private-network', inside],
    ...['--certificate', join(files, 'site.pem'), '--key', join(files, 'site.key')],
    ...['--authority', join(files, 'ca.pem'), '--server-dir', files],
    ...members.filter((member) => member !== id).flatMap((member) => ['--member', member]),
  ]
  const { stdout } = await run(process.execPath, [launcher, ...args], { cwd: folder })
  return JSON.parse(stdout)
}

function startXmppServer(
  folder: string,
  files: string,
  { id, kind, network }: ClosedSiteOptions,
): Promise<XmppServer> {
  const made = join(folder, 'federation')
  // The server may read what was made for it, and nothing else of the site.
  chmodSync(folder, 0o711)
  chmodSync(made, 0o711)
  if (kind === 'ejabberd') writeErlang(files, join(made, 'ejabberdctl.cfg'))
  execFileSync('chown', ['-R', `${kind}:`, made, files])
  const { server, addresses } = network
  const shared = {
    ...{ domain: id, address: addresses.open, user: kind, folder: files },
    ports: [5269, COMPONENT_PORT],
    portOf: () => COMPONENT_PORT,
    through: server.through,
    isListening: server.isListening,
  }
  if (kind === 'prosody')
    return startServer({
      ...shared,
      command: ['prosody', '-F', '--config', join(made, 'prosody.cfg.lua')],
      logFile: join(files, 'prosody.log'),
    })
  return startServer({
    ...shared,
    command: [
      ...['ejabberdctl', '--config-dir', files, '--config', join(made, 'ejabberd.yml')],
      ...['--ctl-config', join(made, 'ejabberdctl.cfg'), '--logs', files, '--spool', files],
      'foreground',
    ],
    logFile: join(files, 'ejabberd.log'),
    readPid: () => Number(readFileSync(join(files, 'ejabberd.pid'), 'utf8')),
  })
}

/** Names as Debian's package has it: by the system, and by the DNS server that the system names. */
function writeErlang(folder: string, environment: string): void {
  const lines = ['{lookup, ["file", "native"]}.', '{file, resolv, "/etc/resolv.conf"}.', '']
  writeFileSync(join(folder, 'inetrc'), lines.join('\n'))
  const erlang = join(folder, 'erl')
  const mortal = dyingWithParent().join(' ')
  writeFileSync(erlang, `#!/bin/sh\nexec ${mortal} /usr/bin/erl "$@"\n`, { mode: 0o755 })
  appendFileSync(environment, `ERL=${erlang}\n`)
}

/** The sections that were written for the site, with the keys of the others that their administrators told. */
function configuration(
  id: string,
  host: string,
  peers: readonly Pick<ClosedSite, 'id' | 'keys'>[],
): string {
  const official = (name: string, config: object, more = {}) => ({
    package: join(root, 'plugins-official', name),
    config,
    ...more,
  })
  const users = { secrets: { users: 'file:{dataDir}/users.json' } }
  const site = {
    site: { id },
    log: { level: 'warn' },
    http: { host },
    plugins: {
      identity: official('local-identity', { issuer: id }, users),
      roles: official('role-authorization', { site: id }),
      account: official('single-account', { withoutCredentials: true }),
      emulated: official('emulated-cloud', {}),
    },
    aaa: {
      tokenGenerator: 'identity',
      federationIdentity: 'identity',
      authentication: 'identity',
      authorization: 'roles',
    },
    clouds: { emulated: { plugin: 'emulated', mapper: 'account' } },
  }
  const keys = Object.fromEntries(
    peers.filter((peer) => peer.id !== id).map((peer) => [peer.id, { keys: peer.keys }]),
  )
  return `import { federation, members } from './federation/sections.ts'

export default {
  ...${JSON.stringify(site, null, 2)},
  members,
  federation: { ...federation, peers: ${JSON.stringify(keys)} },
}
`
}
