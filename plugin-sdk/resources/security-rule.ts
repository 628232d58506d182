import { parseCidr } from '../schema/ip-range.ts'
import { schema } from '../schema/json-schema.ts'
import { defineNestedResource } from './define-resource.ts'

const port = { type: 'integer', minimum: 0, maximum: 65535, default: 0 } as const
const cidr = {
  type: 'string',
  minLength: 1,
  maxLength: 64,
  description: 'Addresses of the other side, such as 0.0.0.0/0',
} as const

const rule = {
  protocol: { type: 'string', enum: ['TCP', 'UDP', 'ICMP', 'ANY'] },
  etherType: { type: 'string', enum: ['IPv4', 'IPv6'], default: 'IPv4' },
  direction: { type: 'string', enum: ['IN', 'OUT'] },
  portFrom: port,
  portTo: port,
  cidr,
} as const

/** A firewall rule of a network or public IP. */
export const securityRule = defineNestedResource({
  name: 'securityRule',
  type: 'SECURITY_RULE',
  path: 'securityRules',
  title: 'Security rule',
  description: 'A firewall rule of a network or public IP',
  parents: ['network', 'publicIp'],
  request: schema({
    type: 'object',
    additionalProperties: false,
    required: ['protocol', 'direction', 'cidr'],
    properties: rule,
  }),
  check: checkRule,
  view: schema({
    type: 'object',
    required: ['id', 'protocol', 'etherType', 'direction', 'portFrom', 'portTo', 'cidr'],
    properties: {
      id: { type: 'string', minLength: 1, maxLength: 1024, description: 'Id within the cloud' },
      ...rule,
    },
  }),
})

function checkRule(request: Readonly<Record<string, unknown>>) {
  const { cidr, etherType, portFrom, portTo } = request as {
    cidr: string
    etherType: string
    portFrom: number
    portTo: number
  }
  const family = etherType === 'IPv6' ? 6 : 4
  if (parseCidr(cidr)?.family !== family)
    return {
      field: 'cidr',
      message: `must be an ${etherType} range such as ${family === 4 ? '10.0.0.0/24' : '2001:db8::/32'}`,
    }
  return portFrom > portTo
    ? { field: 'portTo', message: 'must not be less than portFrom' }
    : undefined
}
