import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export interface ProxyServer {
  port: number
  /** Targets that were asked for, and with which authorization. */
  asked: { target: string; authorization: string | undefined }[]
}

/**
 * An HTTP proxy that serves CONNECT, and leads every name to the loopback interface.
 * @param status - what it answers instead of 200
 */
export async function startProxy(
  t: TestContext,
  { status = 200, tls }: { status?: number; tls?: { key: string; cert: string } } = {},
): Promise<ProxyServer> {
  const server = tls ? createTlsServer(tls) : createServer()
  const asked: ProxyServer['asked'] = []
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  }
  server.on('connection', keep)
  server.on('connect', (request, client) => {
    const target = request.url ?? ''
    asked.push({ target, authorization: request.headers['proxy-authorization'] })
    client.on('error', () => {})
    if (status !== 200) return client.end(`HTTP/1.1 ${status} Refused\r\ncontent-length: 0\r\n\r\n`)
    const upstream = connect(Number(target.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
    keep(upstream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { port: (server.address() as AddressInfo).port, asked }
}
