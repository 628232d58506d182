import { BlockList, isIP } from 'node:net'
import { usage } from '../exit.ts'
import { isLoopback, isPrivate, type Machine, type ServerKind, serverKinds } from './machine.ts'

/** What somebody typed; everything may be left out. */
export interface TypedPlan {
  siteId?: string
  domain?: string
  /** Of the XMPP server, for other servers. */
  address?: string[]
  /** Where it listens, if that is another one (NAT). */
  listen?: string[]
  /** Of the XMPP server, for this host. */
  componentAddress?: string
  componentPort?: string
  /** Of this host, for the XMPP server. */
  hostAddress?: string
  server?: ServerKind
  serverDir?: string
  certificate?: string
  key?: string
  authority?: string
  hosts?: string
  /** Where this host and its clouds are. */
  privateNetwork?: string[]
  adminNetwork?: string[]
  member?: string[]
}

/** Everything that a set-up is written from. */
export interface Plan {
  readonly siteId: string
  /** Of the component. */
  readonly jid: string
  /** Zone of the DNS records. */
  readonly domain: string
  /** Name of the machine of the XMPP server. */
  readonly serverName: string
  readonly addresses: readonly string[]
  /** The same as the machine itself has them, which differ behind NAT. */
  readonly listenAddresses: readonly string[]
  readonly componentAddress: string
  readonly componentPort: number
  readonly hostAddress: string
  readonly servers: readonly ServerKind[]
  /** Where the server keeps its data, log and pid; the places of Debian's package when absent. */
  readonly serverDir?: string
  readonly certificate?: string
  readonly key?: string
  /** Certificate of the federation's own authority. */
  readonly authority?: string
  readonly hosts?: string
  /** Into which nobody may dial, with this host in one of them; none when they were not named. */
  readonly privateNetworks: readonly string[]
  /** From where the machine of the server may be administered. */
  readonly adminNetworks: readonly string[]
  readonly members: readonly string[]
  /** What was found out and should be looked at. */
  readonly notes: readonly string[]
}

const NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/
export const COMPONENT_PORT = 5347

/** @throws CommandError when something is wrong or cannot be found out */
export function makePlan(
  typed: TypedPlan,
  configuredId: string | undefined,
  machine: Machine,
): Plan {
  const notes: string[] = []
  const siteId = findSiteId(typed, configuredId, machine)
  const domain = typed.domain ?? siteId.slice(siteId.indexOf('.') + 1)
  const jid = `ras-${siteId}`
  if (!jid.endsWith(`.${domain}`))
    throw usage(
      `The component is ${jid}, which is not in the zone ${domain}`,
      `choose a site id that ends in .${domain}`,
    )
  if (!domain.includes('.'))
    notes.push(
      `the name ${jid} belongs into the zone '${domain}', which is hardly yours: a site id such as lab.${siteId} would be ras-lab.${siteId} in your own`,
    )
  const componentAddress = readAddress(typed.componentAddress ?? '127.0.0.1')
  const addresses = findAddresses(typed, machine, notes)
  const hostAddress = findHostAddress(typed, componentAddress, machine, notes)
  const optional = {
    ...(typed.serverDir && { serverDir: typed.serverDir }),
    ...(typed.certificate && { certificate: typed.certificate }),
    ...(typed.key && { key: typed.key }),
    ...(typed.authority && { authority: typed.authority }),
    ...(typed.hosts && { hosts: typed.hosts }),
  }
  for (const path of Object.values(optional)) assertPlain(path)
  return {
    ...optional,
    siteId,
    jid,
    domain,
    serverName: `xmpp.${domain}`,
    addresses,
    listenAddresses: typed.listen?.map(readAddress) ?? addresses,
    componentAddress,
    componentPort: readPort(typed.componentPort),
    hostAddress,
    servers: typed.server
      ? [typed.server]
      : machine.servers.length > 0
        ? machine.servers
        : serverKinds,
    privateNetworks: findPrivateNetworks(typed, hostAddress),
    adminNetworks: (typed.adminNetwork ?? []).map(readNetwork),
    members: (typed.member ?? []).map((id) => readName(id, '--member')),
    notes,
  }
}

/** Whether site and XMPP server share a machine. */
export function isOneMachine({ componentAddress, hostAddress }: Plan): boolean {
  return isLoopback(componentAddress) || componentAddress === hostAddress
}

function findSiteId(typed: TypedPlan, configured: string | undefined, machine: Machine): string {
  const given = typed.siteId ?? configured
  if (given !== undefined) {
    if (typed.siteId !== undefined && configured !== undefined && typed.siteId !== configured)
      throw usage(
        `--site-id is ${typed.siteId}, and site.id in the configuration is ${configured}`,
        'they must be equal: leave out --site-id, or change the configuration',
      )
    return readName(given, 'the site id')
  }
  const domain = typed.domain ?? machine.hostName.split('.').slice(1).join('.')
  if (domain.includes('.')) return readName(`fogbow.${domain}`, 'the site id')
  throw usage(
    'There is no configuration here that names the site, and this machine has no full host name',
    'give --site-id, such as fogbow.university.example',
  )
}

function findAddresses(typed: TypedPlan, machine: Machine, notes: string[]): string[] {
  if (typed.address) return typed.address.map(readAddress)
  const found = machine.addresses.filter((address) => isIP(address))
  const open = found.filter((address) => !isPrivate(address))
  const [first] = found
  if (first === undefined)
    throw usage(
      'This machine shows no address under which other servers could reach the XMPP server',
      'give --address',
    )
  const taken = open.length > 0 ? open : [first]
  const doubt = open.length > 0 ? '' : ', which is private: others hardly reach it'
  notes.push(
    `took ${taken.join(' and ')} of this machine as the address of the XMPP server${doubt}; --address says otherwise`,
  )
  return taken
}

function findHostAddress(
  typed: TypedPlan,
  componentAddress: string,
  machine: Machine,
  notes: string[],
): string {
  if (typed.hostAddress) {
    if (isIP(readAddress(typed.hostAddress)) === isIP(componentAddress)) return typed.hostAddress
    throw usage('--host-address and --component-address must both be IPv4, or both IPv6')
  }
  if (isLoopback(componentAddress)) return componentAddress
  const family = isIP(componentAddress)
  const same = machine.addresses.filter((address) => isIP(address) === family)
  const found = same.find(isPrivate) ?? same[0]
  if (found === undefined)
    throw usage(
      'This machine shows no address for the firewall of the XMPP server',
      'give --host-address',
    )
  notes.push(
    `took ${found} as the address of this host for the firewall; --host-address says otherwise`,
  )
  return found
}

function findPrivateNetworks({ privateNetwork = [] }: TypedPlan, hostAddress: string): string[] {
  if (privateNetwork.length === 0) return []
  const networks = privateNetwork.map(readNetwork)
  const all = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = familyOf(address)
    all.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family)
  }
  if (all.check(hostAddress, familyOf(hostAddress))) return networks
  throw usage(
    `This host, ${hostAddress}, is in none of the private networks ${networks.join(', ')}`,
    'add its network with --private-network, or correct --host-address',
  )
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}

function readName(text: string, what: string): string {
  if (NAME.test(text) && text.length <= 240) return text
  throw usage(
    `${what}: '${text}' is no DNS name in lower case`,
    'such as fogbow.university.example',
  )
}

function readAddress(text: string): string {
  if (isIP(text)) return text
  throw usage(`'${text}' is no IP address`)
}

function readNetwork(text: string): string {
  const [address = '', bits = '', ...rest] = text.split('/')
  const most = isIP(address) === 6 ? 128 : 32
  const isRight = isIP(address) && rest.length === 0 && (!text.includes('/') || /^\d+$/.test(bits))
  if (isRight && Number(bits) <= most) return text
  throw usage(`'${text}' is no network`, 'such as 192.0.2.0/24')
}

function readPort(text: string | undefined): number {
  const port = Number(text ?? COMPONENT_PORT)
  if (Number.isInteger(port) && port > 0 && port <= 65535) return port
  throw usage(`'${text}' is no port`)
}

/** Paths go into files of several languages, which all have their own ways to write odd characters. */
function assertPlain(path: string): void {
  if (!/^[\w./+@:-]+$/.test(path))
    throw usage(`'${path}' has characters that not every server configuration can hold`)
}
