import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createServerFolder,
  dyingWithParent,
  startServer,
  type XmppServer,
} from './server-process.ts'
import {
  type SiteFiles,
  type SiteServerOptions,
  STANZA_SIZE_LIMIT,
  writeSiteFiles,
} from './site-server.ts'

const FIRST_COMPONENT_PORT = 5347
const DISTRIBUTION_PORT = 4200

/** ejabberd of Debian, which carries several times the load of Prosody. Trust is as there. */
export async function startEjabberd(options: SiteServerOptions): Promise<XmppServer> {
  const jids = Object.keys(options.components)
  // Names that share a port would get each other's stanzas.
  const portOf = (jid: string) => FIRST_COMPONENT_PORT + jids.indexOf(jid)
  const folder = createServerFolder('ejabberd', (made) => {
    const files = writeSiteFiles(made, options)
    writeFileSync(join(made, 'ejabberd.yml'), configuration(files, options, portOf))
    writeFileSync(join(made, 'ejabberdctl.cfg'), environment(made, options))
    writeResolution(made, files.hosts)
  })
  return startServer({
    through: withNamesOf(folder),
    domain: options.domain,
    address: options.address,
    user: 'ejabberd',
    folder,
    command: [
      ...['ejabberdctl', '--config-dir', folder, '--config', join(folder, 'ejabberd.yml')],
      ...['--ctl-config', join(folder, 'ejabberdctl.cfg'), '--logs', folder, '--spool', folder],
      'foreground',
    ],
    logFile: join(folder, 'ejabberd.log'),
    ports: [5269, ...jids.map(portOf)],
    portOf,
    readPid: () => Number(readFileSync(join(folder, 'pid'), 'utf8')),
  })
}

/** JSON is YAML. */
function configuration(
  files: SiteFiles,
  options: SiteServerOptions,
  portOf: (jid: string) => number,
): string {
  const limit = {
    ip: options.address,
    max_stanza_size: options.stanzaSizeLimit ?? STANZA_SIZE_LIMIT,
  }
  return JSON.stringify({
    hosts: [options.domain],
    loglevel: 'info',
    certfiles: [files.key, files.certificate],
    ca_file: files.authority,
    s2s_cafile: files.authority,
    s2s_use_starttls: 'required',
    // The default of 300 seconds refuses a peer for that long after a short absence.
    s2s_max_retry_delay: 1,
    listen: [
      { port: 5269, module: 'ejabberd_s2s_in', ...limit },
      ...Object.entries(options.components).map(([jid, password]) => ({
        port: portOf(jid),
        module: 'ejabberd_service',
        access: 'all',
        hosts: { [jid]: { password } },
        ...limit,
      })),
    ],
    acme: { auto: false },
    modules: { mod_disco: {}, mod_ping: {} },
  })
}

function environment(folder: string, { address, domain }: SiteServerOptions): string {
  const node = domain.replaceAll(/[^a-z0-9]/g, '_')
  return [
    `ERLANG_NODE=${node}@localhost`,
    // With a port of its own no port mapper is needed, which would outlive the tests.
    `ERL_DIST_PORT=${DISTRIBUTION_PORT}`,
    `INET_DIST_INTERFACE=${address}`,
    `EJABBERD_PID_PATH=${join(folder, 'pid')}`,
    ejabberdMachine(folder),
    '',
  ].join('\n')
}

/** For `ejabberdctl.cfg`: how Erlang is started where `writeResolution` wrote. */
export function ejabberdMachine(folder: string): string {
  return `ERL=${join(folder, 'erl')}`
}

/** Lets an ejabberd find names by a file, as there is no DNS. */
export function writeResolution(folder: string, hosts: string): void {
  writeFileSync(join(folder, 'inetrc'), resolution(folder, hosts))
  writeFileSync(join(folder, 'no-servers'), '')
  writeFileSync(join(folder, 'names'), readFileSync(hosts))
  writeFileSync(join(folder, 'where-names-are'), 'passwd: files\ngroup: files\nhosts: files\n')
  writeFileSync(join(folder, 'erl'), machine, { mode: 0o755 })
}

/**
 * What goes before the command: names of servers are looked up by the system's own library, which finds these files in
 * place of those of the machine.
 */
export function withNamesOf(folder: string): string[] {
  const own = { names: 'hosts', 'where-names-are': 'nsswitch.conf' }
  const mounts = Object.entries(own).map(([file, of]) => `mount --bind "$0/${file}" /etc/${of}`)
  return ['unshare', '--mount', 'sh', '-c', [...mounts, 'exec "$@"'].join(' && '), folder]
}

const machine = `#!/bin/sh
exec ${dyingWithParent().join(' ')} /usr/bin/erl "$@"
`

/** Records of services are looked up by Erlang; it asks no server where none is named. */
function resolution(folder: string, hosts: string): string {
  return [
    '{lookup, ["file"]}.',
    `{hosts_file, "${hosts}"}.`,
    `{resolv_conf, "${join(folder, 'no-servers')}"}.`,
    '',
  ].join('\n')
}
