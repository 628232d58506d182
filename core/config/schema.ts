import { schema, type TypeOf } from '@fogbow/plugin-sdk'
import { defaultLimits, isolationLevels } from '@fogbow/sandbox'
import { federationSchema, rendezvousSchema } from './federation-schema.ts'
import { sourcesSchema } from './identity-sources.ts'
import { marketplaceSchema } from './marketplace-schema.ts'
import { grantsSchema, networkSchema } from './network-schema.ts'
import { placementSchema } from './placement-schema.ts'

const name = {
  type: 'string',
  minLength: 1,
  maxLength: 64,
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
} as const
const pluginName = { ...name, description: 'Name of an entry of `plugins`' } as const
const milliseconds = (byDefault: number, description: string) =>
  ({
    type: 'integer',
    minimum: 0,
    maximum: 86_400_000,
    default: byDefault,
    description: `${description}, ms`,
  }) as const
const amount = {
  type: 'integer',
  minimum: 0,
  description: 'Most that one user may hold at this site',
} as const

const limit = (
  name: keyof typeof defaultLimits,
  minimum: number,
  maximum: number,
  description: string,
) => ({ type: 'integer', minimum, maximum, default: defaultLimits[name], description }) as const

const limits = {
  type: 'object',
  default: {},
  additionalProperties: false,
  properties: {
    memoryMiB: limit('memoryMiB', 32, 65_536, 'Heap and array buffers above which it is stopped'),
    loadTimeoutMs: limit('loadTimeoutMs', 100, 600_000, 'Longest time to load and create it'),
    callsInFlight: limit('callsInFlight', 1, 65_536, 'Calls under way at once; more wait'),
    callsWaiting: limit('callsWaiting', 0, 1_048_576, 'Calls that wait; more are refused'),
    hostCallsInFlight: limit(
      'hostCallsInFlight',
      1,
      65_536,
      'Calls of the plugin to its host under way at once',
    ),
    messageLength: limit(
      'messageLength',
      65_536,
      67_108_864,
      'Longest message in either direction, characters',
    ),
  },
} as const

const plugin = {
  type: 'object',
  additionalProperties: false,
  required: ['package'],
  properties: {
    package: {
      type: 'string',
      minLength: 1,
      maxLength: 1024,
      description: 'npm name of the package, or `./folder` or `./file.tgz` beside this file',
    },
    config: {
      type: 'object',
      default: {},
      additionalProperties: true,
      description: "Checked against the plugin's own schema",
    },
    secrets: {
      type: 'object',
      default: {},
      additionalProperties: { type: 'string', pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$' },
      description:
        'Secret → reference: `env:NAME` or `file:path`; `{dataDir}` in a path stands for the data directory',
    },
    grants: grantsSchema,
    network: networkSchema,
    isolation: {
      type: 'string',
      enum: isolationLevels,
      description:
        'At least this; without it, threads for what is official or reviewed and processes for all else',
    },
    limits,
  },
} as const

/** Beside the configuration file. */
export const DATA_DIR = './data'

/** Everything that `fogbow.config.ts` may say. Defaults make a complete site of an almost empty file. */
export const siteConfigSchema = schema({
  type: 'object',
  additionalProperties: false,
  required: ['site', 'plugins', 'aaa', 'clouds'],
  properties: {
    site: {
      type: 'object',
      additionalProperties: false,
      required: ['id'],
      properties: {
        id: {
          type: 'string',
          pattern: '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$',
          maxLength: 255,
          description: 'Provider id: lower case, as other members know this site',
        },
        build: {
          type: 'string',
          default: 'node',
          maxLength: 64,
          description: 'Build number shown by the version requests',
        },
      },
    },
    dataDir: {
      type: 'string',
      minLength: 1,
      default: DATA_DIR,
      description: 'Beside this file unless absolute; FOGBOW_DATA_DIR overrides it',
    },
    minimumIsolation: {
      type: 'string',
      enum: isolationLevels,
      default: 'worker',
      description: 'Plugins that cannot be isolated so well do not start',
    },
    isolation: {
      type: 'object',
      default: {},
      additionalProperties: false,
      properties: {
        spares: {
          type: 'integer',
          minimum: 0,
          maximum: 64,
          default: 1,
          description:
            'Sandboxes kept ready of each kind in use, for plugins that start or restart',
        },
        reviewed: {
          type: 'object',
          default: {},
          propertyNames: { maxLength: 255 },
          additionalProperties: { type: 'string', pattern: '^[0-9a-f]{64}$' },
          description:
            'Package → SHA-256 of the bundle that you have looked at; it runs in a thread until its bundle changes',
        },
      },
    },
    http: {
      type: 'object',
      default: {},
      additionalProperties: false,
      properties: {
        host: {
          type: 'string',
          default: '127.0.0.1',
          description: 'Address to listen at; put a TLS proxy in front before opening it to others',
        },
        port: {
          type: 'integer',
          minimum: 0,
          maximum: 65535,
          default: 8080,
          description: 'PORT overrides it; 0 takes a free one',
        },
        trustProxy: {
          type: 'boolean',
          default: false,
          description: 'Take the client address from X-Forwarded-For',
        },
        publicUrl: {
          type: 'string',
          pattern: '^https?://[^/?#@]+$',
          maxLength: 255,
          description:
            'Where browsers reach this site, such as https://site-a.example.org, for logins that come back to it; the address it listens at when absent',
        },
        loginReturnUrls: {
          type: 'array',
          default: [],
          maxItems: 64,
          items: { type: 'string', pattern: '^https?://[^?#@]+$', maxLength: 1024 },
          description:
            'Log-in pages of other origins, such as that of the GUI, to which a browser may be sent back with a ticket for its token',
        },
        corsOrigins: { type: 'array', default: ['*'], items: { type: 'string' } },
        bodyLimitBytes: { type: 'integer', minimum: 1024, maximum: 67108864, default: 1048576 },
        requestsPerMinute: {
          type: 'integer',
          minimum: 0,
          default: 6000,
          description: 'Per user; 0 for no limit',
        },
        failedLoginsPerMinute: {
          type: 'integer',
          minimum: 0,
          default: 10,
          description:
            'Per address and user name, before a growing lock-out; ten times as many per address, and per user everywhere; 0 for no limit',
        },
      },
    },
    log: {
      type: 'object',
      default: {},
      additionalProperties: false,
      properties: {
        level: {
          type: 'string',
          enum: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
          default: 'info',
        },
      },
    },
    plugins: {
      type: 'object',
      propertyNames: { pattern: name.pattern, maxLength: 64 },
      additionalProperties: plugin,
      description: 'Plugin instances by name',
    },
    network: networkSchema,
    aaa: {
      type: 'object',
      additionalProperties: false,
      required: ['authorization'],
      properties: {
        tokenGenerator: pluginName,
        federationIdentity: pluginName,
        authentication: pluginName,
        sources: sourcesSchema,
        authorization: pluginName,
        cacheSeconds: {
          type: 'integer',
          minimum: 0,
          maximum: 300,
          default: 5,
          description: 'How long a positive authentication and a decision may be used again',
        },
      },
    },
    clouds: {
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: name.pattern, maxLength: 64 },
      description: 'Clouds by name; the first is the default',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        required: ['plugin', 'mapper'],
        properties: {
          plugin: pluginName,
          mapper: pluginName,
          kinds: {
            type: 'object',
            default: {},
            additionalProperties: pluginName,
            description: 'Kinds served by another plugin: kind → plugin',
          },
          concurrency: {
            type: 'integer',
            minimum: 1,
            maximum: 4096,
            default: 64,
            description: 'Orders worked on at once',
          },
        },
      },
    },
    members: {
      type: 'object',
      default: {},
      additionalProperties: false,
      properties: {
        list: {
          type: 'array',
          default: [],
          items: { type: 'string', minLength: 1 },
          description: 'Members of the federation; this site comes by itself',
        },
        targets: {
          type: 'array',
          items: { type: 'string' },
          description: 'Members that local users may go to; all when absent',
        },
        requesters: {
          type: 'array',
          items: { type: 'string' },
          description: 'Members whose users may come here; all when absent',
        },
        rendezvous: rendezvousSchema,
      },
    },
    federation: federationSchema,
    placement: placementSchema,
    marketplace: marketplaceSchema,
    orders: {
      type: 'object',
      default: {},
      additionalProperties: false,
      properties: {
        freshMs: milliseconds(
          1000,
          'A read is answered from the last observation when that is not older',
        ),
        readTimeoutMs: milliseconds(
          10_000,
          'How long a read waits for the cloud before it answers UNKNOWN',
        ),
        firstCheckMs: milliseconds(
          100,
          'From the acceptance of a request to the second look at it',
        ),
        longestCheckMs: milliseconds(
          10_000,
          'Longest pause between looks at something that is being created or changed',
        ),
        firstHealthCheckMs: milliseconds(
          30_000,
          'First pause between looks at something that is ready; doubles each time',
        ),
        longestHealthCheckMs: milliseconds(
          3_600_000,
          'Longest pause between looks at something that is ready',
        ),
        firstRetryMs: milliseconds(
          1000,
          'First pause after a cloud did not answer; doubles each time',
        ),
        longestRetryMs: milliseconds(120_000, 'Longest pause after a cloud did not answer'),
        settleMs: milliseconds(
          30_000,
          'How long after an unanswered request its instance may still appear in the cloud',
        ),
        delegationDays: {
          type: 'integer',
          minimum: 1,
          maximum: 36_500,
          description:
            'How long a new order may be worked on before its owner has to grant it anew; as long as it is there when absent',
        },
        actionLimitMs: milliseconds(
          600_000,
          'How long a power action may take before the order follows what the cloud reports',
        ),
      },
    },
    userQuota: {
      type: 'object',
      default: {},
      additionalProperties: false,
      properties: {
        instances: amount,
        vCPU: amount,
        ram: amount,
        disk: amount,
        storage: amount,
        volumes: amount,
        networks: amount,
        publicIps: amount,
      },
      description: 'Enforced when an order is made, beside what the cloud itself enforces',
    },
    retention: {
      type: 'object',
      default: {},
      additionalProperties: false,
      properties: {
        auditDays: { type: 'integer', minimum: 1, default: 365 },
        closedOrderDays: { type: 'integer', minimum: 1, default: 90 },
      },
    },
  },
})

/** The configuration as it is used: complete, with defaults filled in. */
export type SiteConfig = TypeOf<typeof siteConfigSchema>
export type PluginConfig = SiteConfig['plugins'][string]
export type NetworkConfig = SiteConfig['network']
export type OrderTiming = SiteConfig['orders']
export type FederationConfig = NonNullable<SiteConfig['federation']>
