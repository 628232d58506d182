import { isIP } from 'node:net'
import { isOneMachine, type Plan } from './plan.ts'

/** Rules for the machine of the XMPP server. */
export function serverFirewall(plan: Plan): string {
  return isOneMachine(plan) ? sharedMachine(plan) : machineOfItsOwn(plan)
}

/** Rules for this host, beside what it has; of no use when the server runs on the same machine. */
export function hostFirewall(plan: Plan): string {
  const { componentAddress: server, componentPort: port } = plan
  return `#!/usr/sbin/nft -f
# The host of the Fogbow site ${plan.siteId}: beside the rules that it has.
# It dials out to the XMPP server; the XMPP server never opens a connection inwards.
${table(`
  chain input {
    type filter hook input priority filter; policy accept;
    ${from(server)} ct state established,related accept
    ${from(server)} counter drop
  }
  chain output {
    type filter hook output priority filter; policy accept;
    ${to(server)} tcp dport ${port} accept
    ${to(server)} ct state established,related accept
    ${to(server)} counter drop
  }`)}`
}

/** Rules for the router between the private networks and the XMPP server, beside what it has. */
export function gatewayFirewall(plan: Plan): string {
  const { componentAddress: server, componentPort, hostAddress, privateNetworks } = plan
  const admin = plan.adminNetworks.map(
    (network) => `    ${from(network)} ${to(server)} tcp dport 22 accept`,
  )
  return `#!/usr/sbin/nft -f
# The router between the private network of the Fogbow site ${plan.siteId} and its XMPP server: beside the rules
# that it has. Nobody dials into the private network, neither the XMPP server nor who comes past it.
${table(`
  chain input {
    type filter hook input priority filter; policy accept;
    ${from(server)} ct state established,related accept
    ${from(server)} counter drop
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    ${from(hostAddress)} ${to(server)} tcp dport ${componentPort} ct state new accept
${[...admin, `    ${to(server)} counter drop`].join('\n')}
    # Within, and from within; who shows an address of it from elsewhere is not taken for it.
${privateNetworks.map((network) => `    ${from(network)} fib saddr . iif oif exists accept`).join('\n')}
${privateNetworks.map((network) => `    ${to(network)} counter drop`).join('\n')}
  }`)}`
}

/** The server stands in the open: nothing but the federation gets in or out. */
function machineOfItsOwn(plan: Plan): string {
  const { componentAddress, componentPort, hostAddress, adminNetworks } = plan
  const admin = adminNetworks.map((network) => `    ${from(network)} tcp dport 22 accept`)
  const noAdmin = '    # ip saddr 192.0.2.0/24 tcp dport 22 accept'
  const inward = plan.privateNetworks.length > 0 ? plan.privateNetworks : [hostAddress]
  return `#!/usr/sbin/nft -f
# The machine of the XMPP server of the Fogbow site ${plan.siteId}, which serves nothing else.
${admin.length > 0 ? '' : '# Closes SSH as well: complete the line with port 22 first, or stay at the console.\n'}${table(`
  chain input {
    type filter hook input priority filter; policy drop;
    iif lo accept
    ct state established,related accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
${plan.listenAddresses.map((address) => `    ${to(address)} tcp dport 5269 ct state new accept`).join('\n')}
    ${from(hostAddress)} ${to(componentAddress)} tcp dport ${componentPort} ct state new accept
${admin.length > 0 ? admin.join('\n') : noAdmin}
    counter
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    counter
  }
  chain output {
    type filter hook output priority filter; policy drop;
    oif lo accept
    ct state established,related accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept
    # Never inwards, whatever the port.
${inward.map((network) => `    ${to(network)} counter drop`).join('\n')}
    tcp dport 5269 accept
    # Names and time.
    udp dport { 53, 123 } accept
    tcp dport 53 accept
    counter
  }`)}`
}

function sharedMachine(plan: Plan): string {
  return `#!/usr/sbin/nft -f
# The machine that the Fogbow site ${plan.siteId} shares with its XMPP server: beside the rules that it has.
# TCP 5269 has to be open for other servers, in both directions. The port for components is for this machine only.
${table(`
  chain input {
    type filter hook input priority filter; policy accept;
    iif != lo tcp dport ${plan.componentPort} drop
  }`)}`
}

/** Made anew each time, and alone: rules of others stay. */
function table(chains: string): string {
  return `table inet fogbow_federation
delete table inet fogbow_federation
table inet fogbow_federation {${chains}
}
`
}

function from(network: string): string {
  return `${family(network)} saddr ${network}`
}

function to(network: string): string {
  return `${family(network)} daddr ${network}`
}

function family(network: string): 'ip' | 'ip6' {
  return isIP(network.split('/')[0] ?? '') === 6 ? 'ip6' : 'ip'
}
