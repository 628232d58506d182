import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { logins } from './accounts.ts'
import { logIn, type ServiceType } from './api.ts'
import type { OpenStack } from './openstack.ts'

/** Services as the catalogue types them. */
export const serviceTypes: readonly ServiceType[] = [
  'identity',
  'compute',
  'network',
  'image',
  'volumev3',
]

export interface Fault {
  service: ServiceType
  method: string
  /** Of the path with its query. */
  path: RegExp
  /** How often; once when absent. */
  times?: number
  /**
   * `cut`: the cloud gets the request and does what it says, and the answer gets lost with the connection. Otherwise the
   * cloud never hears of it, and this is the answer.
   */
  answer: 'cut' | { status: number; headers?: Record<string, string>; body?: unknown }
}

/** A request as it went by. */
export interface Passed {
  service: ServiceType
  method: string
  path: string
  status: number
  /** Of the request; only what creates has one. */
  body: string
  /** When it came, on the clock of `performance.now()`. */
  at: number
  /** From then to the last byte of the answer, ms. */
  ms: number
}

/** Real proxies before the services of a cloud, in a region of their own: what comes by is counted, and can go wrong. */
export interface Front {
  readonly region: string
  readonly authUrl: string
  readonly passed: Passed[]
  /** @returns how often it has not happened yet */
  fail(fault: Fault): { left(): number }
  /** Connections are refused. */
  down(): Promise<void>
  up(): Promise<void>
  close(): Promise<void>
}

interface Waiting {
  fault: Fault
  left: number
}

/** @param types - the services that this region has, beside the identity service */
export async function putInFront(
  cloud: OpenStack,
  region: string,
  types: readonly ServiceType[] = serviceTypes,
): Promise<Front> {
  const address = new URL(cloud.authUrl).hostname
  const passed: Passed[] = []
  const faults: Waiting[] = []
  const real = await realUrls(cloud)
  const servers = new Map<ServiceType, Server>()
  const ports = new Map<ServiceType, number>()
  for (const type of types) await listen(type)

  async function listen(type: ServiceType): Promise<void> {
    const server = createServer((incoming, outgoing) => {
      void forward(type, new URL(real[type] ?? ''), incoming, outgoing)
    })
    server.listen(ports.get(type) ?? 0, address)
    await once(server, 'listening')
    servers.set(type, server)
    ports.set(type, (server.address() as AddressInfo).port)
  }

  async function forward(
    service: ServiceType,
    target: URL,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<void> {
    const startedAt = performance.now()
    const { method = '', url: path = '' } = incoming
    const waiting = faults.find(
      ({ fault, left }) =>
        left > 0 && fault.service === service && fault.method === method && fault.path.test(path),
    )
    if (waiting) waiting.left -= 1
    const answer = waiting?.fault.answer
    const sent: Buffer[] = []
    incoming.on('data', (chunk) => sent.push(chunk))
    const note = (status: number) => {
      const body = Buffer.concat(sent).toString()
      const ms = performance.now() - startedAt
      passed.push({ service, method, path, status, body, at: startedAt, ms })
    }
    if (answer !== undefined && answer !== 'cut') {
      incoming.resume()
      outgoing.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
      outgoing.end(JSON.stringify(answer.body ?? {}))
      note(answer.status)
      return
    }
    const passedOn = request(
      { host: target.hostname, port: target.port, method, path, headers: incoming.headers },
      (from) => {
        const { statusCode = 0 } = from
        if (answer === 'cut') {
          from.resume().on('end', () => outgoing.destroy())
        } else {
          outgoing.writeHead(statusCode, { ...from.headers, connection: 'keep-alive' })
          from.pipe(outgoing)
        }
        from.on('end', () => note(statusCode))
      },
    )
    passedOn.on('error', () => outgoing.destroy())
    incoming.pipe(passedOn)
  }

  const stop = async () => {
    for (const server of servers.values()) {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
    servers.clear()
  }

  const urlOf = (type: ServiceType) => {
    const { pathname } = new URL(real[type] ?? '')
    return `http://${address}:${ports.get(type)}${pathname === '/' ? '' : pathname}`
  }
  await addRegion(cloud, region, types, urlOf)
  return {
    region,
    authUrl: urlOf('identity'),
    passed,
    fail(fault) {
      const waiting = { fault, left: fault.times ?? 1 }
      faults.push(waiting)
      return { left: () => waiting.left }
    },
    down: stop,
    async up() {
      for (const type of types) await listen(type)
    },
    async close() {
      await stop()
      await removeRegion(cloud, region)
    },
  }
}

async function realUrls(cloud: OpenStack): Promise<Partial<Record<ServiceType, string>>> {
  const admin = await logIn(cloud.authUrl, logins.admin)
  const { services } = await admin.call('identity', 'GET', '/services')
  const { endpoints } = await admin.call(
    'identity',
    'GET',
    '/endpoints?interface=public&region_id=RegionOne',
  )
  const urls: [ServiceType, string][] = serviceTypes.map((type) => {
    const { id } = services.find((service: { type: string }) => service.type === type)
    return [type, endpoints.find((each: { service_id: string }) => each.service_id === id).url]
  })
  return Object.fromEntries(urls)
}

async function addRegion(
  cloud: OpenStack,
  region: string,
  types: readonly ServiceType[],
  urlOf: (type: ServiceType) => string,
): Promise<void> {
  const admin = await logIn(cloud.authUrl, logins.admin)
  await admin.call('identity', 'POST', '/regions', { region: { id: region } })
  const { services } = await admin.call('identity', 'GET', '/services')
  for (const type of types) {
    const { id } = services.find((service: { type: string }) => service.type === type)
    const endpoint = { service_id: id, region_id: region, interface: 'public', url: urlOf(type) }
    await admin.call('identity', 'POST', '/endpoints', { endpoint })
  }
}

async function removeRegion(cloud: OpenStack, region: string): Promise<void> {
  const admin = await logIn(cloud.authUrl, logins.admin)
  const { endpoints } = await admin.call('identity', 'GET', `/endpoints?region_id=${region}`)
  for (const { id } of endpoints) await admin.call('identity', 'DELETE', `/endpoints/${id}`)
  await admin.call('identity', 'DELETE', `/regions/${region}`)
}
