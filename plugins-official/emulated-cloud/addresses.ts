/** Host addresses of a network as numbers, both ends included. */
export interface AddressRange {
  first: number
  last: number
}

/** @returns undefined when it is no IPv4 range with room for two hosts */
export function parseRange(cidr: string): AddressRange | undefined {
  const [address = '', length = ''] = cidr.split('/')
  const number = parseAddress(address)
  const bits = Number(length)
  if (number === undefined || !/^\d+$/.test(length) || bits > 30) return undefined
  const size = 2 ** (32 - bits)
  const start = Math.floor(number / size) * size
  return { first: start + 1, last: start + size - 2 }
}

/** @returns undefined when it is no IPv4 address */
export function parseAddress(text: string): number | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let number = 0
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined
    number = number * 256 + Number(part)
  }
  return number
}

export function formatAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
}

export function isInRange(address: number, { first, last }: AddressRange): boolean {
  return address >= first && address <= last
}

/** Which addresses of which network are taken. */
export interface AddressPools {
  /** @returns an address that is free, without taking it; undefined when all are taken */
  findFree(pool: string, range: AddressRange, reserved?: string): string | undefined
  take(pool: string, address: string): void
  release(pool: string, address: string): void
}

export function createAddressPools(): AddressPools {
  const pools = new Map<string, { taken: Set<string>; next: number }>()
  const poolOf = (name: string) => {
    const pool = pools.get(name) ?? { taken: new Set<string>(), next: 0 }
    pools.set(name, pool)
    return pool
  }
  return {
    findFree(name, { first, last }, reserved) {
      const pool = poolOf(name)
      const size = last - first + 1
      const tries = Math.min(size, pool.taken.size + 2)
      for (let step = 0; step < tries; step++) {
        const offset = (pool.next + step) % size
        const address = formatAddress(first + offset)
        if (address === reserved || pool.taken.has(address)) continue
        pool.next = (offset + 1) % size
        return address
      }
      return undefined
    },
    take: (name, address) => {
      poolOf(name).taken.add(address)
    },
    release(name, address) {
      const pool = poolOf(name)
      pool.taken.delete(address)
      if (pool.taken.size === 0) pools.delete(name)
    },
  }
}
