import { dirname, isAbsolute, join, resolve } from 'node:path'
import { FogbowError, schema, type TypeOf } from '@fogbow/plugin-sdk'
import { completerFor, joinPath } from '@fogbow/plugin-sdk/validate'
import { cosmiconfig } from 'cosmiconfig'
import type { WrittenWhiteList } from './white-list.ts'

const jid = {
  type: 'string',
  minLength: 1,
  maxLength: 255,
  pattern: '^([^\\s@/<>&\'"]+@)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$',
} as const
const milliseconds = (minimum: number, byDefault: number, description: string) =>
  ({
    type: 'integer',
    minimum,
    maximum: 86_400_000,
    default: byDefault,
    description: `${description}, ms`,
  }) as const

/** Everything that `rendezvous.config.*` may say. */
export const rendezvousConfigSchema = schema({
  type: 'object',
  additionalProperties: false,
  required: ['jid', 'xmpp', 'members'],
  properties: {
    jid: { ...jid, description: 'Name of the component at its XMPP server (XEP-0114)' },
    xmpp: {
      type: 'object',
      additionalProperties: false,
      required: ['secret'],
      properties: {
        host: { type: 'string', minLength: 1, maxLength: 255, default: '127.0.0.1' },
        port: { type: 'integer', minimum: 1, maximum: 65535, default: 5347 },
        secret: {
          type: 'string',
          pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$',
          description: 'Reference to the secret of the component, `env:NAME` or `file:path`',
        },
      },
    },
    dataDir: {
      type: 'string',
      minLength: 1,
      default: './rendezvous-data',
      description: 'Keys and what is known of members; beside this file unless absolute',
    },
    members: {
      type: 'object',
      additionalProperties: false,
      description: 'Who may be a member: exactly one of the three',
      properties: {
        list: { type: 'array', items: jid, maxItems: 100_000, description: 'JIDs' },
        file: {
          type: 'string',
          minLength: 1,
          description:
            'File with one JID in each line; what it says counts as soon as it is written',
        },
        anybody: { type: 'boolean', enum: [true], description: 'Whoever can reach the component' },
      },
    },
    keys: {
      type: 'object',
      default: {},
      propertyNames: jid,
      additionalProperties: {
        type: 'array',
        minItems: 1,
        maxItems: 4,
        items: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}:[A-Za-z0-9_-]{43}$' },
      },
      description:
        'Public keys of members by JID, `kid:key` as their administrators read them to you',
    },
    newKeys: {
      type: 'string',
      enum: ['pinned', 'announced', 'firstUse'],
      default: 'firstUse',
      description:
        'Keys of members that count beside those written here: none, those announced under one of them, or also the first ones met',
    },
    unsigned: {
      type: 'string',
      enum: ['refused', 'allowed'],
      default: 'refused',
      description: 'Whether members are taken that sign nothing (the original manager)',
    },
    neighbours: {
      type: 'array',
      default: [],
      maxItems: 256,
      items: jid,
      description: 'JIDs of other rendezvous, which are asked for their members and may ask',
    },
    periodMs: milliseconds(1000, 30_000, 'Between two heartbeats of a member'),
    lostHeartbeats: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 3,
      description: 'Heartbeats that may be lost before a member expires',
    },
    longestTimeoutMs: milliseconds(1000, 1_800_000, 'Most that a neighbour may claim for a member'),
    syncEveryMs: milliseconds(1000, 60_000, 'Between two questions to a neighbour'),
    pageLimit: { type: 'integer', minimum: 1, maximum: 100, default: 100 },
    maxMembers: { type: 'integer', minimum: 1, maximum: 20_000, default: 10_000 },
    metrics: {
      type: 'object',
      additionalProperties: false,
      required: ['port'],
      description: 'Where Prometheus reads; nowhere when absent',
      properties: {
        host: { type: 'string', minLength: 1, maxLength: 255, default: '127.0.0.1' },
        port: { type: 'integer', minimum: 0, maximum: 65535 },
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
  },
})

export type RendezvousConfig = TypeOf<typeof rendezvousConfigSchema>

export interface LoadedRendezvousConfig {
  readonly config: RendezvousConfig
  readonly file: string
  /** Absolute. */
  readonly dataDir: string
  readonly whiteList: WrittenWhiteList
  /** Reference to the secret, with an absolute path. */
  readonly secret: string
}

/**
 * Reads the configuration of a rendezvous.
 * @param file - searched as `rendezvous.config.*` upwards from `cwd` when absent
 * @throws configuration_error that names the file and the key
 */
export async function loadRendezvousConfig(
  file: string | undefined,
  cwd: string,
): Promise<LoadedRendezvousConfig> {
  const found = await read(file, cwd)
  const config = structuredClone(found.written) as RendezvousConfig
  const problem = completerFor(rendezvousConfigSchema)(config)
  if (problem) throw wrong(found.file, `${joinPath('', problem.field)} ${problem.message}`)
  const folder = dirname(found.file)
  return {
    config,
    file: found.file,
    dataDir: resolve(folder, config.dataDir),
    whiteList: toWhiteList(config, found.file),
    secret: absoluteReference(config.xmpp.secret, folder),
  }
}

function toWhiteList({ members }: RendezvousConfig, file: string): WrittenWhiteList {
  const { list, file: path, anybody } = members
  const ways: WrittenWhiteList[] = []
  if (list) ways.push({ list })
  if (path !== undefined) ways.push({ file: resolve(dirname(file), path) })
  if (anybody) ways.push({ anybody: true })
  const [way, ...others] = ways
  if (way && others.length === 0) return way
  throw wrong(file, 'members needs exactly one of list, file and anybody')
}

function absoluteReference(reference: string, folder: string): string {
  if (!reference.startsWith('file:')) return reference
  const path = reference.slice('file:'.length)
  return `file:${isAbsolute(path) ? path : join(folder, path)}`
}

async function read(
  file: string | undefined,
  cwd: string,
): Promise<{ file: string; written: unknown }> {
  const explorer = cosmiconfig('rendezvous', {
    searchPlaces: ['ts', 'mjs', 'js', 'json', 'yaml'].map(
      (ending) => `rendezvous.config.${ending}`,
    ),
    searchStrategy: 'global',
    stopDir: '/',
    cache: false,
    loaders: { '.ts': importFile, '.mjs': importFile, '.js': importFile },
  })
  try {
    const found = file ? await explorer.load(resolve(cwd, file)) : await explorer.search(cwd)
    if (found && !found.isEmpty) return { file: found.filepath, written: found.config }
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
    throw wrong(file ?? 'rendezvous.config', why)
  }
  throw wrong(file ?? 'rendezvous.config.ts', `it is empty, or not in ${cwd} or above`)
}

async function importFile(path: string): Promise<unknown> {
  const module = await import(path)
  return module.default ?? module
}

function wrong(file: string, why: string): FogbowError {
  return new FogbowError('configuration_error', `${file}: ${why}`)
}
