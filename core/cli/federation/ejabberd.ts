import { isIP } from 'node:net'
import type { Plan } from './plan.ts'
import { STANZA_SIZE_LIMIT, SYSTEM_AUTHORITIES } from './prosody.ts'

/** A whole configuration of ejabberd 23 for a server that serves this site alone. */
export function ejabberdConfiguration(plan: Plan, secret: string): string {
  const { jid, siteId } = plan
  const authority = plan.authority ?? SYSTEM_AUTHORITIES
  return `# ejabberd for the Fogbow site ${siteId}: takes the place of /etc/ejabberd/ejabberd.yml.
# Keep it readable by root and ejabberd alone: it holds the secret of the component.

hosts:
  - "${siteId}"
loglevel: info

# The certificate has to name ${jid}. Only who has one of an authority in s2s_cafile is believed:
# mod_s2s_dialback is left out.
certfiles:
  - "${plan.key ?? `/etc/ejabberd/${jid}.key`}"
  - "${plan.certificate ?? `/etc/ejabberd/${jid}.crt`}"
ca_file: "${authority}"
s2s_cafile: "${authority}"
s2s_use_starttls: required
# The default of 300 seconds refuses a member for that long after a short absence.
s2s_max_retry_delay: 1

listen:
${plan.listenAddresses.map(serverListener).join('\n')}
  # The site. This link has no TLS: keep it on this machine or in a private segment.
  # One component for each port: those that share one get each other's messages.
  - port: ${plan.componentPort}
    ip: "${plan.componentAddress}"
    module: ejabberd_service
    access: all
    max_stanza_size: ${STANZA_SIZE_LIMIT}
    hosts:
      "${jid}":
        password: "${secret}"

acme:
  auto: false
modules:
  mod_disco: {}
  mod_ping: {}
`
}

function serverListener(address: string): string {
  return `  - port: 5269
    ip: "${address}"
    module: ejabberd_s2s_in
    max_stanza_size: ${STANZA_SIZE_LIMIT}`
}

/** For `/etc/default/ejabberd` (`--ctl-config`): Erlang itself listens on the loopback only, and needs no port mapper. */
export function ejabberdEnvironment(plan: Plan): string {
  const { siteId, serverDir, listenAddresses } = plan
  const node = siteId.replaceAll(/[^a-z0-9]/g, '_')
  const own = listenAddresses.find((address) => address.startsWith('127.') && isIP(address) === 4)
  return [
    '# Takes the place of /etc/default/ejabberd.',
    `ERLANG_NODE=${node}@localhost`,
    'ERL_DIST_PORT=4200',
    `INET_DIST_INTERFACE=${own ?? '127.0.0.1'}`,
    ...(serverDir ? [`EJABBERD_PID_PATH=${serverDir}/ejabberd.pid`] : []),
    '',
  ].join('\n')
}
