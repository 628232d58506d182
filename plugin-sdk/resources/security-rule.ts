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
  view: schema({
    type: 'object',
    required: ['id', 'protocol', 'etherType', 'direction', 'portFrom', 'portTo', 'cidr'],
    properties: {
      id: { type: 'string', minLength: 1, maxLength: 1024, description: 'Id within the cloud' },
      ...rule,
    },
  }),
})
