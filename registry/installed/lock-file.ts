import { readFile } from 'node:fs/promises'
import { FogbowError, manifestSchema, schema } from '@fogbow/plugin-sdk'
import { joinPath, validatorFor } from '@fogbow/plugin-sdk/validate'
import type { InstalledPlugin } from '../registry.ts'
import { replaceFile } from './durable-file.ts'

/** What is installed: the one truth, of which everything else in the folder is but the contents. */
export interface LockFile {
  /** Ordered by name. */
  read(): Promise<InstalledPlugin[]>
  write(plugins: readonly InstalledPlugin[]): Promise<void>
}

const text = { type: 'string' } as const

const lockSchema = schema({
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
        required: [
          'version',
          'description',
          'license',
          'hash',
          'source',
          'sourceKind',
          'installedAt',
          'manifest',
        ],
        properties: {
          description: text,
          hash: { type: 'string', pattern: '^[0-9a-f]{64}$' },
          installedAt: text,
          integrity: text,
          license: text,
          manifest: manifestSchema,
          source: text,
          sourceKind: { type: 'string', enum: ['folder', 'tarball', 'npm'] },
          version: text,
        },
      },
    },
  },
})

interface LockContent {
  lockfileVersion: 1
  plugins: Record<string, Omit<InstalledPlugin, 'name'>>
}

export function createLockFile(path: string): LockFile {
  return {
    async read() {
      const json = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw damaged(path, error.message)
      })
      if (json === undefined) return []
      const { plugins } = parse(path, json)
      return Object.entries(plugins)
        .map(([name, plugin]) => ({ name, ...plugin }))
        .sort(byName)
    },
    write(plugins) {
      const entries = plugins.toSorted(byName).map(({ name, ...plugin }) => [name, plugin] as const)
      const content: LockContent = { lockfileVersion: 1, plugins: Object.fromEntries(entries) }
      return replaceFile(path, `${JSON.stringify(sortKeys(content), undefined, 2)}\n`)
    },
  }
}

function parse(path: string, json: string): LockContent {
  let content: unknown
  try {
    content = JSON.parse(json)
  } catch (error) {
    throw damaged(path, (error as Error).message)
  }
  const problem = validatorFor(lockSchema)(content)
  if (problem) throw damaged(path, `${joinPath('', problem.field)} ${problem.message}`)
  return content as LockContent
}

function damaged(path: string, problem: string): FogbowError {
  const remedy = 'restore it from a backup, or move it away and add the plugins again'
  return new FogbowError('configuration_error', `${path} cannot be used: ${problem}; ${remedy}`)
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1
}

/** So that two lock files differ only where they say something different. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, part]) => [key, sortKeys(part)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
