import { FogbowError } from '@fogbow/plugin-sdk'
import {
  canonicalHost,
  type NetworkPattern,
  type NetworkTemplate,
  parseNetworkPattern,
} from '@fogbow/plugin-sdk/network'

const schemesOfUrls: Readonly<Record<string, { scheme: NetworkPattern['scheme']; port?: number }>> =
  {
    'https:': { scheme: 'https', port: 443 },
    'http:': { scheme: 'http', port: 80 },
    'ldaps:': { scheme: 'tls', port: 636 },
    'ldap:': { scheme: 'tcp', port: 389 },
    'tls:': { scheme: 'tls' },
    'tcp:': { scheme: 'tcp' },
  }

/**
 * Fills in what the administrator wrote.
 * @param written - the plugin's configuration without the defaults of the vendor's schema
 * @param root - where that stands, for messages
 * @returns nothing when the key was not written
 * @throws configuration_error when what is written there is no such thing
 */
export function fillTemplate(
  template: NetworkTemplate,
  written: Readonly<Record<string, unknown>>,
  root: string,
): NetworkPattern[] {
  const value = valueAt(written, template.key)
  if (value === undefined || value === null || value === '') return []
  const texts = Array.isArray(value) ? value : [value]
  return texts.map((text, index) => {
    const key = `${root}.${template.key}${Array.isArray(value) ? `[${index}]` : ''}`
    return fill(template, typeof text === 'string' ? text : '', key)
  })
}

function fill(template: NetworkTemplate, text: string, key: string): NetworkPattern {
  if (template.part === 'hostname') {
    return { scheme: template.scheme, host: toHost(text, key), port: template.port }
  }
  if (template.part === 'host') return toEndpoint(text, key)
  const pattern = parseNetworkPattern(text)
  if (typeof pattern === 'string')
    throw wrong(key, `must be a network pattern such as *.cloud.example:*, and ${pattern}`)
  return pattern
}

function toEndpoint(text: string, key: string): NetworkPattern {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const known = url && schemesOfUrls[url.protocol]
  const host = url && canonicalHost(url.hostname)
  const port = url?.port ? Number(url.port) : known?.port
  if (known && host && port) return { scheme: known.scheme, host, port }
  throw wrong(key, 'must be a URL such as https://cloud.example:5000/v3, since its host is granted')
}

function toHost(text: string, key: string): string {
  const host = text.includes('://')
    ? URL.canParse(text) && canonicalHost(new URL(text).hostname)
    : canonicalHost(text)
  if (host) return host
  throw wrong(key, 'must be a URL or the name of a host, since that host is granted')
}

function valueAt(written: unknown, path: string): unknown {
  let node = written
  for (const key of path.split('.')) {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, key)) return undefined
    node = (node as Record<string, unknown>)[key]
  }
  return node
}

function wrong(key: string, problem: string): FogbowError {
  return new FogbowError('configuration_error', `${key} ${problem}`, { details: { field: key } })
}
