import { invalid, orderedKinds } from '@fogbow/plugin-sdk'
import { type FieldMapping, type Form, field, same } from './fields.ts'
import { integer, listOf, objectOf, oneOf, text } from './forms.ts'

/** How a kind of order looks there. */
export interface KindMapping {
  /** Of an order. Beside the fields of the request: `name` and `allocation`, what it really occupies. */
  readonly order: readonly FieldMapping[]
  /** Of an instance, of which some fields come from the order. */
  readonly instance: readonly FieldMapping[]
}

const userData = listOf(
  objectOf([
    same('extraUserDataFileContent', text),
    same('extraUserDataFileType', text),
    same('tag', text),
  ]),
)
const named = objectOf([same('id', text), same('name', text)])
const allocationMode = oneOf(['dynamic', 'static'], ['DYNAMIC', 'STATIC'])

/** What an order occupies; the count of instances is theirs alone. */
function amounts(...names: readonly string[]): Form {
  const plain = objectOf(names.map((name) => same(name, integer, 0)))
  return {
    write: (value) => ({ instances: 1, ...(plain.write(value) as object) }),
    read: plain.read,
  }
}

const references = (name: string) => [same(`${name}Id`, text), same(`${name}Name`, text)]

export const kindMappings: Readonly<Record<string, KindMapping>> = {
  compute: {
    order: [
      same('vCPU', integer, 0),
      same('ram', integer, 0),
      same('disk', integer, 0),
      // Without these two an order cannot be read, or saved, by the original service.
      same('userData', userData, []),
      same('name', text),
      same('imageId', text),
      same('publicKey', text),
      field('allocation', 'actualAllocation', amounts('vCPU', 'ram', 'disk'), {
        instances: 0,
        vCPU: 0,
        ram: 0,
        disk: 0,
      }),
      field('networkIds', 'networkOrderIds', listOf(text), []),
    ],
    instance: [
      same('name', text),
      same('vCPU', integer, 0),
      same('ram', integer, 0),
      same('disk', integer, 0),
      same('ipAddresses', listOf(text)),
      same('networks', listOf(named)),
      same('imageId', text),
      same('publicKey', text),
      same('userData', userData),
    ],
  },
  volume: {
    order: [
      field('size', 'volumeSize', integer),
      field('allocation', 'actualAllocation', amounts('storage')),
      same('name', text),
    ],
    instance: [same('name', text), same('size', integer, 0)],
  },
  network: {
    order: [
      same('name', text),
      same('gateway', text),
      same('cidr', text),
      same('allocationMode', allocationMode),
    ],
    instance: [
      same('name', text),
      same('cidr', text),
      same('gateway', text),
      same('allocationMode', allocationMode),
      same('vLAN', text),
      same('networkInterface', text),
      field('macinterface', 'MACInterface', text),
      same('interfaceState', text),
    ],
  },
  attachment: {
    order: [
      same('device', text),
      field('computeId', 'computeOrderId', text),
      field('volumeId', 'volumeOrderId', text),
    ],
    instance: [...references('volume'), ...references('compute'), same('device', text)],
  },
  publicIp: {
    order: [field('computeId', 'computeOrderId', text)],
    instance: [same('ip', text), ...references('compute')],
  },
}

const typeOfKind = new Map(orderedKinds.map(({ name, type }) => [name, type]))
const kindOfType = new Map(orderedKinds.map(({ name, type }) => [type, name]))

export function mappingOf(kind: string): KindMapping {
  const mapping = kindMappings[kind]
  if (!mapping) throw new Error(`the original protocol knows no orders of the kind '${kind}'`)
  return mapping
}

/** The name on the wire, such as `PUBLIC_IP`. */
export function typeOf(kind: string): string {
  return typeOfKind.get(kind) ?? kind
}

/** @throws invalid_parameter */
export function kindOf(type: unknown, at: string): string {
  const kind = typeof type === 'string' ? kindOfType.get(type) : undefined
  if (kind === undefined || !kindMappings[kind])
    throw invalid(at, `must be one of ${Object.keys(kindMappings).map(typeOf).join(', ')}`)
  return kind
}
