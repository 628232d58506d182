import { join } from 'node:path'
import type { Clock, Log } from '@fogbow/plugin-sdk'
import type { VendorSchemas } from '@fogbow/sandbox/gate'
import { createBundleFiles, type EvidenceSource } from './bundle-file/bundle-files.ts'
import { createPackageRegistries, type RegistryAccesses } from './fetch/registries.ts'
import type { NpmOptions } from './fetch/tarball.ts'
import { inTurn } from './installed/in-turn.ts'
import { createPluginFolder } from './installed/plugin-folder.ts'
import type { HeededRevocation, Marketplace } from './marketplace.ts'
import type { AdvisorySource } from './plan/advisories.ts'
import { applyPlan } from './plan/apply.ts'
import { createAssessor } from './plan/assess.ts'
import { findDrift } from './plan/drift.ts'
import { checkPresent, type SettingsByInstance } from './plan/instance-settings.ts'
import { createNewerVersions } from './plan/newer-versions.ts'
import { createPlanner } from './plan/planner.ts'
import { createProposals } from './plan/proposal.ts'
import { rethrow } from './refusal.ts'
import { createFirstSeen } from './trust/first-seen.ts'
import type { Judge } from './trust/judge.ts'

export interface MarketplaceOptions {
  /** Absolute folder, the same as that of `createRegistry`; made when absent. */
  directory: string
  /** Version of the SDK that plugins get. */
  sdkVersion: string
  schemas: Pick<VendorSchemas, 'check' | 'complete'>
  /** What the policy says of one version; asked when a plan is made and again when it is applied. */
  judge: Judge
  find: Pick<Marketplace, 'search' | 'about'> & {
    evidenceFor?: EvidenceSource
    /** The newest version that suits, by catalogues that were read before. */
    newestListed?(packageName: string): Promise<string | undefined>
  }
  /** Of npm's client, for every registry. */
  npm?: NpmOptions
  /** A function where they may change. */
  registries?: RegistryAccesses | (() => RegistryAccesses)
  /** Known weaknesses; throws when nobody can be asked. */
  advisories?: AdvisorySource
  revocations?: () => Promise<HeededRevocation[]>
  refresh?: Marketplace['refresh']
  /** Plugin instances as the configuration file has them, `package` being the name of the npm package. */
  configured?: () => Promise<SettingsByInstance>
  /** Folder of the plugins that come with the site. */
  officialFolder?: string
  /** How many generations stay, the present one included. */
  keepGenerations?: number
  /** How long a plan waits to be accepted. */
  planDays?: number
  log?: Pick<Log, 'info' | 'warn'>
  clock?: Pick<Clock, 'now'>
}

/** Joins what finds, what judges and what installs. Several on one folder, also in several processes, wait for each other. */
export function createMarketplace(options: MarketplaceOptions): Marketplace {
  const { directory, find, log, clock = Date, configured = async () => ({}) } = options
  const cache = join(directory, 'cache')
  const registries = createPackageRegistries({ cache, ...options.npm }, options.registries)
  const folder = createPluginFolder({ ...options, clock, log })
  const firstSeen = createFirstSeen(join(directory, 'first-seen.json'), clock)
  const assessor = createAssessor({ ...options, firstSeen })
  const build = { ...options, registries, clock }
  const bundleFiles = createBundleFiles({ ...build, evidenceFor: find.evidenceFor })
  const proposals = createProposals({ ...build, bundleFiles, assessor, firstSeen })
  const parts = { folder, proposals, assessor, clock, configured, schemas: options.schemas }
  const newerVersions = createNewerVersions({
    ...build,
    path: join(directory, 'newer-versions.json'),
    alone: folder.alone,
    firstSeen,
    newestListed: find.newestListed,
  })
  const plan = createPlanner(parts)
  const applyInTurn = inTurn()

  return {
    search: find.search,
    about: find.about,
    plan: (request, by) => plan(request, by).catch(rethrow(`Planning to ${request.action}`)),
    plans: () => folder.plans.list(),
    findPlan: (id) => folder.plans.find(id),
    discardPlan: (id) =>
      folder
        .alone(async () => {
          await folder.plans.discard(id)
          await folder.sweep()
        })
        .catch(rethrow(`Discarding plan ${id.slice(0, 12)}`)),
    apply: (id, accepted, by, ready) =>
      applyInTurn(async () => {
        const generation = await applyPlan({ id, accepted, by, ready }, parts)
        const { number, change } = generation
        log?.info('Plugins changed', { generation: number, change, by: by.id })
        return generation
      }).catch(rethrow(`Applying plan ${id.slice(0, 12)}`)),
    checkSettings: async (instance) =>
      checkPresent(instance, await folder.current(), await configured(), options.schemas),
    current: folder.current,
    generations: folder.generations,
    drift: (asked) => findDrift({ ...parts, ...asked, newerVersions }),
    bundleOf: (plugin) => folder.store.read(plugin),
    exportBundle: (packages, file) =>
      bundleFiles.write(packages, file).catch(rethrow(`Writing '${file}'`)),
    importBundle: (file) => bundleFiles.read(file).catch(rethrow(`Reading '${file}'`)),
    revocations: options.revocations ?? (async () => []),
    refresh: options.refresh ?? (async () => []),
  }
}
