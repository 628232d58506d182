import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, FogbowError, type Log } from '@fogbow/plugin-sdk'
import { createVendorSchemas, type VendorSchemas } from '@fogbow/sandbox/gate'
import { buildPlugin } from './build-plugin.ts'
import type { NpmOptions } from './fetch/tarball.ts'
import { createBundleStore } from './installed/bundle-store.ts'
import { createExclusive } from './installed/exclusive.ts'
import { createLockFile } from './installed/lock-file.ts'
import { isUpToDate } from './installed/up-to-date.ts'
import type { InstalledPlugin, Registry } from './registry.ts'
import { suitsSdk } from './verify/package.ts'

export interface RegistryOptions {
  /** Absolute folder for store, lock file and staging; made when absent. */
  directory: string
  /** Version of the SDK that plugins get. */
  sdkVersion: string
  /** Where configuration schemas are checked; one of its own when absent. */
  schemas?: Pick<VendorSchemas, 'check'>
  log?: Pick<Log, 'info' | 'warn'>
  clock?: Pick<Clock, 'now'>
  /** Passed to the npm registry client, such as `registry` or `//host/:_authToken`. */
  npm?: NpmOptions
}

export function createRegistry(options: RegistryOptions): Registry {
  const { directory, sdkVersion, schemas = createVendorSchemas(), log, clock = Date } = options
  const staging = join(directory, 'staging')
  const store = createBundleStore(join(directory, 'store'), staging)
  const lock = createLockFile(join(directory, 'plugins.lock.json'))
  const exclusive = createExclusive(join(directory, 'registry.lock'))
  const npm = { cache: join(directory, 'cache'), ...options.npm }

  /** Alone in the folder: whatever lies in staging was left by a process that died. */
  async function alone<T>(work: () => Promise<T>): Promise<T> {
    await mkdir(directory, { recursive: true })
    return exclusive(async () => {
      await rm(staging, { recursive: true, force: true })
      await mkdir(staging)
      try {
        return await work()
      } finally {
        await rm(staging, { recursive: true, force: true })
      }
    })
  }

  async function find(name: string): Promise<InstalledPlugin | undefined> {
    return (await lock.read()).find((plugin) => plugin.name === name)
  }

  async function installed(name: string): Promise<InstalledPlugin> {
    const plugin = await find(name)
    if (!plugin) throw new FogbowError('not_found', `No plugin '${name}' is installed`)
    return plugin
  }

  /** @param expected - name that the source must have */
  async function replace(source: string, expected?: string): Promise<InstalledPlugin> {
    const before = await lock.read()
    const built = await buildPlugin({ source, sdkVersion, npm, schemas, log })
    const plugin = { ...built.plugin, installedAt: new Date(clock.now()).toISOString() }
    if (expected !== undefined && plugin.name !== expected) {
      const problem = `holds package '${plugin.name}' now; add it again, or remove '${expected}'`
      throw new FogbowError('configuration_error', `Plugin '${expected}': ${source} ${problem}`)
    }
    const after = [...before.filter(({ name }) => name !== plugin.name), plugin]
    await store.put(plugin, built.bundle, built.build)
    await lock.write(after)
    // Each edit of a folder makes a bundle that nobody goes back to.
    const old = before.find(({ name }) => name === plugin.name)
    if (old?.sourceKind === 'folder' && !after.some(({ hash }) => hash === old.hash)) {
      await store.discard(old.hash)
    }
    log?.info('Plugin installed', { plugin: plugin.name, version: plugin.version, source })
    return plugin
  }

  async function rebuilt(name: string): Promise<InstalledPlugin> {
    const plugin = await installed(name)
    return (await isUpToDate(plugin, store)) ? plugin : replace(plugin.source, name)
  }

  return {
    install: (source) => alone(() => replace(source)).catch(rethrow(`Installing '${source}'`)),
    list: () => lock.read(),
    find,
    async load(name) {
      let plugin = await installed(name)
      if (plugin.sourceKind === 'folder' && !(await isUpToDate(plugin, store))) {
        const work = () => rebuilt(name)
        plugin = await alone(work).catch(rethrow(`Building plugin '${name}' anew`))
      }
      if (!suitsSdk(plugin.manifest.sdk, sdkVersion)) throw otherSdk(plugin, sdkVersion)
      return { plugin, bundle: await store.read(plugin) }
    },
    remove: (name) =>
      alone(async () => {
        const plugin = await installed(name)
        const rest = (await lock.read()).filter((other) => other.name !== name)
        await lock.write(rest)
        await store.keepOnly(new Set(rest.map(({ hash }) => hash)))
        log?.info('Plugin removed', { plugin: name, version: plugin.version })
        return plugin
      }).catch(rethrow(`Removing plugin '${name}'`)),
  }
}

function otherSdk({ name, version, manifest }: InstalledPlugin, sdkVersion: string): FogbowError {
  const message = `Plugin '${name}' ${version} needs SDK ${manifest.sdk}, but this site has ${sdkVersion}; install a version made for it`
  return new FogbowError('configuration_error', message)
}

/** What is not of the catalogue comes from the system: no space, no access. Nothing was switched then. */
function rethrow(action: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof FogbowError) throw error
    const message = `${action} failed, nothing was changed: ${(error as Error).message}`
    throw new FogbowError('internal_error', message, { cause: error })
  }
}
