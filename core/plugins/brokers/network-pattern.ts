import { formatNetworkPattern, isAddress, type NetworkPattern } from '@fogbow/plugin-sdk/network'

/** A pattern that a plugin may use. */
export interface GrantedPattern extends NetworkPattern {
  /** The administrator wrote its host, in a grant or in the plugin's configuration; otherwise the vendor did. */
  byAdministrator: boolean
}

/** Where a plugin wants to connect to; the host is canonical. */
export interface Target {
  scheme: NetworkPattern['scheme']
  host: string
  port: number
}

export function patternCovers(pattern: NetworkPattern, target: Target): boolean {
  return (
    schemeCovers(pattern.scheme, target.scheme) &&
    hostCovers(pattern.host, target.host) &&
    (pattern.port === '*' || pattern.port === target.port)
  )
}

/** What both patterns cover, when that can be said with one pattern. */
export function intersection(
  left: NetworkPattern,
  right: NetworkPattern,
): NetworkPattern | undefined {
  const scheme = narrower(left.scheme, right.scheme, schemeCovers)
  const host = narrower(left.host, right.host, hostCovers)
  const port = narrower(left.port, right.port, (wide, narrow) => wide === '*' || wide === narrow)
  return scheme && host && port ? { scheme, host, port } : undefined
}

export function showPatterns(patterns: readonly NetworkPattern[]): string[] {
  return [...new Set(patterns.map(formatNetworkPattern))]
}

function narrower<Part>(left: Part, right: Part, covers: (wide: Part, narrow: Part) => boolean) {
  if (covers(left, right)) return right
  return covers(right, left) ? left : undefined
}

/** Whoever may send any bytes may send those of TLS. */
function schemeCovers(wide: string, narrow: string): boolean {
  return wide === narrow || (wide === 'tcp' && narrow === 'tls')
}

function hostCovers(wide: string, narrow: string): boolean {
  if (wide === narrow) return true
  return wide.startsWith('*.') && !isAddress(narrow) && narrow.endsWith(wide.slice(1))
}
