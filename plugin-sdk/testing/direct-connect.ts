import { once } from 'node:events'
import { connect as connectTcp, type Socket as NetSocket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { FogbowError } from '../errors.ts'
import type { Connect, Socket, SocketAddress } from '../host.ts'

/** `connect` for a plugin that runs in this process and is tested with a real server: grants and limits are not looked at. */
export const connectDirectly: Connect = ({ hostname, port }, { secureTransport = 'off' } = {}) => {
  const address = { hostname, port }
  if (secureTransport !== 'on') {
    const socket = connectTcp({ host: hostname, port, allowHalfOpen: true })
    return toSocket(socket, 'connect', address, secureTransport === 'starttls')
  }
  return toSocket(
    connectTls({ host: hostname, port, servername: hostname }),
    'secureConnect',
    address,
  )
}

/** A connection as if the network were down. */
export const connectNowhere: Connect = () => {
  const down = new FogbowError('unavailable_provider', 'this test gave its host no network')
  const opened = Promise.reject(down)
  opened.catch(() => {})
  return {
    readable: new ReadableStream({ start: (controller) => controller.error(down) }),
    writable: new WritableStream({ start: (controller) => controller.error(down) }),
    opened,
    closed: Promise.resolve(),
    close: async () => {},
    startTls: () => connectNowhere({ hostname: '', port: 0 }),
  }
}

function toSocket(
  socket: NetSocket,
  event: 'connect' | 'secureConnect',
  { hostname, port }: SocketAddress,
  mayStartTls = false,
): Socket {
  const { readable, writable } = Duplex.toWeb(socket)
  const opened = once(socket, event).then(
    () => ({ remoteAddress: socket.remoteAddress ?? '' }),
    (cause: NodeJS.ErrnoException) => {
      const problem = `${hostname}:${port} cannot be reached: ${cause.code ?? cause.message}`
      throw new FogbowError('unavailable_provider', problem, { cause })
    },
  )
  opened.catch(() => {})
  socket.on('error', () => {})
  return {
    readable: readable as ReadableStream<Uint8Array>,
    writable: writable as WritableStream<Uint8Array>,
    opened,
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
    async close() {
      socket.destroy()
    },
    startTls() {
      if (!mayStartTls) throw new TypeError("startTls() needs secureTransport: 'starttls'")
      const secured = connectTls({ socket, host: hostname, servername: hostname })
      return toSocket(secured, 'secureConnect', { hostname, port })
    },
  }
}
