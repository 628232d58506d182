import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { FetchAnswer } from '../fetch.ts'
import { openNetwork, type PluginNetwork, type PluginNetworkOptions } from './plugin-network.ts'

/** A server on the loopback interface. */
export interface HttpSite {
  port: number
  origin: string
  /** Connections that are open now. */
  sockets: ReadonlySet<Socket>
  /** How many there were. */
  connections(): number
  /** Resolves when the last open connection was closed. */
  left(): Promise<void>
}

export async function serveHttp(
  t: TestContext,
  answer: RequestListener,
  tls?: { key: string; cert: string },
): Promise<HttpSite> {
  const server = tls ? createTlsServer(tls, answer) : createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new Set<Socket>()
  let connections = 0
  server.on('connection', (socket: Socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  server.on('tlsClientError', () => {})
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    sockets,
    connections: () => connections,
    async left() {
      for (const socket of sockets) await new Promise((resolve) => socket.once('close', resolve))
    },
  }
}

/** A plugin that may reach one server and nothing else. */
export async function openSite(
  t: TestContext,
  answer: RequestListener,
  options: PluginNetworkOptions = {},
): Promise<HttpSite & PluginNetwork> {
  const site = await serveHttp(t, answer)
  return { ...site, ...openNetwork(t, { granted: [site.origin], ...options }) }
}

export function headerOf(answer: FetchAnswer, name: string): string | undefined {
  return answer.headers.find(([key]) => key === name)?.[1]
}
