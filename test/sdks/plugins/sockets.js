import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { sdkPlugin } from './checks.js'

const LARGE = 1_000_000

export default sdkPlugin(({ config }) => {
  const host = 'echo.cloud.example'
  const received = async (socket) => {
    let bytes = 0
    for await (const chunk of socket) bytes += chunk.length
    return bytes
  }
  // The server answers only once it has heard everything: both directions end by themselves.
  const echo = async (socket) => {
    socket.end(Buffer.alloc(LARGE, 'a'))
    return received(socket)
  }
  return {
    tcp: () => echo(net.connect({ host, port: config.port })),
    tls: () => echo(tls.connect({ host, port: config.securePort })),
    async upgraded() {
      const plain = net.connect(config.securePort, host)
      await once(plain, 'connect')
      const socket = tls.connect({ socket: plain, servername: host })
      await once(socket, 'secureConnect')
      return [await echo(socket), socket.encrypted, socket.authorized]
    },
    async waits() {
      const socket = net.connect(config.port, host)
      socket.setTimeout(20)
      await once(socket, 'timeout')
      const { remoteAddress, remotePort, readyState } = socket
      socket.destroy()
      await once(socket, 'close')
      return [remoteAddress, remotePort === config.port, readyState, socket.readyState]
    },
    async refused() {
      const [error] = await once(net.connect(config.port, 'elsewhere.example'), 'error')
      return error.message
    },
    addresses: () =>
      ['127.0.0.1', '::1', '256.1.1.1', '1.2.3', 'fe80::1%eth0', 'name'].map(net.isIP),
  }
})
