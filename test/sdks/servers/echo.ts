import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { after } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import type { Certificates } from './certificates.ts'

/** Servers that say everything back once they have heard the end; over TCP, and over TLS. */
export async function startEcho({ key, certificate: cert }: Certificates) {
  const port = await listen(createServer({ allowHalfOpen: true }, answer))
  const securePort = await listen(createTlsServer({ key, cert, allowHalfOpen: true }, answer))
  return { port, securePort }
}

function answer(socket: Socket): void {
  const heard: Buffer[] = []
  socket.on('data', (chunk: Buffer) => heard.push(chunk))
  socket.on('end', () => socket.end(Buffer.concat(heard)))
  socket.on('error', () => socket.destroy())
}

async function listen(server: Server): Promise<number> {
  const open = new Set<Socket>()
  server.on('connection', (socket) => open.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}
