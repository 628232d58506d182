import type { ApiSchema } from '../routes/route.ts'

/** Values with which an example reads like the real thing; fields not named here are made up from their schema. */
const known: Readonly<Record<string, unknown>> = {
  id: '0b6f3a52-6c1e-4f7b-9d53-2a7e8f10c4d9',
  instanceId: '0b6f3a52-6c1e-4f7b-9d53-2a7e8f10c4d9',
  computeId: '5d2a9c80-13b4-4a7e-8a6f-71c5e0b2d318',
  volumeId: '9e41d7f6-28c0-4b5d-b3a9-604fd81e7c25',
  networkIds: [],
  userData: [],
  requirements: {},
  credentials: { username: 'admin', password: '…' },
  name: 'worker-1',
  instanceName: 'worker-1',
  provider: 'site-a.example',
  cloudName: 'cloud-1',
  vCPU: 2,
  ram: 2048,
  memory: 2048,
  disk: 20,
  size: 10,
  imageId: 'debian-12',
  publicKey: 'ssh-ed25519 AAAA… ana',
  cidr: '10.10.0.0/24',
  gateway: '10.10.0.1',
  device: '/dev/sdb',
  portFrom: 22,
  portTo: 22,
  state: 'READY',
  cloudState: 'active',
  faultMessage: '',
  ipAddresses: ['10.10.0.14'],
  ip: '203.0.113.7',
  timestamp: '2030-01-31T12:00:00.000Z',
}

/** Fields of requests that a first try does better without. */
const optional = new Set(['provider', 'cloudName', 'userData', 'networkIds', 'requirements'])

/** A request body that the schema allows, short enough to be sent as it is. */
export function exampleRequestOf(schema: ApiSchema): unknown {
  const example = exampleOf(schema)
  if (typeof example !== 'object' || example === null) return example
  const required = new Set(Array.isArray(schema.required) ? schema.required : [])
  const shown = Object.entries(example).filter(
    ([name]) => required.has(name) || !optional.has(name),
  )
  return Object.fromEntries(shown)
}

/** A value that the schema allows. Deprecated fields are left out. */
export function exampleOf(schema: ApiSchema, name = ''): unknown {
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (Array.isArray(schema.anyOf)) return exampleOf(schema.anyOf[0] as ApiSchema)
  if (type === 'object' && schema.properties) return exampleObject(schema)
  if (Object.hasOwn(known, name) && fits(known[name], type)) return known[name]
  if (Array.isArray(schema.enum)) return schema.enum[0]
  switch (type) {
    case 'array':
      return [exampleOf((schema.items ?? {}) as ApiSchema)]
    case 'object':
      return {}
    case 'integer':
    case 'number':
      return Math.max(0, Number(schema.minimum ?? 0))
    case 'boolean':
      return name === 'ready'
    default:
      return name || 'text'
  }
}

function exampleObject(schema: ApiSchema): Record<string, unknown> {
  const properties = Object.entries(schema.properties as Record<string, ApiSchema>)
  const shown = properties.filter(([, property]) => !property.deprecated)
  return Object.fromEntries(shown.map(([name, property]) => [name, exampleOf(property, name)]))
}

function fits(value: unknown, type: unknown): boolean {
  const isNumeric = type === 'integer' || type === 'number'
  return isNumeric === (typeof value === 'number')
}
