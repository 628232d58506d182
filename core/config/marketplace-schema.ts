import {
  policySchema,
  readKey,
  readPolicy,
  readRegistryKey,
  type WrittenRegistryKey,
} from '@fogbow/registry/trust'

const place = {
  type: 'string',
  minLength: 1,
  maxLength: 2048,
  description: 'URL, or a path beside this file',
} as const
const keys = {
  type: 'array',
  minItems: 1,
  items: { type: 'string' },
  description: 'Ed25519 keys that sign it, `keyId:key`',
} as const
const name = { maxLength: 64, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$' } as const
const signed = {
  type: 'object',
  default: {},
  propertyNames: name,
  additionalProperties: {
    type: 'object',
    additionalProperties: false,
    required: ['place', 'keys'],
    properties: { place, keys },
  },
} as const

/** Where plugins come from, and what is believed of them. */
export const marketplaceSchema = {
  type: 'object',
  default: {},
  additionalProperties: false,
  properties: {
    registries: {
      type: 'object',
      default: {},
      propertyNames: name,
      description: 'npm registries by name; without any, the one that npm is configured with',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        properties: {
          url: { type: 'string', description: 'Absent: the one that npm is configured with' },
          scopes: {
            type: 'array',
            default: [],
            items: { type: 'string', pattern: '^@[a-z0-9~-][a-z0-9._~-]*$' },
            description: 'Scopes that come from here and from nowhere else, such as `@vendor`',
          },
          token: {
            type: 'string',
            pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$',
            description: 'Reference of the secret that it asks for; absent: that of .npmrc',
          },
          keys: {
            type: 'array',
            default: [],
            description: 'Keys that it signs with, as its `/-/npm/v1/keys` shows them',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['keyId', 'key'],
              properties: {
                keyId: { type: 'string', maxLength: 128 },
                key: { type: 'string', description: 'SubjectPublicKeyInfo in base64' },
                expires: { type: 'string', format: 'date-time' },
              },
            },
          },
        },
      },
    },
    catalogues: { ...signed, description: 'Curated lists of plugins' },
    policy: { ...policySchema, default: {} },
    revocations: {
      type: 'object',
      default: {},
      additionalProperties: false,
      properties: {
        lists: { ...signed, description: 'Lists of versions that must not run' },
        members: {
          type: 'array',
          default: [],
          items: { type: 'string', maxLength: 255 },
          description: 'Members of the federation whose revocations are heeded here too',
        },
        refreshMinutes: {
          type: 'integer',
          minimum: 1,
          maximum: 10_080,
          default: 60,
          description: 'How often lists and catalogues are read again',
        },
      },
    },
    trustRoot: {
      type: 'string',
      minLength: 1,
      description:
        "Sigstore's `trusted_root.json` beside this file, in place of the one that comes with the site",
    },
    keepGenerations: { type: 'integer', minimum: 1, maximum: 1000, default: 20 },
    drainMs: {
      type: 'integer',
      minimum: 0,
      maximum: 3_600_000,
      default: 30_000,
      description: 'How long calls may go on at a version that another one replaced, ms',
    },
    probationMinutes: {
      type: 'integer',
      minimum: 0,
      maximum: 10_080,
      default: 10,
      description: 'A plugin that crashes again and again so soon after a change is taken back',
    },
    trial: {
      type: 'object',
      default: {},
      additionalProperties: false,
      description: 'When a version that is tried out with some of the new orders is judged',
      properties: {
        minutes: { type: 'integer', minimum: 0, maximum: 10_080, default: 30 },
        calls: { type: 'integer', minimum: 1, maximum: 1_000_000, default: 20 },
        moreFailures: {
          type: 'number',
          minimum: 0,
          maximum: 1,
          default: 0.05,
          description: 'Share of failed calls by which it may be worse than the present version',
        },
      },
    },
  },
} as const

type Signed = Readonly<Record<string, { keys: readonly string[] }>>

interface MarketplaceSettings {
  policy: unknown
  registries: Readonly<Record<string, { keys: readonly WrittenRegistryKey[] }>>
  catalogues: Signed
  revocations: { lists: Signed }
}

/**
 * What a schema cannot look into: patterns of packages and keys. A mistake in a policy is told when it is written, and not
 * when somebody installs.
 * @throws configuration_error naming the key
 */
export function checkMarketplace(settings: MarketplaceSettings): void {
  readPolicy(settings.policy)
  for (const [name, { keys: written }] of Object.entries(settings.registries))
    for (const [index, key] of written.entries())
      readRegistryKey(`marketplace.registries.${name}.keys[${index}]`, key)
  checkSigned('catalogues', settings.catalogues)
  checkSigned('revocations.lists', settings.revocations.lists)
}

function checkSigned(section: string, sources: Signed): void {
  for (const [name, { keys: written }] of Object.entries(sources))
    for (const [index, key] of written.entries())
      readKey(`marketplace.${section}.${name}.keys[${index}]`, key)
}
