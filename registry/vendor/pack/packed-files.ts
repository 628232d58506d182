import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { FogbowError } from '@fogbow/plugin-sdk'
import packlist from 'npm-packlist'
import { reportFile } from '../../trust/conformance-report.ts'
import { signatureFile } from '../../trust/vendor-signature.ts'

/** Content by path inside the package. */
export type PackedFiles = Map<string, Buffer>

/** Bill of materials, CycloneDX; beside the signature in a packed plugin. */
export const sbomFile = 'fogbow.sbom.json'

/** What `pack` adds by itself. */
const added: readonly string[] = [signatureFile, sbomFile, reportFile]

/** Of dependencies that are packed along, which only an installed tree has. */
const noEdges = new Map<string, never>()

/**
 * What npm would pack of a folder: `files`, `.npmignore` and its own rules; without what an earlier `pack` added, and
 * without `bundleDependencies`, which sites fetch themselves.
 */
export async function packedFiles(folder: string): Promise<PackedFiles> {
  const fields = await readPackageJson(folder)
  const tree = { path: folder, package: fields, isProjectRoot: true as const, edgesOut: noEdges }
  const paths = await packlist(tree)
  const own = paths.filter((path) => !added.includes(path))
  return readAll(folder, own)
}

/** Everything in a folder but what is installed in it. */
export async function allFiles(folder: string): Promise<PackedFiles> {
  const paths: string[] = []
  const open = [folder]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const entry of await readdir(at, { withFileTypes: true })) {
      const path = join(at, entry.name)
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) open.push(path)
      if (entry.isFile()) paths.push(relative(folder, path).split(sep).join('/'))
    }
  }
  return readAll(folder, paths)
}

const SKIPPED = new Set(['node_modules', '.git'])

async function readAll(folder: string, paths: readonly string[]): Promise<PackedFiles> {
  const files: PackedFiles = new Map()
  for (const path of [...paths].sort(byCode)) files.set(path, await readFile(join(folder, path)))
  return files
}

export function byCode(a: string, b: string): number {
  return a < b ? -1 : 1
}

/** @throws configuration_error naming the folder */
export async function readPackageJson(folder: string): Promise<Record<string, unknown>> {
  try {
    const fields: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    if (typeof fields === 'object' && fields !== null) return fields as Record<string, unknown>
    throw new TypeError('it is no object')
  } catch (error) {
    const problem = `${join(folder, 'package.json')}: ${(error as Error).message}`
    throw new FogbowError('configuration_error', problem, { cause: error })
  }
}
