import { dnsRecords, dnsWords } from './dns.ts'
import { ejabberdConfiguration, ejabberdEnvironment } from './ejabberd.ts'
import { gatewayFirewall, hostFirewall, serverFirewall } from './firewall.ts'
import { isOneMachine, type Plan } from './plan.ts'
import { prosodyConfiguration } from './prosody.ts'
import { configSections } from './sections.ts'

export interface SetUpFile {
  readonly name: string
  readonly text: string
  /** Readable by its owner alone. */
  readonly secret?: true
}

/** @param secret - of the component, without characters that any of the languages knows */
export function setUpFiles(plan: Plan, secret: string): SetUpFile[] {
  const prosody = [
    { name: 'prosody.cfg.lua', text: prosodyConfiguration(plan, secret), secret: true as const },
  ]
  const ejabberd = [
    { name: 'ejabberd.yml', text: ejabberdConfiguration(plan, secret), secret: true as const },
    { name: 'ejabberdctl.cfg', text: ejabberdEnvironment(plan) },
  ]
  return [
    ...(plan.servers.includes('prosody') ? prosody : []),
    ...(plan.servers.includes('ejabberd') ? ejabberd : []),
    { name: 'nftables-xmpp-server.conf', text: serverFirewall(plan) },
    ...(isOneMachine(plan) ? [] : firewallsInside(plan)),
    { name: 'dns.zone', text: dnsRecords(plan) },
    { name: 'sections.ts', text: configSections(plan) },
  ]
}

function firewallsInside(plan: Plan): SetUpFile[] {
  const gateway = { name: 'nftables-gateway.conf', text: gatewayFirewall(plan) }
  const host = { name: 'nftables-host.conf', text: hostFirewall(plan) }
  return plan.privateNetworks.length > 0 ? [gateway, host] : [host]
}

/** What is left to do, in its order. */
export function nextSteps(plan: Plan, folder: string): string[] {
  const { jid, servers } = plan
  const place = isOneMachine(plan) ? 'this machine' : 'the machine of the XMPP server'
  const configuration = {
    prosody: `install prosody and lua-unbound on ${place}, put ${folder}/prosody.cfg.lua into /etc/prosody/ (owner root, group prosody, mode 0640), run prosodyctl check config and restart it`,
    ejabberd: `install ejabberd on ${place}, put ${folder}/ejabberd.yml into /etc/ejabberd/ and ejabberdctl.cfg to /etc/default/ejabberd (owner root, group ejabberd, mode 0640), and restart it`,
  }
  return [
    `get a certificate for ${jid} (a public authority, or that of the federation) and put it where the server's configuration names it`,
    servers.map((kind) => configuration[kind]).join('; or: '),
    `publish the records of ${folder}/dns.zone: ${dnsWords(plan)}`,
    firewallStep(plan, folder, place),
    `take the sections of ${folder}/sections.ts over into fogbow.config.ts, with the ids and keys of the other members`,
    'tell the other administrators the keys below, by telephone; they tell you theirs',
    'start the site, and run: fogbow federation doctor',
  ]
}

function firewallStep(plan: Plan, folder: string, place: string): string {
  const gateway =
    plan.privateNetworks.length > 0
      ? `${folder}/nftables-gateway.conf on the router between them`
      : 'with --private-network there are rules for the router between them, too'
  const inside = isOneMachine(plan) ? '' : `, ${folder}/nftables-host.conf on this host; ${gateway}`
  return `load ${folder}/nftables-xmpp-server.conf on ${place} (nft -f)${inside}; TCP 5269 has to be open for other servers`
}
