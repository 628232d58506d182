import { isInRange, parseCidr } from '../schema/ip-range.ts'
import { schema } from '../schema/json-schema.ts'
import { defineOrderedResource, displayName, instanceBase, placement } from './define-resource.ts'

const ipv4Cidr = '^(\\d{1,3}\\.){3}\\d{1,3}/([0-9]|[12][0-9]|3[0-2])$'
const text = { type: 'string', maxLength: 255 } as const

/** A private network. */
export const network = defineOrderedResource({
  name: 'network',
  type: 'NETWORK',
  path: 'networks',
  title: 'Network',
  description: 'A private network',
  request: schema({
    type: 'object',
    additionalProperties: false,
    properties: {
      ...placement,
      name: displayName,
      cidr: {
        type: 'string',
        pattern: ipv4Cidr,
        description: 'Address range, such as 10.0.0.0/24; chosen by the cloud when absent',
      },
      gateway: {
        type: 'string',
        pattern: '^(\\d{1,3}\\.){3}\\d{1,3}$',
        description: 'Address of the gateway inside `cidr`',
      },
      allocationMode: { type: 'string', enum: ['dynamic', 'static'], default: 'dynamic' },
    },
  }),
  check: checkAddresses,
  instance: schema({
    type: 'object',
    required: ['state', 'cloudState'],
    properties: {
      ...instanceBase,
      cidr: text,
      gateway: text,
      allocationMode: { type: 'string', enum: ['dynamic', 'static'] },
      vLAN: text,
      networkInterface: text,
      macinterface: text,
      interfaceState: text,
    },
  }),
  countedAs: 'networks',
  hasAllocation: true,
})

function checkAddresses(request: Readonly<Record<string, unknown>>) {
  const { cidr, gateway } = request as { cidr?: string; gateway?: string }
  const range = cidr === undefined ? undefined : parseCidr(cidr)
  if (cidr !== undefined && range?.family !== 4)
    return { field: 'cidr', message: 'must be an IPv4 range such as 10.0.0.0/24' }
  if (gateway === undefined) return undefined
  if (!range) return { field: 'gateway', message: 'needs `cidr` as well' }
  return isInRange(gateway, range)
    ? undefined
    : { field: 'gateway', message: `must be an address inside ${cidr}` }
}
