import { FogbowError, type PluginManifest } from '@fogbow/plugin-sdk'
import {
  type NetworkPattern,
  parseNetworkPattern,
  parseNetworkRequest,
} from '@fogbow/plugin-sdk/network'
import type { PluginConfig } from '../config/index.ts'
import { type GrantedPattern, intersection, showPatterns } from './brokers/network-pattern.ts'
import { fillTemplate } from './brokers/network-templates.ts'
import type { PluginCapabilities } from './live-plugin.ts'

/** What a plugin gets: what its manifest asks for and the configuration grants. */
export interface GrantedCapabilities {
  network: readonly GrantedPattern[]
  /** Ranges of addresses, beside the public ones, to which its names may lead. */
  addresses: readonly string[]
  secrets: readonly string[]
  storage: boolean
  storageMiB: number
}

/** A pattern that a manifest asks for, filled in. */
interface Asked {
  text: string
  template: boolean
  patterns: readonly NetworkPattern[]
}

/**
 * @param written - the plugin's configuration as the administrator wrote it, without defaults of the vendor's schema
 * @param name - of the plugin in the configuration, for messages
 * @throws configuration_error when a grant is no part of what the manifest asks for, or a template cannot be filled in
 */
export function grantedCapabilities(
  name: string,
  config: Pick<PluginConfig, 'grants'>,
  manifest: Pick<PluginManifest, 'capabilities'>,
  written: Readonly<Record<string, unknown>>,
): GrantedCapabilities {
  const { network, addresses, storageMiB } = config.grants
  const asked = manifest.capabilities
  const wanted = (asked?.network ?? []).map((text) => fillIn(name, text, written))
  return {
    network: network.flatMap((grant, index) =>
      patternsOf(grant, wanted, `plugins.${name}.grants.network[${index}]`),
    ),
    addresses,
    secrets: asked?.secrets ?? [],
    storage: asked?.storage ?? false,
    storageMiB,
  }
}

/** As an administrator reads it. */
export function shownCapabilities(granted: GrantedCapabilities): PluginCapabilities {
  const { network, secrets, storage } = granted
  return { network: showPatterns(network), secrets, storage }
}

function fillIn(name: string, text: string, written: Readonly<Record<string, unknown>>): Asked {
  const request = parseNetworkRequest(text)
  if (typeof request === 'string') {
    throw new FogbowError(
      'configuration_error',
      `plugins.${name}: its manifest asks for the network pattern '${text}', but ${request}`,
    )
  }
  if (!('key' in request)) return { text, template: false, patterns: [request] }
  const patterns = fillTemplate(request, written, `plugins.${name}.config`)
  return { text, template: true, patterns }
}

function patternsOf(grant: string, wanted: readonly Asked[], key: string): GrantedPattern[] {
  const whole = grant === '*' ? wanted : wanted.filter((asked) => asked.text === grant)
  if (whole.length > 0 || grant === '*') {
    return whole.flatMap(({ patterns, template }) =>
      patterns.map((pattern) => ({ ...pattern, byAdministrator: template || grant !== '*' })),
    )
  }
  const pattern = parseNetworkPattern(grant)
  const parts =
    typeof pattern === 'string'
      ? []
      : wanted.flatMap((asked) =>
          asked.patterns.flatMap((other) => intersection(pattern, other) ?? []),
        )
  if (typeof pattern === 'string' || parts.length === 0) throw notAsked(key, grant, wanted)
  // A wider grant does not write down the addresses that a vendor put into the manifest.
  return parts.map((part) => ({ ...part, byAdministrator: part.host === pattern.host }))
}

function notAsked(key: string, grant: string, wanted: readonly Asked[]): FogbowError {
  const list = wanted.map(({ text, patterns, template }) =>
    template ? `${text} (now ${showPatterns(patterns).join(', ') || 'nothing'})` : text,
  )
  return new FogbowError(
    'configuration_error',
    `${key}: '${grant}' is no part of what its manifest asks for: ${list.join(', ') || 'no network'}`,
    { details: { field: key } },
  )
}
