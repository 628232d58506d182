import { dirname, isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { asFogbowError, FogbowError, pluginKinds } from '@fogbow/plugin-sdk'
import { completerFor, joinPath } from '@fogbow/plugin-sdk/validate'
import { cosmiconfig } from 'cosmiconfig'
import { identitySources, sourceKey, sourceProblem, sourceSlots } from './identity-sources.ts'
import { checkMarketplace } from './marketplace-schema.ts'
import { networkProblem } from './network-values.ts'
import { placementProblem } from './placement-schema.ts'
import { DATA_DIR, type SiteConfig, siteConfigSchema } from './schema.ts'

export interface LoadedConfig {
  config: SiteConfig
  /** The file it came from; relative paths in it start at its folder. */
  file: string
  folder: string
  /** Absolute. */
  dataDir: string
  /** What the file itself says, before anything completed it. */
  written: unknown
}

export interface ConfigSource {
  /** Overrides the search for `fogbow.config.*` upwards from `cwd`. FOGBOW_CONFIG does the same. */
  file?: string
  env: NodeJS.ProcessEnv
  cwd: string
  port?: number
  dataDir?: string
  /** What completes the file before it is checked: settings that were made elsewhere and are kept in the data directory. */
  complete?: (written: unknown, dataDir: string) => Promise<unknown>
}

const searchPlaces = [
  'fogbow.config.ts',
  'fogbow.config.mjs',
  'fogbow.config.js',
  'fogbow.config.json',
  'fogbow.config.yaml',
]

/**
 * Finds, reads and checks the configuration of a site; the environment overrides port and data directory.
 * @throws configuration_error in one line that names the file and the key
 */
export async function loadConfig(source: ConfigSource): Promise<LoadedConfig> {
  const { file, written } = await read(source)
  const folder = dirname(file)
  const dataDir = findDataDir(source, written, folder)
  const config = check((await source.complete?.(written, dataDir)) ?? written, file)
  const port = source.port ?? toPort(source.env.PORT)
  if (port !== undefined) config.http.port = port
  return {
    config,
    file,
    folder,
    dataDir,
    written,
  }
}

/** Needed before the file was checked; one that is no text is refused then. */
function findDataDir({ dataDir, env, cwd }: ConfigSource, written: unknown, folder: string) {
  const named = dataDir ?? env.FOGBOW_DATA_DIR
  if (named !== undefined) return resolve(cwd, named)
  const inFile = (written as Partial<SiteConfig> | null)?.dataDir
  return resolve(folder, typeof inFile === 'string' && inFile ? inFile : DATA_DIR)
}

/** Where a secret reference of the configuration points to, as an absolute reference. */
export function resolveReference(
  reference: string,
  loaded: Pick<LoadedConfig, 'folder' | 'dataDir'>,
): string {
  if (!reference.startsWith('file:')) return reference
  const path = reference.slice('file:'.length).replace('{dataDir}', loaded.dataDir)
  return `file:${isAbsolute(path) ? path : join(loaded.folder, path)}`
}

async function read(source: ConfigSource): Promise<{ file: string; written: unknown }> {
  const explorer = cosmiconfig('fogbow', {
    searchPlaces,
    searchStrategy: 'global',
    stopDir: '/',
    cache: false,
    loaders: { '.ts': importFresh, '.mjs': importFresh, '.js': importFresh },
  })
  const named = source.file ?? source.env.FOGBOW_CONFIG
  try {
    const found = named
      ? await explorer.load(resolve(source.cwd, named))
      : await explorer.search(source.cwd)
    if (found && !found.isEmpty) return { file: found.filepath, written: found.config }
    throw new Error(
      found
        ? 'the file is empty'
        : `no fogbow.config.ts in ${source.cwd} or above; FOGBOW_CONFIG names one`,
    )
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
    throw new FogbowError(
      'configuration_error',
      `Configuration ${named ?? ''}: ${problem}`.replace(' :', ':'),
      { cause },
    )
  }
}

/** Modules are kept by their URL: without a new one each time, a reload would see the old file. */
async function importFresh(file: string): Promise<unknown> {
  const module = await import(`${pathToFileURL(file).href}?read=${process.hrtime.bigint()}`)
  return module.default ?? module
}

function check(written: unknown, file: string): SiteConfig {
  const config = structuredClone(written) as SiteConfig
  const problem = completerFor(siteConfigSchema)(config)
  if (problem) throw wrong(file, problem.field, problem.message)
  const sources = sourceProblem(config)
  if (sources) throw wrong(file, sources.key, sources.message)
  checkReferences(config, file)
  const network = networkProblem(config)
  if (network) throw wrong(file, network.key, network.message)
  const placement = placementProblem(config)
  if (placement) throw wrong(file, placement.key, placement.message)
  checkTrust(config, file)
  return config
}

function checkReferences(config: SiteConfig, file: string): void {
  for (const source of identitySources(config)) {
    for (const slot of sourceSlots)
      checkPlugin(config, source[slot], sourceKey(config, source.name, slot), file)
  }
  checkPlugin(config, config.aaa.authorization, 'aaa.authorization', file)
  for (const [cloud, settings] of Object.entries(config.clouds)) {
    checkPlugin(config, settings.plugin, `clouds.${cloud}.plugin`, file)
    checkPlugin(config, settings.mapper, `clouds.${cloud}.mapper`, file)
    for (const [kind, plugin] of Object.entries(settings.kinds)) {
      if (!pluginKinds.includes(kind))
        throw wrong(
          file,
          `clouds.${cloud}.kinds.${kind}`,
          `is no plugin kind; kinds are ${pluginKinds.join(', ')}`,
        )
      checkPlugin(config, plugin, `clouds.${cloud}.kinds.${kind}`, file)
    }
  }
}

function checkTrust(config: SiteConfig, file: string): void {
  try {
    checkMarketplace(config.marketplace)
  } catch (cause) {
    const { message, details } = asFogbowError(cause)
    throw new FogbowError('configuration_error', `${file}: ${message}`, { cause, details })
  }
}

function checkPlugin(config: SiteConfig, name: string, key: string, file: string): void {
  if (Object.hasOwn(config.plugins, name)) return
  throw wrong(
    file,
    key,
    `no plugin is named '${name}'; plugins are ${Object.keys(config.plugins).join(', ')}`,
  )
}

function wrong(file: string, key: string, message: string): FogbowError {
  return new FogbowError(
    'configuration_error',
    `${file}: ${joinPath('', key) || 'the configuration'} ${message}`,
    {
      details: { field: key },
    },
  )
}

function toPort(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port
  throw new FogbowError('configuration_error', `PORT: '${text}' is no port number (0 to 65535)`)
}
