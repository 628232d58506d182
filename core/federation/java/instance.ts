import { orderedKind } from '@fogbow/plugin-sdk'
import { assertValid } from '@fogbow/plugin-sdk/validate'
import { asRecord, type Fields, readFields, same, writeFields } from './fields.ts'
import { flag, text } from './forms.ts'
import { mappingOf } from './kinds.ts'
import { fromInstanceState, toInstanceState } from './states.ts'

/** What is known of an order and its instance at the provider. */
export interface KnownInstance {
  readonly orderId: string
  readonly kind: string
  readonly provider: string
  readonly cloudName: string
  readonly name: string
  readonly state: string
  readonly faultMessage: string | null
  readonly request: Fields
  /** As the plugin reported it. */
  readonly instance: Fields | null
  readonly allocation: Readonly<Record<string, number>> | null
}

/** @param names - of the orders referred to, by id */
export function writeInstance(
  known: KnownInstance,
  names: ReadonlyMap<string, string>,
): Record<string, unknown> {
  const { kind, instance, allocation, request } = known
  const shown = {
    ...occupied(kind, allocation),
    ...instance,
    ...fromOrder(kind, request),
    ...referred(kind, request, instance, names),
    name: known.name,
  }
  return {
    ...writeFields(mappingOf(kind).instance, shown),
    state: toInstanceState(known.state),
    cloudState: instance?.cloudState,
    isReady: known.state === 'FULFILLED' && instance?.state === 'READY',
    hasFailed: instance?.state === 'FAILED',
    faultMessage: known.faultMessage ?? '',
    id: known.orderId,
    provider: known.provider,
    cloudName: known.cloudName,
  }
}

/** What it occupies, under the names of the instance. */
function occupied(kind: string, allocation: KnownInstance['allocation']): Fields {
  const names = Object.entries(orderedKind(kind)?.allocation ?? {})
  return Object.fromEntries(names.map(([amount, name]) => [name, allocation?.[amount]]))
}

function fromOrder(kind: string, request: Fields): Fields {
  const shown = orderedKind(kind)?.shownFromOrder ?? []
  return Object.fromEntries(shown.map((name) => [name, request[name]]))
}

/** Order ids in a request, of whatever kind. */
export function referencesOf(kind: string, request: Fields): string[] {
  const fields = Object.keys(orderedKind(kind)?.references ?? {})
  return fields.flatMap((name) => request[name] ?? []) as string[]
}

function referred(
  kind: string,
  request: Fields,
  instance: Fields | null,
  names: ReadonlyMap<string, string>,
): Fields {
  const { references = {}, shownReferences = {} } = orderedKind(kind) ?? {}
  const shown: Record<string, unknown> = {}
  for (const name of Object.keys(references)) {
    const value = request[name]
    const shownIn = shownReferences[name] ?? name
    if (Array.isArray(value)) {
      const reported = (instance?.[shownIn] ?? []) as unknown[]
      shown[shownIn] = [...reported, ...value.map((id) => ({ id, name: names.get(id) ?? id }))]
    } else if (typeof value === 'string') {
      shown[name] = value
      shown[shownIn] = names.get(value)
    }
  }
  return shown
}

const common = [same('cloudState', text), same('isReady', flag), same('hasFailed', flag)]

/**
 * @param request - of the order, whose references are shown apart
 * @returns what a plugin would have reported; null when the cloud has no instance yet
 * @throws invalid_parameter
 */
export function readInstance(
  value: unknown,
  kind: string,
  request: Fields,
): Record<string, unknown> | null {
  const json = asRecord(value, 'instance')
  const { cloudState, isReady, hasFailed } = readFields(common, json, 'instance')
  if (cloudState === undefined) return null
  const read = readFields(mappingOf(kind).instance, json, 'instance')
  const schema = orderedKind(kind)?.instance
  const own = Object.entries(read).filter(([name]) => Object.hasOwn(schema?.properties ?? {}, name))
  const instance: Record<string, unknown> = {
    ...Object.fromEntries(own),
    cloudState,
    state: fromInstanceState(json.state, isReady === true, hasFailed === true),
  }
  if (Array.isArray(instance.networks))
    instance.networks = notOrdered(instance.networks, new Set(referencesOf(kind, request)))
  if (schema) assertValid(schema, instance, 'instance')
  return instance
}

/** Networks that were joined without being ordered; some have no name there. */
function notOrdered(networks: readonly Fields[], ordered: ReadonlySet<unknown>): Fields[] {
  return networks
    .filter(({ id }) => id !== undefined && !ordered.has(id))
    .map((network) => ({ name: network.id, ...network }))
}
