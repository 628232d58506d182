import { pluginKinds } from './contracts/index.ts'
import { schema, type TypeOf } from './schema/json-schema.ts'

/**
 * The `fogbow` block of a plugin's `package.json`.
 *
 * ```json
 * "fogbow": {
 *   "sdk": "^0.1.0",
 *   "kinds": ["compute", "quota"],
 *   "entry": "./index.ts",
 *   "config": { "type": "object", "properties": { "authUrl": { "type": "string" } }, "required": ["authUrl"] },
 *   "capabilities": { "network": ["{config.authUrl.host}"], "secrets": ["password"], "storage": true }
 * }
 * ```
 */
export const manifestSchema = schema({
  type: 'object',
  additionalProperties: false,
  required: ['sdk', 'kinds', 'entry'],
  properties: {
    sdk: {
      type: 'string',
      minLength: 1,
      maxLength: 64,
      description: 'Range of SDK versions (semver) that the plugin works with',
    },
    kinds: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', enum: pluginKinds },
    },
    contracts: {
      type: 'object',
      propertyNames: { maxLength: 64 },
      additionalProperties: { type: 'integer', minimum: 1 },
      description:
        'Plugin kind → version of its contract that the plugin was made for; a site with another one does not take it',
    },
    entry: {
      type: 'string',
      pattern: '^\\./',
      maxLength: 255,
      description: 'Module inside the package whose default export is the plugin',
    },
    config: {
      type: 'object',
      description: 'JSON Schema of the configuration; must describe an object',
    },
    capabilities: {
      type: 'object',
      additionalProperties: false,
      properties: {
        network: {
          type: 'array',
          maxItems: 64,
          items: { type: 'string', minLength: 1, maxLength: 255 },
          description:
            'What it wants to reach: `[scheme://]host[:port]`, `*.domain`, or what is configured, such as `{config.authUrl.host}`; see network-pattern.ts',
        },
        secrets: {
          type: 'array',
          maxItems: 64,
          items: { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9_-]*$', maxLength: 64 },
        },
        storage: { type: 'boolean', description: 'Whether it keeps data of its own' },
      },
    },
  },
})

export type PluginManifest = TypeOf<typeof manifestSchema>
