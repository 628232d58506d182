import { mkdtemp, readFile, realpath, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bundle } from '@fogbow/sandbox'
import {
  type BundleInput,
  buildBundle,
  gateVersion,
  type VendorSchemas,
} from '@fogbow/sandbox/gate'
import { componentsOf } from './fetch/components.ts'
import { installDependencies } from './fetch/dependencies.ts'
import type { FetchedPackage } from './fetch/fetched-package.ts'
import { dependencyFolders } from './fetch/package-folder.ts'
import { unpack, unpackBudget } from './fetch/unpack.ts'
import type { BuildRecord } from './installed/bundle-store.ts'
import { refusal } from './refusal.ts'
import type { InstalledPlugin } from './registry.ts'
import type { Candidate, PackageFile } from './trust/candidate.ts'
import { reportFile } from './trust/conformance-report.ts'
import { signatureFile } from './trust/vendor-signature.ts'
import { type PluginPackage, readPackage } from './verify/package.ts'

export interface BuildOptions {
  sdkVersion: string
  schemas: Pick<VendorSchemas, 'check'>
}

export interface BuiltPlugin {
  plugin: Omit<InstalledPlugin, 'installedAt'>
  bundle: Bundle
  /** All that is known of it but what advisories say, and since when this site has seen it. */
  candidate: Candidate
  /** Scripts that npm would run at installation, and that did not run. */
  installScripts: string[]
  /** For folders only: what to look at to see whether it changed. */
  build?: BuildRecord
}

/** Checks and bundles a folder of this machine; changes nothing that lasts. */
export async function buildFolder(source: string, options: BuildOptions): Promise<BuiltPlugin> {
  const folder = await realpath(source)
  const own = await inputsOf([folder])
  const read = await readPackage(folder, { origin: source, ...options })
  const dependencies = await dependencyFolders(folder)
  const theirs = await inputsOf(dependencies)
  const { inputs, ...bundle } = await buildBundle({
    packageDir: folder,
    entry: read.manifest.entry,
    allowedRoots: dependencies,
  })
  const components = await componentsOf(inputs, { folder, dependencies })
  const origin = { source, sourceKind: 'folder' as const }
  const built = describe(read, bundle, origin, { files: [], components })
  return { ...built, build: { source, gateVersion, inputs: [...own, ...theirs, ...inputs] } }
}

/** Taken before a build reads the files: what is edited meanwhile counts as changed at the next look. */
async function inputsOf(packageFolders: readonly string[]): Promise<BundleInput[]> {
  const paths = packageFolders.map((folder) => join(folder, 'package.json'))
  const found = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)))
  return paths.flatMap((path, index) => {
    const file = found[index]
    return file ? [{ path, size: file.size, mtimeMs: file.mtimeMs }] : []
  })
}

/** Unpacks, checks and bundles a tarball and what it depends on; changes nothing that lasts. */
export async function buildPackage(
  fetched: FetchedPackage,
  options: BuildOptions,
): Promise<BuiltPlugin> {
  // Not below the site: its own node_modules would be found from there.
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'fogbow-plugin-')))
  try {
    return await buildUnpacked(fetched, options, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function buildUnpacked(
  { tarball, dependencies, evidence, expected, ...origin }: FetchedPackage,
  options: BuildOptions,
  folder: string,
): Promise<BuiltPlugin> {
  const budget = unpackBudget()
  const files = await unpack(tarball.bytes, folder, { origin: origin.source, budget })
  const read = await readPackage(folder, { origin: origin.source, ...options })
  refuseOther(read, expected, origin.source)
  const vendorSignature = await readEvidence(folder, files, signatureFile)
  const conformanceReport = await readEvidence(folder, files, reportFile)
  const integrities = await installDependencies(folder, {
    root: folder,
    source: dependencies,
    budget,
  })
  const { inputs, ...bundle } = await buildBundle({
    packageDir: folder,
    entry: read.manifest.entry,
  })
  const components = await componentsOf(inputs, { folder, integrities })
  const { integrity } = tarball
  return describe(
    read,
    bundle,
    { ...origin, integrity },
    {
      ...evidence,
      files,
      components,
      ...(vendorSignature !== undefined && { vendorSignature }),
      ...(conformanceReport !== undefined && { conformanceReport }),
    },
  )
}

/** What a registry calls one package must not be another one inside. */
function refuseOther(
  { name, version }: PluginPackage,
  expected: FetchedPackage['expected'],
  source: string,
): void {
  if (!expected || (expected.name === name && expected.version === version)) return
  const wanted = `${expected.name}@${expected.version}`
  throw refusal(source, `${wanted} was asked for, and its package.json says ${name}@${version}`)
}

/** A signature that is no JSON is one that does not hold, and not one that is absent. */
async function readEvidence(
  folder: string,
  files: readonly PackageFile[],
  file: string,
): Promise<unknown> {
  if (!files.some(({ path }) => path === file)) return undefined
  const text = await readFile(join(folder, file), 'utf8')
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text.slice(0, 1024)
  }
}

type Origin = Pick<InstalledPlugin, 'source' | 'sourceKind' | 'registry' | 'integrity'>
type Evidence = Pick<Candidate, 'files' | 'components'> & Partial<Candidate>

function describe(
  { installScripts, ...read }: PluginPackage,
  bundle: Bundle,
  origin: Origin,
  evidence: Evidence,
): BuiltPlugin {
  const plugin = { ...read, ...origin, hash: bundle.hash }
  const { description: _, ...known } = plugin
  return { plugin, bundle, candidate: { advisories: [], ...evidence, ...known }, installScripts }
}
