import { manifestSchema, schema } from '@fogbow/plugin-sdk'
import { trustLevels } from '../marketplace.ts'
import type { InstalledPlugin } from '../registry.ts'

const text = { type: 'string' } as const
const texts = { type: 'array', items: text } as const

const installedProperties = {
  description: text,
  hash: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  installedAt: text,
  integrity: text,
  license: text,
  manifest: manifestSchema,
  registry: text,
  source: text,
  sourceKind: { type: 'string', enum: ['folder', 'tarball', 'npm'] },
  version: text,
} as const

const installedRequired = [
  'version',
  'description',
  'license',
  'hash',
  'source',
  'sourceKind',
  'installedAt',
  'manifest',
] as const

export interface FirstLockFile {
  lockfileVersion: 1
  plugins: Record<string, Omit<InstalledPlugin, 'name'>>
}

/** Before there were generations. */
export const firstLockFileSchema = schema({
  type: 'object',
  additionalProperties: false,
  required: ['lockfileVersion', 'plugins'],
  properties: {
    lockfileVersion: { const: 1 },
    plugins: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        required: installedRequired,
        properties: installedProperties,
      },
    },
  },
})

const check = {
  type: 'object',
  additionalProperties: false,
  required: ['rule', 'outcome', 'message'],
  properties: {
    rule: text,
    outcome: { type: 'string', enum: ['passed', 'warning', 'failed', 'absent', 'unneeded'] },
    message: text,
    remedy: text,
  },
} as const

const component = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'version', 'license'],
  properties: { name: text, version: text, license: text, integrity: text },
} as const

const lockedPlugin = {
  type: 'object',
  additionalProperties: false,
  required: [...installedRequired, 'trust', 'accepted', 'components'],
  properties: {
    ...installedProperties,
    trust: {
      type: 'object',
      additionalProperties: false,
      required: ['level', 'checks'],
      properties: {
        level: { type: 'string', enum: trustLevels },
        publisher: text,
        checks: { type: 'array', items: check },
      },
    },
    accepted: {
      type: 'object',
      additionalProperties: false,
      required: ['by', 'at', 'rights'],
      properties: { by: text, at: text, rights: texts },
    },
    components: { type: 'array', items: component },
  },
} as const

export const instanceSettingsSchema = schema({
  type: 'object',
  additionalProperties: false,
  properties: {
    package: text,
    config: { type: 'object' },
    secrets: { type: 'object', additionalProperties: text },
    grants: { type: 'object' },
    limits: { type: 'object', additionalProperties: { type: 'number' } },
  },
})

export const lockFileSchema = schema({
  type: 'object',
  additionalProperties: false,
  required: ['lockfileVersion', 'generation', 'plugins', 'settings'],
  properties: {
    lockfileVersion: { const: 2 },
    generation: {
      type: 'object',
      additionalProperties: false,
      required: ['number', 'at', 'by', 'change'],
      properties: {
        number: { type: 'integer', minimum: 1 },
        at: text,
        by: {
          type: 'object',
          additionalProperties: false,
          required: ['id'],
          properties: { id: text, reason: text },
        },
        change: text,
        plan: text,
      },
    },
    plugins: { type: 'object', additionalProperties: lockedPlugin },
    settings: { type: 'object', additionalProperties: instanceSettingsSchema },
  },
})
