import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FogbowError, invalid } from '../errors.ts'
import { manifestSchema, type PluginManifest } from '../manifest.ts'
import { parseNetworkRequest } from '../network-pattern.ts'
import type { PluginDefinition } from '../plugin.ts'
import { type Schema, schema, type TypeOf } from '../schema/json-schema.ts'
import { assertValid } from '../schema/validate.ts'
import { samplesSchema } from '../testing/samples.ts'

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
  },
})

export type ConformanceFile = TypeOf<typeof conformanceFileSchema>

export interface PluginPackage {
  name: string
  version: string
  manifest: PluginManifest
  definition: PluginDefinition<Record<string, unknown>>
  conformance: ConformanceFile
}

const CONFORMANCE_FILE = 'fogbow.conformance.json'

const packageSchema = schema({
  type: 'object',
  required: ['name', 'version', 'fogbow'],
  properties: {
    name: { type: 'string', minLength: 1 },
    version: { type: 'string', minLength: 1 },
    fogbow: manifestSchema,
  },
})

/** Reads a plugin and what it is tested with. Every failure is a `FogbowError` that names file and key. */
export async function loadPluginPackage(folder: string): Promise<PluginPackage> {
  const root = resolve(folder)
  const description = await readJson(join(root, 'package.json'))
  assertValid(packageSchema, description, 'package.json')
  const { name, version, fogbow: manifest } = description as TypeOf<typeof packageSchema>
  checkPatterns(manifest)

  const conformance = (await readJson(join(root, CONFORMANCE_FILE), {})) as ConformanceFile
  assertValid(conformanceFileSchema, conformance, CONFORMANCE_FILE)
  if (manifest.config)
    assertValid(manifest.config as Schema, conformance.config ?? {}, `${CONFORMANCE_FILE}: config`)

  const definition = await loadDefinition(join(root, manifest.entry))
  return { name, version, manifest, definition, conformance }
}

function checkPatterns({ capabilities }: PluginManifest): void {
  for (const [index, text] of (capabilities?.network ?? []).entries()) {
    const request = parseNetworkRequest(text)
    if (typeof request !== 'string') continue
    throw invalid(`package.json.fogbow.capabilities.network[${index}]`, `'${text}': ${request}`)
  }
}

async function loadDefinition(file: string): Promise<PluginPackage['definition']> {
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
