import { join } from 'node:path'
import { type Clock, FogbowError, type Log } from '@fogbow/plugin-sdk'
import { createVendorSchemas, type VendorSchemas } from '@fogbow/sandbox/gate'
import type { BuiltPlugin } from './build-plugin.ts'
import { createBundleFiles } from './bundle-file/bundle-files.ts'
import { createPackageRegistries, type RegistryAccess } from './fetch/registries.ts'
import type { NpmOptions } from './fetch/tarball.ts'
import { rebuild } from './installed/generations.ts'
import { createPluginFolder } from './installed/plugin-folder.ts'
import { isUpToDate } from './installed/up-to-date.ts'
import type { Actor, LockedPlugin } from './marketplace.ts'
import { createAssessor, refusalsOf } from './plan/assess.ts'
import { toLocked } from './plan/draft.ts'
import { createProposals, type Proposal } from './plan/proposal.ts'
import { refusal, rethrow } from './refusal.ts'
import type { InstalledPlugin, Registry } from './registry.ts'
import type { Candidate } from './trust/candidate.ts'
import { createFirstSeen } from './trust/first-seen.ts'
import type { Judge } from './trust/judge.ts'
import { suitsSdk } from './verify/suits.ts'

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
  /** By the name that the configuration gives them. */
  registries?: Readonly<Record<string, RegistryAccess>>
  /** What the policy says of a version; absent: every one may be installed, and none is trusted more than its source. */
  judge?: Judge
  /** Folder of the plugins that come with the site. */
  officialFolder?: string
  /** How many generations stay, the present one included. */
  keepGenerations?: number
}

const unknownActor: Actor = { id: 'site' }

export function createRegistry(options: RegistryOptions): Registry {
  const { directory, sdkVersion, log, clock = Date, judge = bySource } = options
  const schemas = options.schemas ?? createVendorSchemas()
  const cache = join(directory, 'cache')
  const registries = createPackageRegistries({ cache, ...options.npm }, options.registries)
  const folder = createPluginFolder({ ...options, clock, log })
  const firstSeen = createFirstSeen(join(directory, 'first-seen.json'), clock)
  const assessor = createAssessor({ ...options, judge, firstSeen })
  const build = { sdkVersion, schemas, registries, clock }
  const bundleFiles = createBundleFiles(build)
  const proposals = createProposals({ ...build, bundleFiles, assessor, firstSeen })
  const { store, alone } = folder

  async function find(name: string): Promise<LockedPlugin | undefined> {
    return (await folder.current()).plugins.find((plugin) => plugin.name === name)
  }

  async function installed(name: string): Promise<LockedPlugin> {
    const plugin = await find(name)
    if (!plugin) throw new FogbowError('not_found', `No plugin '${name}' is installed`)
    return plugin
  }

  async function put(
    { built, candidate, verdict }: Proposal,
    by: Actor,
    change: string,
  ): Promise<LockedPlugin> {
    const { name, version, source } = built.plugin
    const [problem] = refusalsOf(name, version, verdict)
    if (problem !== undefined) throw refusal(`${name}@${version}`, problem)
    const plugin = toLocked({ built, verdict }, by, new Date(clock.now()).toISOString())
    const { plugins, settings } = await folder.current()
    refuseOtherRegistry(plugin, plugins)
    const rest = plugins.filter((one) => one.name !== name)
    await store.put(plugin, built.bundle, { candidate, ...(built.build && { build: built.build }) })
    await folder.commit({
      by,
      change: `${change} ${name}@${version}`,
      plugins: [...rest, plugin],
      settings,
    })
    await folder.sweep()
    log?.info('Plugin installed', { plugin: name, version, source })
    return plugin
  }

  async function install(source: string, by: Actor): Promise<LockedPlugin> {
    const proposal = await proposals.of(source, await folder.current())
    const { name } = proposal.built.plugin
    const scripts = proposal.built.installScripts.join(', ')
    if (scripts) log?.warn('Install scripts of a plugin are not run', { plugin: name, scripts })
    return put(proposal, by, 'install')
  }

  async function rebuilt(name: string): Promise<LockedPlugin> {
    const plugin = await installed(name)
    if (await isUpToDate(plugin, store)) return plugin
    const proposal = await proposals.of(plugin.source, await folder.current())
    refuseOther(proposal.built, name, plugin.source)
    return put(proposal, unknownActor, rebuild)
  }

  return {
    install: (source, by = unknownActor) =>
      alone(() => install(source, by)).catch(rethrow(`Installing '${source}'`)),
    list: async () => (await folder.current()).plugins,
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
    remove: (name, by = unknownActor) =>
      alone(async () => {
        const plugin = await installed(name)
        const { plugins, settings } = await folder.current()
        const rest = plugins.filter((other) => other.name !== name)
        await folder.commit({ by, change: `remove ${name}`, plugins: rest, settings })
        await folder.sweep()
        log?.info('Plugin removed', { plugin: name, version: plugin.version })
        return plugin
      }).catch(rethrow(`Removing plugin '${name}'`)),
  }
}

async function bySource({ isBundled, sourceKind }: Candidate) {
  const level = isBundled ? 'official' : sourceKind === 'npm' ? 'community' : 'local'
  return { level, checks: [], refusals: [] } as const satisfies Awaited<ReturnType<Judge>>
}

/** That needs to be accepted, and here nobody is asked. */
function refuseOtherRegistry(
  { name, registry }: LockedPlugin,
  plugins: readonly LockedPlugin[],
): void {
  const before = plugins.find((plugin) => plugin.name === name)?.registry
  if (before === undefined || registry === undefined || before === registry) return
  const problem = `it came from registry '${before}' and would come from '${registry}' now`
  throw refusal(name, `${problem}; plan the change, and accept that`)
}

function refuseOther({ plugin }: BuiltPlugin, expected: string, source: string): void {
  if (plugin.name === expected) return
  const problem = `holds package '${plugin.name}' now; add it again, or remove '${expected}'`
  throw new FogbowError('configuration_error', `Plugin '${expected}': ${source} ${problem}`)
}

function otherSdk({ name, version, manifest }: InstalledPlugin, sdkVersion: string): FogbowError {
  const message = `Plugin '${name}' ${version} needs SDK ${manifest.sdk}, but this site has ${sdkVersion}; install a version made for it`
  return new FogbowError('configuration_error', message)
}
