import { type Machine, type MachineOptions, openMachine } from './machine.ts'

/** The machines of one site, from the open to the inside. */
export interface SiteNetwork {
  /** In the DMZ, for the XMPP server: one interface to the Internet, one to the gateway. It passes nothing on. */
  readonly server: Machine
  /** Router between the DMZ and the private network. */
  readonly gateway: Machine
  /** In the private network, for the Fogbow host. */
  readonly host: Machine
  /** In the private network, where a user sits. */
  readonly desk: Machine
  readonly addresses: SiteAddresses
}

export interface SiteAddresses {
  /** Of the server, for the Internet. */
  readonly open: string
  /** Of the server, for the gateway. */
  readonly server: string
  /** Of the gateway, for the server. */
  readonly gatewayOutside: string
  readonly gatewayInside: string
  readonly host: string
  readonly desk: string
  /** The private network. */
  readonly inside: string
}

export interface Network {
  /** A cable to which all servers are plugged in; also resolves names. */
  readonly internet: Machine
  /** Somebody on it. */
  readonly outsider: Machine
  readonly sites: readonly SiteNetwork[]
  readonly machines: readonly Machine[]
  remove(): Promise<void>
}

export const RESOLVER = '203.0.113.53'
export const OUTSIDER = '203.0.113.200'

export function addressesOf(site: number): SiteAddresses {
  return {
    open: `203.0.113.${10 + site}`,
    server: `10.${site}.1.2`,
    gatewayOutside: `10.${site}.1.1`,
    gatewayInside: `10.${site}.0.1`,
    host: `10.${site}.0.2`,
    desk: `10.${site}.0.3`,
    inside: `10.${site}.0.0/24`,
  }
}

/**
 * Sites with a DMZ and a private network each, and an Internet between them. There are routes to everything, also for who
 * stands outside, and nothing is closed yet: what cannot be reached later is kept by rules alone.
 * @param resolvConf - file that names the resolver, for the servers
 */
export async function openNetwork(siteCount: number, resolvConf: string): Promise<Network> {
  const machines: Machine[] = []
  const remove = async () => {
    await Promise.all(machines.map((machine) => machine.remove()))
  }
  const open = async (options: MachineOptions) => {
    const machine = await openMachine(options)
    machines.push(machine)
    return machine
  }
  try {
    const internet = await open({ title: 'internet' })
    addSwitch(internet, 'inet0', `${RESOLVER}/24`)
    const outsider = await open({ title: 'outsider' })
    plug(outsider, 'inet0', internet, 'inet0', `${OUTSIDER}/24`)
    const sites: SiteNetwork[] = []
    for (let n = 1; n <= siteCount; n += 1) sites.push(await openSite(n, internet))
    for (const from of [outsider, ...sites.map(({ server }) => server)])
      for (const [n, { server, addresses }] of sites.entries())
        if (from !== server) ip(from, `route add 10.${n + 1}.0.0/16 via ${addresses.open}`)
    return { internet, outsider, sites, machines, remove }
  } catch (error) {
    await remove()
    throw error
  }

  async function openSite(n: number, internet: Machine): Promise<SiteNetwork> {
    const addresses = addressesOf(n)
    const server = await open({ title: `server ${n}`, resolvConf })
    const gateway = await open({ title: `gateway ${n}`, isRouter: true })
    const host = await open({ title: `host ${n}` })
    const desk = await open({ title: `desk ${n}` })
    plug(server, 'inet0', internet, 'inet0', `${addresses.open}/24`)
    addSwitch(gateway, 'lan0', `${addresses.gatewayInside}/24`)
    plug(host, 'lan0', gateway, 'lan0', `${addresses.host}/24`)
    plug(desk, 'lan0', gateway, 'lan0', `${addresses.desk}/24`)
    connect(server, `${addresses.server}/24`, gateway, `${addresses.gatewayOutside}/24`)
    ip(server, `route add ${addresses.inside} via ${addresses.gatewayOutside}`)
    ip(gateway, `route add default via ${addresses.server}`)
    for (const each of [host, desk]) ip(each, `route add default via ${addresses.gatewayInside}`)
    return { server, gateway, host, desk, addresses }
  }
}

function addSwitch(machine: Machine, name: string, address: string): void {
  ip(machine, `link add ${name} type bridge`)
  ip(machine, `address add ${address} dev ${name}`)
  ip(machine, `link set ${name} up`)
}

/** A cable from a machine to a switch of another. */
function plug(
  machine: Machine,
  name: string,
  holder: Machine,
  bridge: string,
  address: string,
): void {
  const socket = `to${machine.pid}`
  ip(holder, `link add ${socket} type veth peer name ${name} netns ${machine.pid}`)
  ip(holder, `link set ${socket} master ${bridge} up`)
  bringUp(machine, name, address)
}

/** A cable between two machines, `dmz0` at both ends. */
function connect(one: Machine, address: string, other: Machine, otherAddress: string): void {
  ip(one, `link add dmz0 type veth peer name dmz0 netns ${other.pid}`)
  bringUp(one, 'dmz0', address)
  bringUp(other, 'dmz0', otherAddress)
}

function bringUp(machine: Machine, name: string, address: string): void {
  ip(machine, `address add ${address} dev ${name}`)
  ip(machine, `link set ${name} up`)
}

function ip(machine: Machine, command: string): void {
  machine.run(['ip', ...command.split(' ')])
}
