import { FogbowError, invalid, type NetworkPlugin } from '@fogbow/plugin-sdk'
import { formatAddress, isInRange, parseAddress, parseRange } from './addresses.ts'
import { baseView, type Cloud, type Plan, requested } from './cloud.ts'

type Request = Parameters<NetworkPlugin['requestInstance']>[0]['request']

const DEFAULT_CIDR = '192.168.0.0/24'
const FIRST_VLAN = 100
const VLANS = 3900

export function createNetworkPart(cloud: Cloud): NetworkPlugin {
  return {
    async requestInstance(order) {
      return requested(await cloud.make('network', order, () => plan(cloud, order.request)))
    },

    async getInstance(order) {
      const network = cloud.find('network', order)
      const { cidr, gateway, allocationMode, vlan } = network.details
      const base = baseView(cloud, network)
      return {
        ...base,
        cidr,
        gateway,
        allocationMode,
        vLAN: String(vlan),
        networkInterface: `eth-${vlan}`,
        macinterface: macOf(vlan),
        interfaceState: base.state === 'READY' ? 'up' : 'down',
      }
    },

    deleteInstance: (order) =>
      cloud.remove('network', order, ({ instanceId }) => {
        const [user] = cloud.records.usersOf('compute', instanceId)
        if (!user) return []
        throw new FogbowError(
          'unacceptable_operation',
          `network ${instanceId} is in use by compute ${user.instanceId}; delete that first`,
        )
      }),
  }
}

function plan(cloud: Cloud, request: Request): Plan<'network'> {
  const cidr = request.cidr ?? DEFAULT_CIDR
  const range = parseRange(cidr)
  if (!range)
    throw invalid('network.cidr', `${cidr} is no IPv4 range from /0 to /30, such as 10.0.0.0/24`)
  const gateway = request.gateway ?? formatAddress(range.first)
  const address = parseAddress(gateway)
  if (address === undefined || !isInRange(address, range))
    throw invalid('network.gateway', `${gateway} is no host address in ${cidr}`)
  const allocationMode = request.allocationMode ?? 'dynamic'
  const vlan = FIRST_VLAN + (cloud.records.used.networks % VLANS)
  return { details: { cidr, gateway, allocationMode, vlan }, occupies: { networks: 1 } }
}

function macOf(number: number): string {
  const tail = number.toString(16).padStart(6, '0')
  return `fa:16:3e:${tail.slice(0, 2)}:${tail.slice(2, 4)}:${tail.slice(4)}`
}
