import { isIP, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import {
  connect as connectTls,
  createSecureContext,
  getCACertificates,
  type SecureContext,
} from 'node:tls'
import { FogbowError } from '@fogbow/plugin-sdk'
import { formatNetworkPattern, isAddress } from '@fogbow/plugin-sdk/network'
import { type AddressRules, bareHost, createAddressRules } from './address-rules.ts'
import { type GrantedPattern, patternCovers, type Target } from './network-pattern.ts'
import type { NetworkSettings } from './network-settings.ts'
import { isExempt, tunnel } from './proxy.ts'
import type { NameResolver } from './resolve.ts'
import { connected, openTcp, settled, unlessAborted } from './tcp.ts'
import { createMeter, type Traffic } from './traffic.ts'

/** The only way of a plugin to a socket. */
export interface Dialer {
  /** @throws unauthorized unless a granted pattern covers the target */
  permit(target: Target): void
  /**
   * A connection to exactly an address that was checked, with TLS on it for `https` and `tls`.
   * @throws unauthorized, unavailable_provider, timeout; the signal's reason when it aborts
   */
  connect(target: Target, signal: AbortSignal): Promise<Socket>
  /** Puts TLS on a connection; the server must prove to be `target.host`. */
  secure(socket: Socket, target: Target, signal: AbortSignal): Promise<Socket>
  /** Ends all that is open. */
  close(): void
}

export interface DialerParts {
  plugin: string
  network: readonly GrantedPattern[]
  addresses: readonly string[]
  settings: NetworkSettings
  resolver: NameResolver
  /** Bytes of the plugin's connections since it was told last. */
  onTraffic(bytes: Traffic): void
}

const MOST_ATTEMPTS = 16
const TELL_TRAFFIC_MS = 5_000

export function createDialer(parts: DialerParts): Dialer {
  const { plugin, settings, resolver } = parts
  const rules = createAddressRules(parts.addresses, ownAddresses)
  const sockets = new Set<Socket>()
  let trust: SecureContext | undefined
  let closed = false

  function permit(target: Target): void {
    if (parts.network.some((pattern) => patternCovers(pattern, target))) return
    const pattern = formatNetworkPattern(target)
    throw new FogbowError(
      'unauthorized',
      `Plugin '${plugin}' may not reach ${pattern}; if its manifest asks for it, add '${pattern}' to plugins.${plugin}.grants.network`,
    )
  }

  async function connect(target: Target, signal: AbortSignal): Promise<Socket> {
    permit(target)
    return inTime(target, signal, async (given) => {
      const socket = await reach(target, given)
      return isSecure(target) ? secure(socket, target, given) : socket
    })
  }

  async function inTime(
    target: Target,
    signal: AbortSignal,
    work: (given: AbortSignal) => Promise<Socket>,
  ): Promise<Socket> {
    const patience = AbortSignal.timeout(settings.limits.connectMs)
    try {
      return await work(AbortSignal.any([signal, patience]))
    } catch (cause) {
      if (signal.aborted) throw signal.reason
      if (patience.aborted) throw late(target, settings.limits.connectMs)
      throw cause
    }
  }

  async function reach(target: Target, signal: AbortSignal): Promise<Socket> {
    const { proxy, noProxy } = settings
    if (!proxy || isExempt(target.host, noProxy)) {
      return open(bareHost(target.host), target.port, signal, await permitted(target, signal))
    }
    // Names are resolved by the proxy, and its administrator says where they may lead.
    if (isAddress(target.host)) await permitted(target, signal)
    const socket = await open(proxy.host, proxy.port, signal)
    const toProxy = { scheme: 'tls', host: proxy.host, port: proxy.port } as const
    const asked = proxy.secure ? await secure(socket, toProxy, signal) : socket
    await unlessAborted(tunnel(asked, target, proxy), signal, () => asked.destroy())
    return asked
  }

  /** Of the addresses of a name, those that may be reached: one answer that leads astray takes nothing from the others. */
  async function permitted(target: Target, signal: AbortSignal): Promise<readonly string[]> {
    if (isWrittenAddress(target, parts.network)) return [bareHost(target.host)]
    const found = isAddress(target.host)
      ? [bareHost(target.host)]
      : await unlessAborted(resolver.lookUp(target.host), signal)
    const allowed = found.filter((address) => rules.refusal(address) === undefined)
    if (allowed.length === 0) throw misled(plugin, target, found, rules)
    return allowed.slice(0, MOST_ATTEMPTS)
  }

  async function open(
    host: string,
    port: number,
    signal: AbortSignal,
    addresses?: readonly string[],
  ): Promise<Socket> {
    signal.throwIfAborted()
    if (closed) throw new FogbowError('unavailable_provider', `Plugin '${plugin}' was stopped`)
    const socket = openTcp(host, port, addresses)
    keep(socket)
    await connected(socket, host, port, signal, addresses)
    return socket
  }

  function keep(socket: Socket): void {
    const meter = createMeter(socket, parts.onTraffic)
    const telling = setInterval(meter, TELL_TRAFFIC_MS).unref()
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.once('close', () => {
      clearInterval(telling)
      meter()
      sockets.delete(socket)
    })
  }

  async function secure(socket: Socket, target: Target, signal: AbortSignal): Promise<Socket> {
    trust ??= createTrust(settings.authorities)
    const host = bareHost(target.host)
    const secured = connectTls({
      socket,
      host,
      servername: isIP(host) === 0 ? host : '',
      secureContext: trust,
      // Said, so that nothing in the environment of the site says otherwise.
      rejectUnauthorized: true,
      ...(target.scheme === 'https' && { ALPNProtocols: ['http/1.1'] }),
    })
    secured.on('error', () => socket.destroy())
    secured.once('close', () => socket.destroy())
    await settled(secured, 'secureConnect', `${target.host}:${target.port}`, signal)
    return secured
  }

  return {
    permit,
    connect,
    secure: (socket, target, signal) =>
      inTime(target, signal, (given) => secure(socket, target, given)),
    close() {
      closed = true
      for (const socket of sockets) socket.destroy()
      resolver.close()
    },
  }
}

function isSecure({ scheme }: Target): boolean {
  return scheme === 'https' || scheme === 'tls'
}

/** An address that the administrator wrote down is meant, wherever it lies. */
function isWrittenAddress(target: Target, network: readonly GrantedPattern[]): boolean {
  return (
    isAddress(target.host) &&
    network.some(
      (pattern) =>
        pattern.byAdministrator && pattern.host === target.host && patternCovers(pattern, target),
    )
  )
}

function createTrust(authorities: readonly string[]): SecureContext {
  if (authorities.length === 0) return createSecureContext()
  return createSecureContext({ ca: [...getCACertificates('default'), ...authorities] })
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap(
    (each) => each?.map(({ address }) => address) ?? [],
  )
}

function misled(
  plugin: string,
  target: Target,
  found: readonly string[],
  rules: AddressRules,
): FogbowError {
  const list = found.slice(0, 4).map((address) => `${address} (${rules.refusal(address)})`)
  const [first = ''] = found
  const range = `${first}/${isIP(first) === 4 ? 32 : 128}`
  return new FogbowError(
    'unauthorized',
    `Plugin '${plugin}' may not reach ${target.host}: it leads to ${list.join(', ')}; if that is meant, add '${range}' to plugins.${plugin}.grants.addresses`,
  )
}

function late(target: Target, ms: number): FogbowError {
  return new FogbowError(
    'timeout',
    `${target.host}:${target.port} was not connected within ${ms} ms`,
  )
}
