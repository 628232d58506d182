import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createServerFolder, startServer, type XmppServer } from './server-process.ts'
import {
  type SiteFiles,
  type SiteServerOptions,
  STANZA_SIZE_LIMIT,
  writeSiteFiles,
} from './site-server.ts'

export interface ProsodyOptions extends SiteServerOptions {
  /** Who stays when a second process comes under a component's name. */
  readonly onConflict?: 'kick_new' | 'kick_old'
}

const COMPONENT_PORT = 5347

/** Prosody of Debian, light and quick to start. Servers trust each other by certificates of the authority alone. */
export async function startProsody(options: ProsodyOptions): Promise<XmppServer> {
  const config = (folder: string) => join(folder, 'prosody.cfg.lua')
  const folder = createServerFolder('prosody', (made) =>
    writeFileSync(config(made), configuration(made, writeSiteFiles(made, options), options)),
  )
  return startServer({
    domain: options.domain,
    address: options.address,
    user: 'prosody',
    folder,
    command: ['prosody', '-F', '--config', config(folder)],
    logFile: join(folder, 'log'),
    ports: [5269, COMPONENT_PORT],
    portOf: () => COMPONENT_PORT,
  })
}

function configuration(folder: string, files: SiteFiles, options: ProsodyOptions): string {
  const limit = options.stanzaSizeLimit ?? STANZA_SIZE_LIMIT
  const components = Object.entries(options.components).map(
    ([jid, secret]) => `Component "${jid}"\n  component_secret = "${secret}"`,
  )
  return `
pidfile = "${folder}/pid"
data_path = "${folder}"
log = { { levels = { min = "info" }, to = "file", filename = "${folder}/log" } }
-- Not "limits": its rate for other servers costs 40 ms for each small call.
modules_enabled = { "disco", "tls", "saslauth", "ping" }
modules_disabled = { "c2s", "http", "offline", "posix" }
authentication = "internal_hashed"
s2s_interfaces = { "${options.address}" }
s2s_ports = { 5269 }
component_interfaces = { "${options.address}" }
component_ports = { ${COMPONENT_PORT} }
c2s_ports = {}
http_ports = {}
https_ports = {}
use_ipv6 = false
s2s_require_encryption = true
s2s_secure_auth = true
ssl = { key = "${files.key}", certificate = "${files.certificate}", cafile = "${files.authority}", capath = false }
-- Not "opportunistic_writes", which lets a connection that is reset keep the server busy for ever.
network_settings = { nagle = false, read_size = 65536 }
s2s_stanza_size_limit = ${limit}
component_stanza_size_limit = ${limit}
component_conflict_resolve = "${options.onConflict ?? 'kick_new'}"
unbound = { hoststxt = "${files.hosts}", resolvconf = false }
VirtualHost "${options.domain}"
${components.join('\n')}
`
}
