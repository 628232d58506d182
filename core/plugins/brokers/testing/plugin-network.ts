import type { TestContext } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { parseNetworkPattern } from '@fogbow/plugin-sdk/network'
import { type ConnectAnswer, connectBroker } from '../connect.ts'
import { createDialer } from '../dial.ts'
import { type FetchAnswer, fetchBroker } from '../fetch.ts'
import type { GrantedPattern } from '../network-pattern.ts'
import { type NetworkLimits, type NetworkSettings, toLimits } from '../network-settings.ts'
import type { NameResolver } from '../resolve.ts'
import type { Traffic } from '../traffic.ts'
import { createMemoryStreams, hostCall, type MemoryStreams } from './memory-streams.ts'

export interface PluginNetworkOptions {
  /** Patterns that the administrator wrote. */
  granted?: readonly string[]
  /** Patterns that the vendor wrote, granted with `*`. */
  asked?: readonly string[]
  addresses?: readonly string[]
  limits?: Partial<NetworkLimits>
  settings?: Partial<NetworkSettings>
  /** Name → addresses; or a resolver. */
  names?: Record<string, readonly string[]> | NameResolver
}

/** The network of one plugin as its brokers serve it, with a plugin's end of the streams. */
export interface PluginNetwork {
  streams: MemoryStreams
  /** Bytes so far. */
  traffic: Traffic
  fetch(request: unknown, signal?: AbortSignal): Promise<FetchAnswer>
  connect(request: unknown, signal?: AbortSignal): Promise<ConnectAnswer>
  startTls(id: unknown): Promise<ConnectAnswer>
  /** The body of an answer, wherever it is. */
  body(answer: FetchAnswer): Promise<Buffer>
  close(): void
}

export function openNetwork(t: TestContext, options: PluginNetworkOptions = {}): PluginNetwork {
  const limits = { ...toLimits({}), ...options.limits }
  const traffic = { sent: 0, received: 0 }
  const streams = createMemoryStreams()
  const dialer = createDialer({
    plugin: 'cloud',
    network: [
      ...(options.granted ?? []).map((text) => toPattern(text, true)),
      ...(options.asked ?? []).map((text) => toPattern(text, false)),
    ],
    addresses: options.addresses ?? [],
    settings: { noProxy: [], authorities: [], dnsServers: [], ...options.settings, limits },
    resolver: toResolver(options.names ?? {}),
    onTraffic(bytes) {
      traffic.sent += bytes.sent
      traffic.received += bytes.received
    },
  })
  const fetching = fetchBroker('cloud', dialer, limits)
  const connecting = connectBroker('cloud', dialer, limits)
  const ask = async (
    method: keyof typeof connecting | 'fetch',
    arg: unknown,
    signal?: AbortSignal,
  ) => ({ ...connecting, ...fetching.methods })[method]([arg], hostCall(streams, signal))
  const close = () => {
    fetching.close()
    dialer.close()
  }
  t.after(close)
  return {
    streams,
    traffic,
    fetch: async (request, signal) => (await ask('fetch', request, signal)) as FetchAnswer,
    connect: async (request, signal) => (await ask('connect', request, signal)) as ConnectAnswer,
    startTls: async (id) => (await ask('connect.startTls', id)) as ConnectAnswer,
    body: (answer) => readBody(streams, answer),
    close,
  }
}

async function readBody(streams: MemoryStreams, answer: FetchAnswer): Promise<Buffer> {
  if ('body' in answer) return Buffer.from(answer.body, 'base64')
  const chunks: Uint8Array[] = []
  const source = streams.source(answer.stream)
  for (let next = await source.next(); !next.done; next = await source.next())
    chunks.push(next.value)
  return Buffer.concat(chunks)
}

function toPattern(text: string, byAdministrator: boolean): GrantedPattern {
  const pattern = parseNetworkPattern(text)
  if (typeof pattern === 'string') throw new Error(`${text}: ${pattern}`)
  return { ...pattern, byAdministrator }
}

function toResolver(names: NonNullable<PluginNetworkOptions['names']>): NameResolver {
  if (typeof names.lookUp === 'function') return names as NameResolver
  return {
    async lookUp(name) {
      const found = (names as Record<string, readonly string[]>)[name]
      if (found) return found
      throw new FogbowError('unavailable_provider', `${name} has no address: ENOTFOUND`)
    },
    close() {},
  }
}
