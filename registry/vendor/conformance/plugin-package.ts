import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  FogbowError,
  invalid,
  manifestSchema,
  type PluginDefinition,
  type PluginManifest,
  type Schema,
  schema,
  type TypeOf,
} from '@fogbow/plugin-sdk'
import { parseNetworkRequest } from '@fogbow/plugin-sdk/network'
import { samplesSchema } from '@fogbow/plugin-sdk/testing'
import { assertValid } from '@fogbow/plugin-sdk/validate'

/** What `fogbow.conformance.json`, beside a plugin's `package.json`, may hold. */
export const conformanceFileSchema = schema({
  type: 'object',
  additionalProperties: false,
  properties: {
    config: { type: 'object', description: 'Configuration of the plugin, as its manifest asks' },
    secrets: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Name → value; for tests only',
    },
    network: {
      type: 'boolean',
      description: 'True: the plugin reaches the network, and time is real',
    },
    samples: samplesSchema,
    sandbox: {
      type: 'object',
      additionalProperties: false,
      properties: { config: { type: 'object' } },
      description: 'What is different in a sandbox, where time is always real',
    },
  },
})

export type ConformanceFile = TypeOf<typeof conformanceFileSchema>

export interface PluginPackage {
  /** Absolute. */
  folder: string
  name: string
  version: string
  manifest: PluginManifest
  conformance: ConformanceFile
}

export interface LoadedPlugin extends PluginPackage {
  definition: PluginDefinition<Record<string, unknown>>
}

export const CONFORMANCE_FILE = 'fogbow.conformance.json'

const packageSchema = schema({
  type: 'object',
  required: ['name', 'version', 'fogbow'],
  properties: {
    name: { type: 'string', minLength: 1 },
    version: { type: 'string', minLength: 1 },
    fogbow: manifestSchema,
  },
})

/** Loads a plugin into this process, with what it is tested with. Every failure is a `FogbowError` that names file and key. */
export async function loadPluginPackage(folder: string): Promise<LoadedPlugin> {
  const plugin = await readPluginPackage(folder)
  const definition = await loadDefinition(join(plugin.folder, plugin.manifest.entry))
  return { ...plugin, definition }
}

/** Reads what a plugin says of itself; nothing of it is run. */
export async function readPluginPackage(folder: string): Promise<PluginPackage> {
  const root = resolve(folder)
  const description = await readJson(join(root, 'package.json'))
  assertValid(packageSchema, description, 'package.json')
  const { name, version, fogbow: manifest } = description as TypeOf<typeof packageSchema>
  checkPatterns(manifest)

  const conformance = await readConformanceFile(root)
  if (manifest.config)
    assertValid(manifest.config as Schema, conformance.config ?? {}, `${CONFORMANCE_FILE}: config`)

  return { folder: root, name, version, manifest, conformance }
}

/** Empty when there is none. */
export async function readConformanceFile(folder: string): Promise<ConformanceFile> {
  const written = await readJson(join(folder, CONFORMANCE_FILE), {})
  assertValid(conformanceFileSchema, written, CONFORMANCE_FILE)
  return written as ConformanceFile
}

function checkPatterns({ capabilities }: PluginManifest): void {
  for (const [index, text] of (capabilities?.network ?? []).entries()) {
    const request = parseNetworkRequest(text)
    if (typeof request !== 'string') continue
    throw invalid(`package.json.fogbow.capabilities.network[${index}]`, `'${text}': ${request}`)
  }
}

async function loadDefinition(file: string): Promise<LoadedPlugin['definition']> {
  const { default: definition } = await import(pathToFileURL(file).href)
  if (typeof definition?.create === 'function') return definition
  throw new FogbowError(
    'configuration_error',
    `${file} has no plugin as its default export; write: export default definePlugin({ create })`,
  )
}

async function readJson(file: string, absent?: unknown): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (isAbsent && absent !== undefined) return absent
    const problem = error instanceof Error ? error.message : String(error)
    throw new FogbowError('configuration_error', `${file}: ${problem}`, { cause: error })
  }
}
