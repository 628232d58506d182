import { mkdtemp, realpath, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log } from '@fogbow/plugin-sdk'
import type { Bundle } from '@fogbow/sandbox'
import {
  type BundleInput,
  buildBundle,
  gateVersion,
  type VendorSchemas,
} from '@fogbow/sandbox/gate'
import { installDependencies } from './fetch/dependencies.ts'
import { dependencyFolders } from './fetch/package-folder.ts'
import { sourceKind } from './fetch/source.ts'
import {
  downloadTarball,
  findVersion,
  type NpmOptions,
  readTarball,
  type Tarball,
} from './fetch/tarball.ts'
import { unpack, unpackBudget } from './fetch/unpack.ts'
import type { BuildRecord } from './installed/bundle-store.ts'
import type { InstalledPlugin } from './registry.ts'
import { type PluginPackage, readPackage } from './verify/package.ts'

interface BuildOptions {
  source: string
  sdkVersion: string
  npm: NpmOptions
  schemas: Pick<VendorSchemas, 'check'>
  log?: Pick<Log, 'info' | 'warn'> | undefined
}

interface BuiltPlugin {
  plugin: Omit<InstalledPlugin, 'installedAt'>
  bundle: Bundle
  /** For folders only: what to look at to see whether it changed. */
  build?: BuildRecord
}

/** Fetches, checks and bundles a plugin; changes nothing that lasts. */
export async function buildPlugin(options: BuildOptions): Promise<BuiltPlugin> {
  switch (await sourceKind(options.source)) {
    case 'folder':
      return buildFolder(options)
    case 'tarball':
      return buildTarball(options, await readTarball(options.source), 'tarball')
    case 'npm': {
      const version = await findVersion(options.source, options.npm)
      return buildTarball(options, await downloadTarball(version, options.npm), 'npm')
    }
  }
}

async function buildFolder({ source, sdkVersion, schemas }: BuildOptions): Promise<BuiltPlugin> {
  const folder = await realpath(source)
  const own = await inputsOf([folder])
  const read = await readPackage(folder, { origin: source, sdkVersion, schemas })
  const dependencies = await dependencyFolders(folder)
  const theirs = await inputsOf(dependencies)
  const { inputs, ...bundle } = await buildBundle({
    packageDir: folder,
    entry: read.manifest.entry,
    allowedRoots: dependencies,
  })
  const plugin = describe(read, { source, sourceKind: 'folder', hash: bundle.hash })
  return { plugin, bundle, build: { source, gateVersion, inputs: [...own, ...theirs, ...inputs] } }
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

async function buildTarball(
  options: BuildOptions,
  tarball: Tarball,
  kind: 'tarball' | 'npm',
): Promise<BuiltPlugin> {
  // Not below the site: its own node_modules would be found from there.
  const folder = await mkdtemp(join(tmpdir(), 'fogbow-plugin-'))
  try {
    return await buildUnpacked(options, tarball, kind, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function buildUnpacked(
  { source, sdkVersion, npm, schemas, log }: BuildOptions,
  { bytes, integrity }: Tarball,
  kind: 'tarball' | 'npm',
  folder: string,
): Promise<BuiltPlugin> {
  const budget = unpackBudget()
  await unpack(bytes, folder, { origin: source, budget })
  const read = await readPackage(folder, { origin: source, sdkVersion, schemas })
  if (read.installScripts.length > 0) {
    const scripts = read.installScripts.join(', ')
    log?.warn('Install scripts of a plugin are not run', { plugin: read.name, scripts })
  }
  await installDependencies(folder, { root: folder, npm, budget })
  const { inputs: _, ...bundle } = await buildBundle({
    packageDir: folder,
    entry: read.manifest.entry,
  })
  const plugin = describe(read, { source, sourceKind: kind, hash: bundle.hash })
  return { plugin: { ...plugin, integrity }, bundle }
}

function describe(
  { installScripts: _, ...read }: PluginPackage,
  origin: Pick<InstalledPlugin, 'source' | 'sourceKind' | 'hash'>,
): BuiltPlugin['plugin'] {
  return { ...read, ...origin }
}
