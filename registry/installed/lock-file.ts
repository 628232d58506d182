import { readFile } from 'node:fs/promises'
import { FogbowError } from '@fogbow/plugin-sdk'
import { joinPath, validatorFor } from '@fogbow/plugin-sdk/validate'
import type { Generation, LockedPlugin } from '../marketplace.ts'
import { type FirstLockFile, firstLockFileSchema, lockFileSchema } from './lock-schema.ts'

interface LockContent {
  lockfileVersion: 2
  generation: Pick<Generation, 'number' | 'at' | 'by' | 'change' | 'plan'>
  plugins: Record<string, Omit<LockedPlugin, 'name'>>
  settings: Generation['settings']
}

/** Before anything was installed. */
export const noGeneration: Generation = {
  number: 0,
  at: new Date(0).toISOString(),
  by: { id: 'nobody' },
  change: 'nothing was ever installed',
  plugins: [],
  settings: {},
}

/**
 * Reads a lock file, or one of the generations, which look the same.
 * @returns undefined when there is no such file, a sentence that names file and key when it is damaged
 */
export async function readKept(path: string): Promise<Generation | string | undefined> {
  const json = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? undefined : error,
  )
  if (json === undefined) return undefined
  const content = typeof json === 'string' ? parse(json) : json.message
  if (typeof content === 'string') return `${path} cannot be used: ${content}`
  return isFirst(content) ? fromFirst(content) : toGeneration(content)
}

/**
 * As `readKept`, of the lock file.
 * @throws configuration_error naming file and key
 */
export async function readGeneration(path: string): Promise<Generation | undefined> {
  const read = await readKept(path)
  if (typeof read !== 'string') return read
  const remedy = 'restore it from a backup, or move it away and add the plugins again'
  throw new FogbowError('configuration_error', `${read}; ${remedy}`)
}

/** Two lock files differ only where they say something different. */
export function formatGeneration({ plugins, settings, ...generation }: Generation): string {
  const entries = plugins.map(({ name, ...plugin }) => [name, plugin] as const)
  const content: LockContent = {
    lockfileVersion: 2,
    generation,
    plugins: Object.fromEntries(entries),
    settings,
  }
  return `${JSON.stringify(sortKeys(content), undefined, 2)}\n`
}

/** @returns what is wrong with it, where something is */
function parse(json: string): LockContent | FirstLockFile | string {
  let content: unknown
  try {
    content = JSON.parse(json)
  } catch (error) {
    return (error as Error).message
  }
  const version = (content as Partial<LockContent> | null)?.lockfileVersion
  if (version !== 2 && !isFirst(content)) return 'lockfileVersion must be 1 or 2'
  const problem = validatorFor(version === 2 ? lockFileSchema : firstLockFileSchema)(content)
  if (problem) return `${joinPath('', problem.field)} ${problem.message}`
  return content as LockContent | FirstLockFile
}

function isFirst(content: unknown): content is FirstLockFile {
  return (content as FirstLockFile | null)?.lockfileVersion === 1
}

function toGeneration({ generation, plugins, settings }: LockContent): Generation {
  const named = Object.entries(plugins).map(([name, plugin]) => ({ ...plugin, name }))
  return { ...generation, plugins: named.sort(byName), settings }
}

/** Of the time before generations: nobody judged, and nobody was asked. */
function fromFirst({ plugins: written }: FirstLockFile): Generation {
  const plugins = Object.entries(written).map(([name, plugin]): LockedPlugin => {
    const level = plugin.sourceKind === 'npm' ? 'community' : 'local'
    const accepted = { by: 'unknown', at: plugin.installedAt, rights: [] }
    return { ...plugin, name, trust: { level, checks: [] }, accepted, components: [] }
  })
  const at = plugins.map(({ installedAt }) => installedAt).sort()
  return {
    number: 1,
    at: at.at(-1) ?? noGeneration.at,
    by: { id: 'unknown' },
    change: 'what was installed before there were generations',
    plugins: plugins.sort(byName),
    settings: {},
  }
}

export function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, part]) => [key, sortKeys(part)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
