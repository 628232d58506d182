import type { Plan } from './plan.ts'

/** Larger than any stanza that sites send, by far. */
export const STANZA_SIZE_LIMIT = 1_048_576
export const SYSTEM_AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'

/** A whole configuration of Prosody 0.12 for a server that serves this site alone. */
export function prosodyConfiguration(plan: Plan, secret: string): string {
  const { jid, siteId, serverDir: folder } = plan
  const key = plan.key ?? `/etc/prosody/certs/${jid}.key`
  const certificate = plan.certificate ?? `/etc/prosody/certs/${jid}.crt`
  return `-- Prosody for the Fogbow site ${siteId}: takes the place of /etc/prosody/prosody.cfg.lua.
-- Keep it readable by root and prosody alone: it holds the secret of the component.

pidfile = "${folder ? `${folder}/prosody.pid` : '/run/prosody/prosody.pid'}"
data_path = "${folder ?? '/var/lib/prosody'}"
log = { { levels = { min = "info" }, to = "file", filename = "${folder ?? '/var/log/prosody'}/prosody.log" } }

-- Without "limits": its rate for other servers makes each small call take 40 ms, and a large one seconds.
-- Without "dialback": who has no certificate that is trusted here is not believed.
modules_enabled = { "disco", "tls", "saslauth", "ping" }
-- Nobody logs in here, and nothing is served over HTTP.
modules_disabled = { "c2s", "http", "offline" }
authentication = "internal_hashed"
c2s_ports = {}
http_ports = {}
https_ports = {}

-- Other servers.
s2s_interfaces = { ${list(plan.listenAddresses)} }
s2s_ports = { 5269 }
use_ipv6 = ${plan.listenAddresses.some((address) => address.includes(':'))}
s2s_require_encryption = true
s2s_secure_auth = true
-- The certificate has to name ${jid}. Only who has one of an authority in cafile is believed.
ssl = {
  key = "${key}",
  certificate = "${certificate}",
  cafile = "${plan.authority ?? SYSTEM_AUTHORITIES}",
  capath = false,
}

-- The site. This link has no TLS: keep it on this machine or in a private segment.
component_interfaces = { "${plan.componentAddress}" }
component_ports = { ${plan.componentPort} }
-- A host that takes over gets through at once, also when the old one is dead and has not said so.
component_conflict_resolve = "kick_old"

-- Not "opportunistic_writes": with it, a connection that is reset while something is written to it can keep the server
-- busy for ever (LuaSec 1.2).
network_settings = { nagle = false, read_size = 65536 }
s2s_stanza_size_limit = ${STANZA_SIZE_LIMIT}
component_stanza_size_limit = ${STANZA_SIZE_LIMIT}
${plan.hosts ? `\n-- Names that are in no DNS.\nunbound = { hoststxt = "${plan.hosts}", resolvconf = ${!folder} }\n` : ''}
VirtualHost "${siteId}"
Component "${jid}"
  component_secret = "${secret}"
`
}

function list(texts: readonly string[]): string {
  return texts.map((text) => `"${text}"`).join(', ')
}
