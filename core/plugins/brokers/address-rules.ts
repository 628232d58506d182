import { BlockList, isIP } from 'node:net'

export interface AddressRules {
  /** @returns what is special about an address that may not be reached; undefined when it may */
  refusal(address: string): string | undefined
}

type Range = readonly [prefix: string, bits: number, what: string]

/** Not globally reachable (IANA special-purpose address registries, RFC 6890), or a metadata service at a public address. */
const special4: readonly Range[] = [
  ['0.0.0.0', 8, 'unspecified'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'shared by carriers'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local, where metadata services are'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'for documentation'],
  ['192.88.99.0', 24, 'reserved'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'for benchmarks'],
  ['198.51.100.0', 24, 'for documentation'],
  ['203.0.113.0', 24, 'for documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
  ['168.63.129.16', 32, 'a metadata service'],
]

/** Within global unicast; everything outside of it is special anyway. */
const special6: readonly Range[] = [
  ['2001::', 23, 'reserved'],
  ['2001:db8::', 32, 'for documentation'],
  ['3fff::', 20, 'for documentation'],
]
const named6: readonly Range[] = [
  ['::', 128, 'unspecified'],
  ['::1', 128, 'loopback'],
  ['fe80::', 10, 'link-local'],
  ['fc00::', 7, 'private'],
  ['ff00::', 8, 'multicast'],
]

/**
 * Addresses that a plugin may be connected to: public ones, and what the administrator granted.
 * @param granted - ranges in CIDR notation
 * @param ownAddresses - those of this machine: what listens there may count on not being reached from outside
 */
export function createAddressRules(
  granted: readonly string[],
  ownAddresses: () => readonly string[] = () => [],
): AddressRules {
  const isGranted = rangesOf(granted)
  const refuseOne = (address: string) =>
    isGranted(address)
      ? undefined
      : (specialty(address) ??
        (ownAddresses().includes(address) ? 'an address of this machine' : undefined))
  return {
    refusal(address) {
      if (isIP(address) === 0 || address.includes('%')) return 'no address'
      if (isGranted(address)) return undefined
      const inner = embedded(address)
      if (!inner) return refuseOne(address)
      return inner.map(refuseOne).find((problem) => problem !== undefined)
    },
  }
}

/** An address as sockets have it, without the brackets of URLs. */
export function bareHost(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host
}

/** @param ranges - in CIDR notation */
export function rangesOf(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    list.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6')
  }
  return (address) => contains(list, address)
}

/** A list answers for a mapped address as for the IPv4 one; here each form is asked by itself. */
function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
}

function listOf(ranges: readonly Range[]): (address: string) => string | undefined {
  const lists = ranges.map(([prefix, bits, what]) => ({
    covers: rangesOf([`${prefix}/${bits}`]),
    what,
  }))
  return (address) => lists.find(({ covers }) => covers(address))?.what
}

const inSpecial4 = listOf(special4)
const inSpecial6 = listOf(special6)
const inNamed6 = listOf(named6)
const isGlobalUnicast = listOf([['2000::', 3, 'global']])

function specialty(address: string): string | undefined {
  if (isIP(address) === 4) return inSpecial4(address)
  return inNamed6(address) ?? (isGlobalUnicast(address) ? inSpecial6(address) : 'reserved')
}

/**
 * IPv4 addresses to which an IPv6 address leads: mapped and compatible (RFC 4291, section 2.5.5), NAT64 (RFC 6052, also
 * the local prefix of RFC 8215 as a /96), 6to4 (RFC 3056), Teredo (RFC 4380: server and client), ISATAP (RFC 5214).
 */
function embedded(address: string): string[] | undefined {
  if (isIP(address) !== 6 || address === '::' || address === '::1') return undefined
  const groups = groupsOf(address)
  const at = (index: number, mask = 0) => {
    const [high, low] = [(groups[index] ?? 0) ^ mask, (groups[index + 1] ?? 0) ^ mask]
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
  }
  const starts = (...expected: number[]) => expected.every((value, i) => groups[i] === value)
  if (starts(0, 0, 0, 0, 0, 0) || starts(0, 0, 0, 0, 0, 0xffff)) return [at(6)]
  if (starts(0, 0, 0, 0, 0xffff, 0)) return [at(6)]
  if (starts(0x64, 0xff9b, 0, 0, 0, 0)) return [at(6)]
  if (starts(0x2002)) return [at(1)]
  if (starts(0x2001, 0)) return [at(2), at(6, 0xffff)]
  if (groups[5] === 0x5efe && ((groups[4] ?? 0) & 0xfdff) === 0) return [address, at(6)]
  return undefined
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const before = head ? head.split(':') : []
  const after = tail ? tail.split(':') : []
  const missing = Array<string>(8 - before.length - after.length).fill('0')
  return [...before, ...missing, ...after].map((group) => Number.parseInt(group, 16))
}
