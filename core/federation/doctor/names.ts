import { lookup, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Finding } from './finding.ts'

/** Where the server of a component listens. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface Located {
  /** Of the SRV records, best first; empty when there is none. */
  readonly services: readonly Endpoint[]
  /** Addresses of the best service, or of the name itself. */
  readonly addresses: readonly string[]
  readonly port: number
  /** Why nothing was found. */
  readonly problem?: string
  /** This machine has no DNS server that answers, so that nothing is known of the name. */
  readonly isUnasked?: true
}

/** Finds the server of a component as other servers do (RFC 6120, section 3.2). */
export interface Names {
  locate(name: string): Promise<Located>
}

export const FEDERATION_PORT = 5269

export interface NameOptions {
  /** Instead of DNS, such as those of a hosts file; tried first. */
  readonly hosts?: ReadonlyMap<string, string>
  /** Addresses of DNS servers; those of the machine when absent. */
  readonly servers?: readonly string[]
}

const TRIES = { timeout: 3000, tries: 2 }

export function createNames({ hosts = new Map(), servers }: NameOptions = {}): Names {
  const resolver = new Resolver(TRIES)
  if (servers) resolver.setServers(servers)
  // Waiting for a server that is not there takes seconds, for each name again.
  let isDeaf = false

  async function services(name: string): Promise<Endpoint[]> {
    try {
      const records = await resolver.resolveSrv(`_xmpp-server._tcp.${name}`)
      records.sort((a, b) => a.priority - b.priority || b.weight - a.weight)
      return records.map(({ name: host, port }) => ({ host, port }))
    } catch (error) {
      if (isAbsent(error)) return []
      throw error
    }
  }

  /** By the machine's own rules, so that its hosts file counts, unless a DNS server was named. */
  async function addresses(name: string): Promise<string[]> {
    const known = hosts.get(name)
    if (known) return [known]
    if (isIP(name)) return [name]
    if (!servers) return (await lookup(name, { all: true })).map(({ address }) => address)
    const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
    const found = [four, six].flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
    if (found.length === 0 && four.status === 'rejected') throw four.reason
    return found
  }

  return {
    async locate(name) {
      let found: Endpoint[] = []
      if (isDeaf && !hosts.has(name)) return unasked
      try {
        found = hosts.has(name) ? [] : await services(name)
        const { host, port } = found[0] ?? { host: name, port: FEDERATION_PORT }
        return { services: found, addresses: await addresses(host), port }
      } catch (error) {
        isDeaf = servers === undefined && found.length === 0 && unanswered.has(codeOf(error))
        if (isDeaf) return unasked
        const { port = FEDERATION_PORT } = found[0] ?? {}
        return { services: found, addresses: [], port, problem: problemOf(error) }
      }
    },
  }
}

/** @param text - lines of an address and its names, as in hosts(5) */
export function readHosts(text: string): ReadonlyMap<string, string> {
  const hosts = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (isIP(address)) for (const name of names) hosts.set(name.toLowerCase(), address)
  }
  return hosts
}

/** @param whose - `own` for this site's name */
export function judgeName(name: string, located: Located, whose: 'own' | 'member'): Finding {
  const { services, addresses, port, problem } = located
  const base = { check: 'DNS', about: name } as const
  if (located.isUnasked)
    return {
      ...{ ...base, verdict: 'unknown' },
      found:
        'not looked up: no DNS server answers this host, which need not be wrong: behind a closed firewall only the XMPP server needs one',
      advice: `${whose === 'own' ? 'others need it' : 'the signed ping below decides'}; look on the machine of the XMPP server, or anywhere else: host -t SRV _xmpp-server._tcp.${name}`,
    }
  if (problem !== undefined) {
    const target = services[0] && `, which its SRV record names as ${services[0].host},`
    const found = `${name}${target ?? ''} has no address: ${problem}`
    return { ...base, verdict: 'fault', found, advice: missingAdvice(name, whose) }
  }
  const at = `${addresses.join(', ')} port ${port}`
  if (services.length > 0)
    return { ...base, verdict: 'ok', found: `SRV names ${services[0]?.host}, which is ${at}` }
  return { ...base, verdict: 'ok', found: `no SRV record, so its own address counts: ${at}` }
}

function missingAdvice(name: string, whose: 'own' | 'member'): string {
  return whose === 'own'
    ? `publish the records of dns.zone (fogbow federation init writes it), or other servers cannot find ${name}`
    : `ask its administrator for the SRV and A records of ${name}, and check how the member is spelt in members.list`
}

const unasked: Located = {
  ...{ services: [], addresses: [], port: FEDERATION_PORT },
  isUnasked: true,
}
const unanswered = new Set(['ETIMEOUT', 'ECONNREFUSED', 'EAI_AGAIN'])
const absent = new Set(['ENODATA', 'ENOTFOUND'])

function isAbsent(error: unknown): boolean {
  return absent.has(codeOf(error))
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function problemOf(error: unknown): string {
  const code = codeOf(error)
  if (absent.has(code)) return 'the name does not exist'
  if (unanswered.has(code)) return 'the DNS server does not answer'
  return code || String(error)
}
