/** An address range, its address as a number. */
export interface IpRange {
  family: 4 | 6
  address: bigint
  prefix: number
}

/** @returns undefined for what is no range in CIDR notation (RFC 4632, RFC 4291 section 2.3) */
export function parseCidr(text: string): IpRange | undefined {
  const [address = '', prefixText = '', ...rest] = text.split('/')
  if (rest.length > 0 || !/^\d{1,3}$/.test(prefixText)) return undefined
  const prefix = Number(prefixText)
  const v4 = parseIpv4(address)
  if (v4 !== undefined) return prefix <= 32 ? { family: 4, address: v4, prefix } : undefined
  const v6 = parseIpv6(address)
  return v6 !== undefined && prefix <= 128 ? { family: 6, address: v6, prefix } : undefined
}

export function isInRange(address: string, range: IpRange): boolean {
  const value = range.family === 4 ? parseIpv4(address) : parseIpv6(address)
  if (value === undefined) return false
  const hostBits = BigInt((range.family === 4 ? 32 : 128) - range.prefix)
  return value >> hostBits === range.address >> hostBits
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255))
    return undefined
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n)
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...Array<string>(halves.length === 2 ? missing : 0).fill('0'), ...tail]
  if (groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return groups.reduce((value, group) => value * 65536n + BigInt(`0x${group}`), 0n)
}
