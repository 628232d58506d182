import { isIP } from 'node:net'
import { canonicalHost, parseNetworkRequest } from '@fogbow/plugin-sdk/network'
import type { NetworkConfig, PluginConfig, SiteConfig } from './schema.ts'

interface Problem {
  key: string
  message: string
}

/** What is wrong with what the configuration says of networks, beyond its form; undefined when nothing is. */
export function networkProblem(config: SiteConfig): Problem | undefined {
  const problems = [
    ...inNetwork(config.network, 'network'),
    ...Object.entries(config.plugins).flatMap(([name, plugin]) => [
      ...inNetwork(plugin.network, `plugins.${name}.network`),
      ...inGrants(plugin.grants, `plugins.${name}.grants`),
    ]),
  ]
  return problems[0]
}

/** What is wrong with an entry of `grants.network`, before it is known what the manifest asks for. */
export function grantProblem(grant: string): string | undefined {
  if (grant === '*') return undefined
  const parsed = parseNetworkRequest(grant)
  return typeof parsed === 'string' ? parsed : undefined
}

/** What is wrong with a range of `grants.addresses`. */
export function addressRangeProblem(range: string): string | undefined {
  const [address = '', bits = '', ...rest] = range.split('/')
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  const valid = rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= longest
  return valid && !address.includes('%')
    ? undefined
    : 'must be an address range such as 10.20.0.0/16 or 10.20.0.5/32'
}

/** What is wrong with an entry of `noProxy`. */
export function noProxyProblem(entry: string): string | undefined {
  if (entry === '*') return undefined
  const valid = entry.includes('/')
    ? addressRangeProblem(entry) === undefined
    : canonicalHost(entry.replace(/^\*?\./, '')) !== undefined
  return valid ? undefined : 'must be a name, *.domain, an address or a range such as 10.0.0.0/8'
}

function nameServerProblem(server: string): string | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(server) ?? []
  const valid =
    isIP(server) !== 0 || (isIP(bracketed ?? plain ?? '') !== 0 && Number(port ?? 53) < 65_536)
  return valid ? undefined : 'must be an address such as 192.0.2.53, or with a port 192.0.2.53:5353'
}

function inNetwork(network: NetworkConfig, root: string): Problem[] {
  return [
    ...inList(network.noProxy, `${root}.noProxy`, noProxyProblem),
    ...inList(network.dnsServers, `${root}.dnsServers`, nameServerProblem),
  ]
}

function inGrants({ network, addresses }: PluginConfig['grants'], root: string): Problem[] {
  return [
    ...inList(network, `${root}.network`, grantProblem),
    ...inList(addresses, `${root}.addresses`, addressRangeProblem),
  ]
}

function inList(
  texts: readonly string[] | undefined,
  root: string,
  problemOf: (text: string) => string | undefined,
): Problem[] {
  return (texts ?? []).flatMap((text, index) => {
    const problem = problemOf(text)
    return problem ? [{ key: `${root}[${index}]`, message: `'${text}': ${problem}` }] : []
  })
}
