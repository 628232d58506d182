import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Authority, Certificate } from '../servers/certificates.ts'
import { ejabberdMachine, withNamesOf, writeResolution } from '../servers/ejabberd.ts'
import { startServer, type XmppServer } from '../servers/server-process.ts'

const launcher = fileURLToPath(new URL('../../../core/cli/bin.mjs', import.meta.url))
const COMPONENT_PORT = 5347

export interface SetUpOptions {
  readonly siteId: string
  readonly kind: 'prosody' | 'ejabberd'
  readonly address: string
  readonly authority: Authority
  /** One of the authority when absent. */
  readonly certificate?: Certificate
  /** Names of components, and their addresses. */
  readonly names: Readonly<Record<string, string>>
  readonly members?: readonly string[]
}

/** What `fogbow federation init` made for a site, and the server that runs with it. */
export interface SetUp {
  readonly siteId: string
  readonly folder: string
  readonly dataDir: string
  /** As JSON of the command. */
  readonly result: { readonly keys: readonly string[]; readonly secretFile: string }
  readonly hostsFile: string
  readonly authorityFile: string
  startServer(): Promise<XmppServer>
  remove(): void
}

/** Sets a site up as its administrator does, with everything in one folder. */
export function setUpSite(options: SetUpOptions): SetUp {
  const { siteId, kind, address, authority } = options
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-set-up-'))
  const inside = (name: string) => join(folder, name)
  const server = inside('server')
  const own = options.certificate ?? authority.issue(siteId.slice(siteId.indexOf('.') + 1))
  execFileSync('install', ['-d', server])
  const files = {
    'site.key': own.key,
    'site.pem': own.certificate,
    'ca.pem': authority.certificate,
  }
  for (const [name, source] of Object.entries(files))
    execFileSync('install', ['-m', '644', source, join(server, name)])
  const hostsFile = join(server, 'hosts')
  const hosts = Object.entries({ localhost: '127.0.0.1', ...options.names })
  writeFileSync(hostsFile, hosts.map(([name, at]) => `${at} ${name}\n`).join(''))
  const args = [
    ...['federation', 'init', '--json', '--site-id', siteId, '--server', kind],
    ...['--address', address, '--component-address', address, '--host-address', address],
    ...['--certificate', join(server, 'site.pem'), '--key', join(server, 'site.key')],
    ...['--authority', join(server, 'ca.pem'), '--server-dir', server, '--hosts', hostsFile],
    ...(options.members ?? []).flatMap((id) => ['--member', id]),
  ]
  const output = execFileSync(process.execPath, [launcher, ...args], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return {
    siteId,
    folder,
    hostsFile,
    authorityFile: join(server, 'ca.pem'),
    dataDir: inside('data'),
    result: JSON.parse(output),
    startServer: () => start(options, folder, hostsFile),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function start({ siteId, kind, address }: SetUpOptions, folder: string, hosts: string) {
  const made = join(folder, 'federation')
  const server = join(folder, 'server')
  if (kind === 'ejabberd') {
    writeResolution(server, hosts)
    appendFileSync(join(made, 'ejabberdctl.cfg'), `${ejabberdMachine(server)}\n`)
  }
  // The server may read what was made for it, and nothing else of the site.
  execFileSync('chmod', ['711', folder, made])
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', `${kind}:`, made, server])
  const shared = {
    domain: siteId,
    address,
    user: kind,
    folder: server,
    ports: [5269, COMPONENT_PORT],
    portOf: () => COMPONENT_PORT,
  }
  if (kind === 'prosody')
    return startServer({
      ...shared,
      command: ['prosody', '-F', '--config', join(made, 'prosody.cfg.lua')],
      logFile: join(server, 'prosody.log'),
    })
  return startServer({
    ...shared,
    through: withNamesOf(server),
    command: [
      ...['ejabberdctl', '--config-dir', server, '--config', join(made, 'ejabberd.yml')],
      ...['--ctl-config', join(made, 'ejabberdctl.cfg'), '--logs', server, '--spool', server],
      'foreground',
    ],
    logFile: join(server, 'ejabberd.log'),
    readPid: () =>
      Number(execFileSync('cat', [join(server, 'ejabberd.pid')], { encoding: 'utf8' }).trim()),
  })
}
