import { Resolver } from 'node:dns/promises'
import { readFile, stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import { FogbowError } from '@fogbow/plugin-sdk'
import { createSlots } from './slots.ts'

/** Names → addresses, one look-up each time: what is found is checked and used, and never asked for again. */
export interface NameResolver {
  /**
   * All addresses of a name, unchecked.
   * @throws unavailable_provider when it has none
   */
  lookUp(name: string): Promise<readonly string[]>
  close(): void
}

export interface ResolverSettings {
  /** Absent or empty: those of this machine. */
  servers?: readonly string[]
  hostsFile?: string
}

const MOST_ADDRESSES = 64

/**
 * Looks into the hosts file and asks name servers, without the thread pool that files and `getaddrinfo` share: a plugin
 * whose name server is slow keeps nobody waiting but itself.
 */
export function createNameResolver(settings: ResolverSettings = {}): NameResolver {
  const resolver = new Resolver({ timeout: 2_000, tries: 2, maxTimeout: 4_000 })
  if (settings.servers?.length) resolver.setServers([...settings.servers])
  const readHosts = createHostsReader(settings.hostsFile ?? '/etc/hosts')
  const slots = createSlots(8, 256, 'look-ups of names')

  async function ask(name: string): Promise<string[]> {
    const release = await slots.take()
    try {
      const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
      const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
      if (found.length === 0) throw notFound(name, answers)
      return found
    } finally {
      release()
    }
  }

  return {
    async lookUp(name) {
      // RFC 6761, section 6.3
      if (name === 'localhost' || name.endsWith('.localhost')) return ['127.0.0.1', '::1']
      const listed = (await readHosts()).get(name)
      return (listed ?? (await ask(name))).slice(0, MOST_ADDRESSES)
    },
    close: () => resolver.cancel(),
  }
}

function createHostsReader(file: string): () => Promise<ReadonlyMap<string, string[]>> {
  let known: { changed: number; hosts: Map<string, string[]> } | undefined
  return async () => {
    const changed = await stat(file).then(
      (found) => found.mtimeMs,
      () => undefined,
    )
    if (changed === undefined) return new Map()
    if (known?.changed !== changed)
      known = { changed, hosts: parseHosts(await readFile(file, 'utf8')) }
    return known.hosts
  }
}

function parseHosts(text: string): Map<string, string[]> {
  const hosts = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (isIP(address) === 0) continue
    for (const name of names) {
      const key = name.toLowerCase()
      hosts.set(key, [...(hosts.get(key) ?? []), address])
    }
  }
  return hosts
}

function notFound(name: string, answers: readonly PromiseSettledResult<unknown>[]): FogbowError {
  const causes = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
  // That it has no IPv6 address says less than that no name server answered.
  const telling = causes.find(({ code }) => code !== 'ENODATA') ?? causes[0]
  return new FogbowError('unavailable_provider', `${name} has no address: ${telling?.code}`, {
    cause: telling,
  })
}
