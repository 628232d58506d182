import { invalid } from '@fogbow/plugin-sdk'

const MODELS = 'cloud.fogbow.ras.core.models.orders'
const RESPONSES = 'cloud.fogbow.ras.api.http.response'

/**
 * Names of Java classes that travel beside values. They are compared with this table and nothing else is ever done with
 * them.
 */
const byKind: Readonly<Record<string, string>> = {
  compute: 'Compute',
  volume: 'Volume',
  network: 'Network',
  attachment: 'Attachment',
  publicIp: 'PublicIp',
}

export const IMAGE_CLASS = `${RESPONSES}.ImageInstance`
export const QUOTA_CLASS = `${RESPONSES}.quotas.ResourceQuota`
/** The one that every reader there can load. */
export const LIST_CLASS = 'java.util.ArrayList'

/** Where the class of a list depends on how the peer made it. */
export const listClasses: ReadonlySet<string> = new Set([
  LIST_CLASS,
  'java.util.LinkedList',
  'java.util.Vector',
  'java.util.Arrays$ArrayList',
  'java.util.Collections$EmptyList',
  'java.util.Collections$SingletonList',
  'java.util.Collections$UnmodifiableList',
  'java.util.Collections$UnmodifiableRandomAccessList',
  'java.util.ImmutableCollections$List12',
  'java.util.ImmutableCollections$ListN',
  'java.util.concurrent.CopyOnWriteArrayList',
])

export function orderClassOf(kind: string): string {
  return `${MODELS}.${byKind[kind]}Order`
}

export function instanceClassOf(kind: string): string {
  return `${RESPONSES}.${byKind[kind]}Instance`
}

/** @throws invalid_parameter */
export function kindOfOrderClass(name: string, at: string): string {
  return kindWith(orderClassOf, name, at)
}

/** @throws invalid_parameter */
export function kindOfInstanceClass(name: string, at: string): string {
  return kindWith(instanceClassOf, name, at)
}

function kindWith(classOf: (kind: string) => string, name: string, at: string): string {
  const kind = Object.keys(byKind).find((kind) => classOf(kind) === name.trim())
  if (kind === undefined) throw invalid(at, 'is not a class of the protocol')
  return kind
}
