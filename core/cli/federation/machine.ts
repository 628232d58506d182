import { existsSync } from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'

/** XMPP servers that a configuration can be written for. */
export const serverKinds = ['prosody', 'ejabberd'] as const
export type ServerKind = (typeof serverKinds)[number]

/** What a machine shows of itself. */
export interface Machine {
  readonly hostName: string
  /** Not those of the loopback; public ones first. */
  readonly addresses: readonly string[]
  readonly servers: readonly ServerKind[]
}

const programs: Readonly<Record<ServerKind, readonly string[]>> = {
  prosody: ['/usr/bin/prosody', '/usr/local/bin/prosody'],
  ejabberd: [
    '/usr/sbin/ejabberdctl',
    '/usr/local/sbin/ejabberdctl',
    '/opt/ejabberd/bin/ejabberdctl',
  ],
}

export function lookAtMachine(): Machine {
  const interfaces = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  const addresses = interfaces
    .filter(({ internal, address }) => !internal && !isLinkLocal(address))
    .map(({ address }) => address)
  return {
    hostName: hostname().toLowerCase(),
    addresses: addresses.sort((a, b) => Number(isPrivate(a)) - Number(isPrivate(b))),
    servers: serverKinds.filter((kind) => programs[kind].some((path) => existsSync(path))),
  }
}

/** RFC 1918, RFC 6598, RFC 4193. */
export function isPrivate(address: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd])/i.test(
    address,
  )
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}

function isLinkLocal(address: string): boolean {
  return /^(169\.254\.|fe80:)/i.test(address)
}
