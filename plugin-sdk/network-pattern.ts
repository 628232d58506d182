/**
 * Network patterns: what a manifest asks for and an administrator grants.
 *
 * `[scheme://]host[:port | :*]`. Scheme: `https` (when absent), `http`, `tls`, `tcp` (plain, STARTTLS or TLS). Host: a
 * name, an address, or `*.domain`. Ports default to 443 and 80; `tls` and `tcp` name one, or `*`.
 */
export interface NetworkPattern {
  scheme: NetworkScheme
  /** As a URL has it: lower case, punycode, IPv6 in brackets; or `*.domain`, which does not include `domain` itself. */
  host: string
  port: number | '*'
}

export type NetworkScheme = 'https' | 'http' | 'tls' | 'tcp'

/**
 * A pattern of a manifest that the administrator's own configuration fills in; `key` is a path in it.
 *
 * - `{config.KEY.host}`: scheme, host and port of the URL there
 * - `{config.KEY.hostname}`, where a host stands: only its host, such as `https://{config.authUrl.hostname}:*`
 * - `{config.KEY}`: the patterns that are written there, one or a list
 */
export type NetworkTemplate =
  | { key: string; part: 'host' | 'patterns' }
  | { key: string; part: 'hostname'; scheme: NetworkScheme; port: number | '*' }

const schemes: readonly string[] = ['https', 'http', 'tls', 'tcp']
const defaultPorts: Readonly<Record<string, number>> = { https: 443, http: 80 }
const form = /^(?:([^:/]*):\/\/)?(\[[^\]]*\]|\{[^}]*\}|[^:]*)(?::(.*))?$/
const name = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/
const dotted = /^\d{1,3}(?:\.\d{1,3}){3}$/

/** @returns a text that says what is wrong when it is no pattern */
export function parseNetworkPattern(text: string): NetworkPattern | string {
  const parts = split(text)
  if (typeof parts === 'string') return parts
  if (parts.host.startsWith('{')) return 'a template stands in manifests only'
  const host = toPatternHost(parts.host)
  if (!host) {
    return `'${parts.host}' must be a name, an address such as 192.0.2.1 or [2001:db8::1], or *.domain`
  }
  return { scheme: parts.scheme, host, port: parts.port }
}

/** @returns a text that says what is wrong when it is neither a pattern nor a template */
export function parseNetworkRequest(text: string): NetworkPattern | NetworkTemplate | string {
  if (!text.includes('{')) return parseNetworkPattern(text)
  const whole = /^\{config\.([A-Za-z0-9_.-]+)\}$/.exec(text)?.[1]
  const { key, part } = splitKey(whole ?? '')
  if (part !== 'hostname' && whole) return { key, part }
  const parts = split(text)
  if (typeof parts === 'string') return parts
  const within = /^\{config\.([A-Za-z0-9_.-]+)\.hostname\}$/.exec(parts.host)?.[1]
  if (within) return { key: within, part: 'hostname', scheme: parts.scheme, port: parts.port }
  return 'a template is {config.KEY.host} or {config.KEY}, alone, or {config.KEY.hostname} where a host stands'
}

/** The host of a URL or of an address as it is compared: lower case, punycode, canonical address, no dot at its end. */
export function canonicalHost(text: string): string | undefined {
  const inBrackets = text.includes(':') && !text.startsWith('[') ? `[${text}]` : text
  if (!/^(?:\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\\%[\]]+)$/.test(inBrackets)) return undefined
  if (!URL.canParse(`http://${inBrackets}`)) return undefined
  const host = new URL(`http://${inBrackets}`).hostname.replace(/\.$/, '')
  return host.length <= 253 && (isAddress(host) || name.test(host)) ? host : undefined
}

/** Whether a canonical host is an address and no name. */
export function isAddress(host: string): boolean {
  return host.startsWith('[') || dotted.test(host)
}

export function formatNetworkPattern({ scheme, host, port }: NetworkPattern): string {
  return `${scheme === 'https' ? '' : `${scheme}://`}${host}${port === defaultPorts[scheme] ? '' : `:${port}`}`
}

function split(text: string) {
  const [, scheme = 'https', host = '', portText] = form.exec(text) ?? []
  if (!schemes.includes(scheme)) return `the scheme must be one of ${schemes.join(', ')}`
  const port = toPort(portText, defaultPorts[scheme])
  if (port) return { scheme: scheme as NetworkScheme, host, port }
  return portText === undefined
    ? `${scheme} needs a port, or :*`
    : `'${portText}' is no port (1 to 65535, or *)`
}

function toPort(text: string | undefined, byDefault: number | undefined): number | '*' | undefined {
  if (text === undefined) return byDefault
  if (text === '*') return text
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65535 ? port : undefined
}

/** Addresses are written as they are compared: nobody shall have to know that 0177.1 is 127.0.0.1. */
function toPatternHost(text: string): string | undefined {
  const wildcard = text.startsWith('*.')
  const host = canonicalHost(wildcard ? text.slice(2) : text)
  if (host === undefined || (dotted.test(host) && host !== text)) return undefined
  if (wildcard) return isAddress(host) ? undefined : `*.${host}`
  return host
}

function splitKey(path: string): { key: string; part: 'host' | 'hostname' | 'patterns' } {
  const [, key, part] = /^(.+)\.(host|hostname)$/.exec(path) ?? []
  return key ? { key, part: part as 'host' | 'hostname' } : { key: path, part: 'patterns' }
}
