import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export interface RawServer {
  port: number
  origin: string
  /** Resolves when the last open connection was closed. */
  left(): Promise<void>
}

/** A TCP server on the loopback interface that says what it likes. */
export async function startRawServer(
  t: TestContext,
  serve: (socket: Socket) => void,
): Promise<RawServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', () => {})
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    async left() {
      for (const socket of sockets) await new Promise((resolve) => socket.once('close', resolve))
    },
  }
}
