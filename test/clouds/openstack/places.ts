import { once } from 'node:events'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loopbackAddress } from '../../federation/servers/addresses.ts'

export const services = ['keystone', 'placement', 'glance', 'nova', 'neutron', 'cinder'] as const
export type Service = (typeof services)[number]

/** Ports on which these services usually are. */
const ports: Readonly<Record<Service, number>> = {
  keystone: 5000,
  placement: 8778,
  glance: 9292,
  nova: 8774,
  neutron: 9696,
  cinder: 8776,
}

/** Where one cloud is: its folder, and a loopback address of its own on which everything listens. */
export interface Places {
  /** Those that it has. */
  readonly services: readonly Service[]
  readonly folder: string
  readonly address: string
  /** Of the catalogue, without a version. */
  urlOf(service: Service): string
  portOf(service: Service): number
  readonly authUrl: string
  readonly brokerPort: number
  readonly brokerUrl: string
  /** Of the Erlang port mapper, which needs one on which no other one is: it always listens on 127.0.0.1 as well. */
  readonly mapperPort: number
  readonly distributionPort: number
  readonly databaseSocket: string
  databaseUrl(name: string): string
  /** A folder inside, made when it is missing. */
  inside(...path: string[]): string
}

export async function createPlaces(chosen: readonly Service[] = services): Promise<Places> {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-openstack-'))
  const address = await loopbackAddress()
  const urlOf = (service: Service) => `http://${address}:${ports[service]}`
  const databaseSocket = join(folder, 'database.sock')
  const [mapperPort = 0, distributionPort = 0] = await freePorts(2)
  return {
    services: chosen,
    folder,
    address,
    urlOf,
    portOf: (service) => ports[service],
    authUrl: `${urlOf('keystone')}/v3`,
    brokerPort: 5672,
    brokerUrl: `rabbit://openstack:openstack@${address}:5672/`,
    mapperPort,
    distributionPort,
    databaseSocket,
    databaseUrl: (name) =>
      `mysql+pymysql://openstack:openstack@localhost/${name}?unix_socket=${databaseSocket}&charset=utf8`,
    inside(...path) {
      const inner = join(folder, ...path)
      mkdirSync(inner, { recursive: true, mode: 0o700 })
      return inner
    },
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  const found = await Promise.all(
    servers.map(async (server) => {
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    }),
  )
  for (const server of servers) server.close()
  return found
}
