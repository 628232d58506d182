import { FogbowError } from '@fogbow/plugin-sdk'
import { gt } from 'semver'
import { type BuildOptions, type BuiltPlugin, buildFolder, buildPackage } from '../build-plugin.ts'
import type { BundleFiles } from '../bundle-file/bundle-files.ts'
import { fromRegistries } from '../fetch/dependency-source.ts'
import { fetchOffered } from '../fetch/fetched-package.ts'
import { type OfferedVersion, offeredVersions } from '../fetch/offered-versions.ts'
import type { PackageRegistries } from '../fetch/registries.ts'
import { packageNameOf, sourceKind } from '../fetch/source.ts'
import { readTarball } from '../fetch/tarball.ts'
import type { Generation, LockedPlugin } from '../marketplace.ts'
import type { FirstSeen } from '../trust/first-seen.ts'
import { unsuitability } from '../verify/suits.ts'
import type { Assessment, Assessor } from './assess.ts'

/** One version of a package, fetched, built and judged. */
export interface Proposal extends Assessment {
  built: BuiltPlugin
  notes: string[]
}

export interface ProposalOptions extends BuildOptions {
  registries: PackageRegistries
  bundleFiles: BundleFiles
  assessor: Assessor
  firstSeen: FirstSeen
}

/** How many versions are looked at when those before are only too young. */
const MOST_TRIED = 10

export interface Proposals {
  /** Whatever a source stands for. */
  of(source: string, present: Generation, registry?: string): Promise<Proposal>
  /** A newer version, from where the present one came. @returns why there is none */
  newerThan(plugin: LockedPlugin): Promise<Proposal | string>
}

export function createProposals(options: ProposalOptions): Proposals {
  const { registries, bundleFiles, assessor, firstSeen, sdkVersion } = options

  async function propose(built: BuiltPlugin, notes: string[] = []): Promise<Proposal> {
    const scripts = built.installScripts.join(', ')
    const note = `${built.plugin.name}: its install scripts are not run: ${scripts}`
    const { candidate, verdict } = await assessor.assess(built.candidate)
    return { built, candidate, verdict, notes: [...notes, ...(scripts ? [note] : [])] }
  }

  async function buildOffered(offered: OfferedVersion, source: string): Promise<BuiltPlugin> {
    const dependencies = fromRegistries(registries)
    return buildPackage(await fetchOffered(offered, source, registries, dependencies), options)
  }

  /** The first that is let in, going on to the next one only where one is refused for nothing but its age. */
  async function firstOldEnough(
    offered: readonly OfferedVersion[],
    source: string,
    notes: string[],
  ): Promise<Proposal> {
    let first: Proposal | undefined
    for (const version of offered.slice(0, MOST_TRIED)) {
      const proposal = await propose(await buildOffered(version, source), notes)
      first ??= proposal
      if (!isOnlyTooYoung(proposal)) return proposal
      const reasons = proposal.verdict.refusals.map(({ message }) => message)
      notes.push(`${version.name}@${version.version} is left out: ${reasons.join('; ')}`)
    }
    if (!first) throw new FogbowError('internal_error', `No version of '${source}' is left`)
    return first
  }

  async function offeredBy(specifier: string, registry?: string): Promise<OfferedVersion[]> {
    const offered = await offeredVersions(specifier, registries, registry)
    // So that a version that has to wait now is old enough when somebody asks again.
    for (const { name, version, integrity } of offered.slice(0, MOST_TRIED)) {
      if (integrity !== undefined) await firstSeen.note(name, version, integrity)
    }
    return offered
  }

  const suits = (offered: OfferedVersion) => unsuitability(offered, sdkVersion) === undefined

  /** Why those that are newer than the one that is taken are not. */
  function leftOut(offered: readonly OfferedVersion[]): string[] {
    const first = offered.findIndex(suits)
    return offered.slice(0, first === -1 ? MOST_TRIED : first).map((version) => {
      const reason = unsuitability(version, sdkVersion)
      return `${version.name}@${version.version} is left out: ${reason}`
    })
  }

  async function fromRegistry(
    source: string,
    present: Generation,
    registry?: string,
  ): Promise<Proposal> {
    const before = present.plugins.find(({ name }) => name === packageNameOf(source))
    const usual = before?.registry
    const from = registry ?? (usual !== undefined && registries.has(usual) ? usual : undefined)
    const offered = await offeredBy(source, from)
    const suiting = offered.filter(suits)
    // Where none suits, the check of the package says so in its own words.
    return suiting.length > 0
      ? firstOldEnough(suiting, source, leftOut(offered))
      : firstOldEnough(offered.slice(0, 1), source, [])
  }

  return {
    async of(source, present, registry) {
      switch (await sourceKind(source)) {
        case 'folder':
          return propose(await buildFolder(source, options))
        case 'tarball': {
          const tarball = await readTarball(source)
          const dependencies = fromRegistries(registries)
          const fetched = { source, sourceKind: 'tarball', tarball, dependencies } as const
          return propose(await buildPackage({ ...fetched, evidence: {} }, options))
        }
        case 'bundle file':
          return propose(await buildPackage(await bundleFiles.fetch(source), options))
        case 'npm':
          return fromRegistry(source, present, registry)
      }
    },
    async newerThan({ name, version, registry, sourceKind: kind }) {
      if (registry === undefined && kind !== 'npm') return 'was installed from this machine'
      const from = registry ?? registries.nameFor(name)
      if (!registries.has(from)) return `came from registry '${from}', which is not configured`
      const offered = await offeredBy(`${name}@*`, from)
      const newer = offered.filter((one) => gt(one.version, version))
      const suiting = newer.filter(suits)
      if (suiting.length > 0) return firstOldEnough(suiting, `${name}@*`, leftOut(newer))
      return [`${version} is the newest that suits this site`, ...leftOut(newer)].join('; ')
    },
  }
}

function isOnlyTooYoung({ verdict: { refusals } }: Proposal): boolean {
  return refusals.length > 0 && refusals.every(({ rule }) => rule === 'minimum-age')
}
