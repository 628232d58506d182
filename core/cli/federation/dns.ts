import { isIP } from 'node:net'
import type { Plan } from './plan.ts'

/** Records for the zone, as a fragment of a zone file (RFC 1035, RFC 2782). */
export function dnsRecords(plan: Plan): string {
  const { jid, domain, serverName, addresses } = plan
  const addressesOf = (name: string) =>
    addresses.map((address) => `${name}. IN ${isIP(address) === 6 ? 'AAAA' : 'A'} ${address}`)
  return [
    `; For the zone ${domain}: other servers look for ${jid}, and for no other name.`,
    `; First the SRV record, which names the machine and the port of the XMPP server:`,
    `_xmpp-server._tcp.${jid}. IN SRV 0 5 5269 ${serverName}.`,
    `; the address of that machine:`,
    ...addressesOf(serverName),
    `; and the same under the name of the component, for servers that look for no SRV record:`,
    ...addressesOf(jid),
    '',
  ].join('\n')
}

/** The same for a form of a provider. */
export function dnsWords({ jid, domain, serverName, addresses }: Plan): string {
  const at = addresses.join(' and ')
  return `in the zone ${domain}: an SRV record _xmpp-server._tcp.${jid} to ${serverName}, port 5269; address records of ${serverName} and ${jid} to ${at}`
}
