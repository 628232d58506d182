import type { Socket } from 'node:net'
import { FogbowError, invalid } from '@fogbow/plugin-sdk'
import { canonicalHost } from '@fogbow/plugin-sdk/network'
import type { HostCall, HostMethod } from '@fogbow/sandbox'
import type { Dialer } from './dial.ts'
import type { Target } from './network-pattern.ts'
import type { NetworkLimits } from './network-settings.ts'
import { createSlots } from './slots.ts'
import { toStreams } from './socket-streams.ts'

export interface ConnectAnswer {
  /** For `connect.startTls`. */
  id: number
  remoteAddress: string
  /** Numbers of streams. */
  readable: number
  writable: number
}

const LONGEST_CONNECTION_MS = 86_400_000

/** A connection whose TLS is still to come. */
interface Plain {
  socket: Socket
  target: Target
  /** Takes it from its streams, which are of no use from then on. */
  detach(): void
  release(): void
}

/** `connect` and `connect.startTls`: byte streams to hosts and ports that were granted as `tcp` or `tls`. */
export function connectBroker(
  plugin: string,
  dialer: Dialer,
  limits: NetworkLimits,
): Record<'connect' | 'connect.startTls', HostMethod> {
  const slots = createSlots(limits.connections, 0, `Connections of plugin '${plugin}'`)
  const plain = new Map<number, Plain>()
  let lastId = 0

  async function connect(request: unknown, call: HostCall): Promise<ConnectAnswer> {
    const { target, startTls } = readRequest(request)
    dialer.permit(target)
    const release = await slots.take(call.signal)
    try {
      const socket = await dialer.connect(target, call.signal)
      return give(socket, target, startTls, release, call)
    } catch (error) {
      release()
      throw error
    }
  }

  async function startTls(id: unknown, call: HostCall): Promise<ConnectAnswer> {
    const found = plain.get(id as number)
    if (!found)
      throw invalid('id', 'is no open connection that was made with secureTransport: starttls')
    const { socket, target, release } = found
    plain.delete(id as number)
    found.detach()
    try {
      if (socket.readableLength > 0) throw spokeTooEarly(target)
      const secured = await dialer.secure(socket, { ...target, scheme: 'tls' }, call.signal)
      return give(secured, target, false, release, call)
    } catch (error) {
      socket.destroy()
      throw error
    }
  }

  function give(
    socket: Socket,
    target: Target,
    startTls: boolean,
    release: () => void,
    call: HostCall,
  ): ConnectAnswer {
    const id = ++lastId
    const streams = toStreams(socket, {
      peer: `${target.host}:${target.port}`,
      idleMs: limits.connectionIdleMs,
      totalMs: LONGEST_CONNECTION_MS,
    })
    socket.once('close', () => {
      plain.delete(id)
      release()
    })
    const readable = call.streams.offer(streams.source)
    const writable = call.streams.receive(streams.sink)
    const detach = () => {
      streams.detach()
      call.streams.release(readable)
      call.streams.release(writable)
    }
    if (startTls) plain.set(id, { socket, target, detach, release })
    return { id, remoteAddress: socket.remoteAddress ?? '', readable, writable }
  }

  return {
    connect: ([request], call) => connect(request, call),
    'connect.startTls': ([id], call) => startTls(id, call),
  }
}

function readRequest(value: unknown): { target: Target; startTls: boolean } {
  const request = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  const { hostname, port, secureTransport = 'off' } = request
  const host = typeof hostname === 'string' ? canonicalHost(hostname) : undefined
  if (!host) throw invalid('hostname', 'must be the name or the address of a host')
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw invalid('port', 'must be a number from 1 to 65535')
  if (secureTransport !== 'off' && secureTransport !== 'on' && secureTransport !== 'starttls')
    throw invalid('secureTransport', 'must be off, on or starttls')
  const scheme = secureTransport === 'on' ? 'tls' : 'tcp'
  return { target: { scheme, host, port }, startTls: secureTransport === 'starttls' }
}

/** What was sent before TLS was there may come from anybody on the way, and would be taken for what is said under TLS. */
function spokeTooEarly({ host, port }: Target): FogbowError {
  return new FogbowError(
    'unavailable_provider',
    `${host}:${port} sent more than was read before TLS was begun`,
  )
}
