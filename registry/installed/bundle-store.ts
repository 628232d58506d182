import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { Bundle } from '@fogbow/sandbox'
import type { BundleInput } from '@fogbow/sandbox/gate'
import type { InstalledPlugin } from '../registry.ts'
import type { Candidate } from '../trust/candidate.ts'
import { replaceFile, syncFolder, writeSynced } from './durable-file.ts'

/** What a bundle was made of, kept beside bundles of folders to see whether they are still up to date. */
export interface BuildRecord {
  source: string
  gateVersion: string
  inputs: BundleInput[]
}

/** What names a bundle in the store, and in messages. */
export type BundleName = Pick<InstalledPlugin, 'name' | 'version' | 'hash' | 'source'>

/** What is kept beside a bundle. */
export interface BundleRecords {
  build?: BuildRecord
  /** All that spoke for it, to judge it again without asking anybody. */
  candidate?: Candidate
}

/** Bundles by their hash. A folder of the store is complete from the moment it has its name. */
export interface BundleStore {
  put(plugin: InstalledPlugin, bundle: Bundle, records: BundleRecords): Promise<void>
  /** @throws configuration_error when the bundle is missing or is not what was checked */
  read(plugin: BundleName): Promise<Bundle>
  buildRecord(plugin: InstalledPlugin): Promise<BuildRecord | undefined>
  /** What came with the same bytes from the same place; undefined when it was not kept, or cannot be read. */
  candidate(plugin: InstalledPlugin): Promise<Candidate | undefined>
  /** Removes every bundle whose hash is not among these. */
  keepOnly(hashes: ReadonlySet<string>): Promise<void>
}

/**
 * @param folder - holds one folder per hash
 * @param stagingFolder - on the same file system
 */
export function createBundleStore(folder: string, stagingFolder: string): BundleStore {
  return {
    async put(plugin, bundle, records) {
      const place = join(folder, bundle.hash)
      const files = describe(plugin, records)
      if ((await hashOf(join(place, 'bundle.js'))) === bundle.hash) {
        for (const [name, text] of files) await replaceFile(join(place, name), text)
        return
      }
      const staged = join(stagingFolder, randomUUID())
      await stage(staged, [['bundle.js', bundle.code], ...files])
      await mkdir(folder, { recursive: true })
      // Present but not intact: out of the way, or the rename would fail.
      await rename(place, join(stagingFolder, randomUUID())).catch(ignoreAbsence)
      await rename(staged, place)
      await syncFolder(folder)
    },
    async read(plugin) {
      const path = join(folder, plugin.hash, 'bundle.js')
      const code = await readFile(path, 'utf8').catch(() => undefined)
      if (code === undefined) throw unusable(plugin, `${path} cannot be read`)
      const actual = sha256(code)
      if (actual === plugin.hash) return { code, hash: plugin.hash }
      throw unusable(plugin, `${path} was changed after it was checked (SHA-256 is ${actual})`)
    },
    async buildRecord(plugin) {
      const record = await readJson<BuildRecord>(join(folder, plugin.hash, 'inputs.json'))
      return Array.isArray(record?.inputs) ? (record as BuildRecord) : undefined
    },
    async candidate(plugin) {
      const candidate = await readJson<Candidate>(join(folder, plugin.hash, evidenceFile(plugin)))
      return Array.isArray(candidate?.files) ? (candidate as Candidate) : undefined
    },
    async keepOnly(hashes) {
      for (const name of await readdir(folder).catch(() => [])) {
        if (!hashes.has(name)) await rm(join(folder, name), { recursive: true, force: true })
      }
    },
  }
}

function describe(
  plugin: InstalledPlugin,
  { build, candidate }: BundleRecords,
): [string, string][] {
  const files: [string, string][] = [['plugin.json', `${JSON.stringify(plugin, undefined, 2)}\n`]]
  if (build) files.push(['inputs.json', JSON.stringify(build)])
  if (candidate) files.push([evidenceFile(plugin), JSON.stringify(candidate)])
  return files
}

/** Equal bundles may come from several places, and each has evidence of its own. */
function evidenceFile({ name, version, source, registry, integrity }: InstalledPlugin): string {
  const origin = sha256(JSON.stringify([name, version, source, registry, integrity]))
  return `evidence-${origin.slice(0, 16)}.json`
}

async function stage(folder: string, files: readonly (readonly [string, string])[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [name, text] of files) await writeSynced(join(folder, name), text)
  await syncFolder(folder)
}

async function hashOf(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : sha256(text)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** A record that cannot be read counts as none: the bundle is made anew, or judged without that evidence. */
async function readJson<Content>(path: string): Promise<Partial<Content> | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Partial<Content>
  } catch {
    return undefined
  }
}

function unusable(plugin: BundleName, problem: string): FogbowError {
  const message = `Plugin '${plugin.name}' ${plugin.version} is not started: ${problem}. Add it again from '${plugin.source}'`
  return new FogbowError('configuration_error', message)
}

function ignoreAbsence(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
