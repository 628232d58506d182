import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { satisfies } from 'semver'
import { refusal } from '../refusal.ts'
import type { DependencySource } from './dependency-source.ts'
import { isPackageName } from './package-name.ts'
import { type UnpackBudget, unpack } from './unpack.ts'

interface Tree {
  /** Folder of the plugin's package; nothing is looked up above it. */
  root: string
  source: DependencySource
  budget: UnpackBudget
}

interface DependencyFields {
  version?: string
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  peerDependenciesMeta?: Record<string, { optional?: boolean }>
}

/**
 * Downloads what an unpacked package depends on and did not bring along, each into the `node_modules` of the one that
 * asked for it, unless a version that suits is there further up. Optional dependencies are left out: they hold
 * native code, and packages work without them. Nothing is executed.
 * @returns integrity of what was downloaded, by its folder
 */
export async function installDependencies(
  folder: string,
  tree: Tree,
  integrities = new Map<string, string>(),
): Promise<Map<string, string>> {
  const missing = await missingDependencies(folder, tree)
  for (const [name, range] of missing) {
    const found = await tree.source.fetch(`${name}@${range}`)
    const target = join(folder, 'node_modules', name)
    await mkdir(target, { recursive: true })
    const origin = `${found.name}@${found.version}`
    await unpack(found.tarball.bytes, target, { origin, budget: tree.budget })
    integrities.set(target, found.tarball.integrity)
  }
  // After its siblings are in place, so that they serve each other.
  for (const [name] of missing) {
    await installDependencies(join(folder, 'node_modules', name), tree, integrities)
  }
  return integrities
}

async function missingDependencies(folder: string, { root }: Tree): Promise<[string, string][]> {
  const missing: [string, string][] = []
  for (const [name, range] of Object.entries(await declared(folder))) {
    if (name === '@fogbow/plugin-sdk') continue
    if (!isPackageName(name) || !isFromRegistry(range)) {
      const problem = `package.json: dependencies.${name} is '${range}'; only npm registries are asked`
      throw refusal(folder, problem)
    }
    if (!(await isPresent(name, range, folder, root))) missing.push([name, range])
  }
  return missing
}

async function declared(folder: string): Promise<Record<string, string>> {
  const fields = (await readFields(folder)) ?? {}
  const { dependencies = {}, peerDependencies = {}, optionalDependencies = {} } = fields
  const isNeeded = ([name]: [string, string]) =>
    !(name in optionalDependencies) && fields.peerDependenciesMeta?.[name]?.optional !== true
  return Object.fromEntries(
    Object.entries({ ...peerDependencies, ...dependencies }).filter(isNeeded),
  )
}

/** Not a file, link, git repository or address. */
function isFromRegistry(range: unknown): boolean {
  return typeof range === 'string' && (range.startsWith('npm:') || !/[:/]/.test(range))
}

async function isPresent(
  name: string,
  range: string,
  folder: string,
  root: string,
): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await readFields(join(at, 'node_modules', name))
    // What a package brought along is what its author wants, whatever the range says.
    if (found) return at === folder || satisfies(found.version ?? '', range)
    if (at === root) return false
  }
}

async function readFields(folder: string): Promise<DependencyFields | undefined> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as DependencyFields
  } catch (error) {
    throw refusal(folder, `package.json is no JSON: ${(error as Error).message}`, error)
  }
}
