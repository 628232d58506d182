import { readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isPackageName } from './package-name.ts'

/**
 * Finds the folder of an installed package or workspace as Node resolves its name: `node_modules` beside
 * `fromDirectory`, then beside each of its parents.
 * @returns its real path; undefined when there is none, or when the name is not one of a package
 */
export async function resolvePackageFolder(
  name: string,
  fromDirectory: string,
): Promise<string | undefined> {
  if (!isPackageName(name)) return undefined
  for (let directory = fromDirectory; ; directory = dirname(directory)) {
    const manifest = join(directory, 'node_modules', name, 'package.json')
    const found = await realpath(manifest).catch(() => undefined)
    if (found) return dirname(found)
    if (directory === dirname(directory)) return undefined
  }
}

/**
 * Folders of everything that a package may bundle beside its own files: the dependencies it declares, and theirs.
 * What is not installed is left out; the bundler names it if it is needed.
 */
export async function dependencyFolders(packageDir: string): Promise<string[]> {
  const found = new Set<string>()
  const open = [packageDir]
  for (let folder = open.pop(); folder; folder = open.pop()) {
    for (const name of await declaredDependencies(folder)) {
      const dependency = await resolvePackageFolder(name, folder)
      if (!dependency || found.has(dependency) || dependency === packageDir) continue
      found.add(dependency)
      open.push(dependency)
    }
  }
  return [...found]
}

async function declaredDependencies(folder: string): Promise<string[]> {
  const content: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const { dependencies, optionalDependencies, peerDependencies } = content as DependencyFields
  const all = { ...dependencies, ...optionalDependencies, ...peerDependencies }
  return Object.keys(all).filter((name) => name !== '@fogbow/plugin-sdk')
}

interface DependencyFields {
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
}
