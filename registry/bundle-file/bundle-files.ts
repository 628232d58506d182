import { type Clock, invalid } from '@fogbow/plugin-sdk'
import { type BuildOptions, type BuiltPlugin, buildPackage } from '../build-plugin.ts'
import {
  type DependencySource,
  type FetchedDependency,
  fromRegistries,
} from '../fetch/dependency-source.ts'
import { type FetchedPackage, fetchOffered } from '../fetch/fetched-package.ts'
import { offeredVersions } from '../fetch/offered-versions.ts'
import type { PackageRegistries } from '../fetch/registries.ts'
import { splitBundleSource } from '../fetch/source.ts'
import type { Tarball } from '../fetch/tarball.ts'
import type { CarriedPackage } from '../marketplace.ts'
import { refusal } from '../refusal.ts'
import type { Candidate } from '../trust/candidate.ts'
import { unsuitability } from '../verify/suits.ts'
import { type BundledPackage, type BundleIndex, unusable } from './bundle-index.ts'
import { readIndex, readTarballs } from './read-bundle-file.ts'
import { writeBundleFile } from './write-bundle-file.ts'

/** Packages that travel in one file, with all they depend on and their evidence, to sites without a network. */
export interface BundleFiles {
  /** @param packages - npm specifiers */
  write(packages: readonly string[], file: string): Promise<CarriedPackage[]>
  /** Looks at everything in it. @throws configuration_error when anything is missing or changed */
  read(file: string): Promise<CarriedPackage[]>
  /** @param source - the file, and `#name` where it holds several packages */
  fetch(source: string): Promise<FetchedPackage>
}

export interface BundleFilesOptions extends BuildOptions {
  registries: PackageRegistries
  /** What a catalogue carries for versions whose registry drops it. */
  evidenceFor?: EvidenceSource | undefined
  clock: Pick<Clock, 'now'>
}

export type EvidenceSource = (
  version: Pick<Candidate, 'name' | 'version' | 'integrity'>,
) => Promise<{ attestations: readonly unknown[] }>

export function createBundleFiles(options: BundleFilesOptions): BundleFiles {
  const { registries, sdkVersion, clock } = options

  async function pack(specifier: string): Promise<Packed> {
    const offered = await offeredVersions(specifier, registries)
    const chosen = offered.find((one) => unsuitability(one, sdkVersion) === undefined)
    if (!chosen) throw refusal(specifier, `no version suits a site with SDK ${sdkVersion}`)
    const recorder = recording(fromRegistries(registries))
    const fetched = await fetchOffered(chosen, specifier, registries, recorder.source)
    // Building finds out what it depends on, and whether it is a plugin at all.
    const built = await buildPackage(fetched, options)
    const { signatures: registrySignatures, publishedAt, name, version, registry } = chosen
    const listed = await options.evidenceFor?.(built.candidate)
    const attestations = [...(fetched.evidence.attestations ?? []), ...(listed?.attestations ?? [])]
    const bundled: BundledPackage = {
      name,
      version,
      registry,
      integrity: fetched.tarball.integrity,
      registrySignatures,
      ...(publishedAt !== undefined && { publishedAt }),
      ...(attestations.length > 0 && { attestations }),
      dependencies: recorder.dependencies(),
    }
    return { bundled, built, tarballs: [fetched.tarball, ...recorder.tarballs()] }
  }

  return {
    async write(packages, file) {
      const packed: Packed[] = []
      for (const specifier of packages) packed.push(await pack(specifier))
      const index: BundleIndex = {
        formatVersion: 1,
        createdAt: new Date(clock.now()).toISOString(),
        packages: packed.map(({ bundled }) => bundled),
      }
      const tarballs = packed.flatMap((one) => one.tarballs)
      await writeBundleFile(file, index, tarballs)
      return packed.map(({ bundled, built }) => toCarried(file, index, bundled, built))
    },
    async read(file) {
      const index = await readIndex(file)
      const carried: CarriedPackage[] = []
      for (const bundled of index.packages) {
        const built = await buildPackage(await carriedBy(file, bundled), options)
        carried.push(toCarried(file, index, bundled, built))
      }
      return carried
    },
    async fetch(source) {
      const { file, packageName } = splitBundleSource(source)
      const index = await readIndex(packageName === undefined ? source : file)
      return carriedBy(file, choose(index, file, packageName))
    },
  }
}

interface Packed {
  bundled: BundledPackage
  built: BuiltPlugin
  tarballs: Tarball[]
}

function toCarried(
  file: string,
  { packages }: BundleIndex,
  { name, version, integrity, registry }: BundledPackage,
  { candidate }: BuiltPlugin,
): CarriedPackage {
  const versions = packages.filter((one) => one.name === name)
  const id = versions.length > 1 ? `${name}@${version}` : name
  return {
    name,
    version,
    integrity,
    ...(registry !== undefined && { registry }),
    source: packages.length === 1 ? file : `${file}#${id}`,
    dependencies: [...candidate.components],
  }
}

function choose(
  { packages }: BundleIndex,
  file: string,
  wanted: string | undefined,
): BundledPackage {
  const found =
    wanted === undefined
      ? packages
      : packages.filter((one) => [one.name, `${one.name}@${one.version}`].includes(wanted))
  if (found[0] && found.length === 1) return found[0]
  const ids = packages.map(({ name, version }) => `${name}@${version}`).join(', ')
  throw invalid('source', `'${file}' holds ${ids}; name one of them: ${file}#${packages[0]?.name}`)
}

/**
 * As a tarball of this machine, for nobody vouches for what the file says of its origin; but its name, its registry and
 * its evidence stay what they were.
 */
async function carriedBy(file: string, bundled: BundledPackage): Promise<FetchedPackage> {
  const { name, version, integrity, registry, registrySignatures, publishedAt, attestations } =
    bundled
  const tarballs = await readTarballs(file, bundled)
  const tarball = tarballs.get(integrity)
  if (!tarball) throw unusable(file, `the tarball of ${name}@${version} is missing`)
  return {
    source: `${file}#${name}@${version}`,
    sourceKind: 'tarball',
    tarball,
    expected: { name, version },
    dependencies: fromFile(file, bundled, tarballs),
    ...(registry !== undefined && { registry }),
    evidence: {
      announcedIntegrity: integrity,
      registrySignatures,
      ...(publishedAt !== undefined && { publishedAt }),
      ...(attestations && { attestations }),
    },
  }
}

function fromFile(
  file: string,
  { dependencies }: BundledPackage,
  tarballs: ReadonlyMap<string, Tarball>,
): DependencySource {
  return {
    async fetch(specifier) {
      const found = dependencies.find((one) => one.specifier === specifier)
      const tarball = found && tarballs.get(found.integrity)
      if (!found || !tarball) throw unusable(file, `'${specifier}' is not in it`)
      return { name: found.name, version: found.version, tarball }
    },
  }
}

interface Recorder {
  source: DependencySource
  dependencies(): BundledPackage['dependencies']
  tarballs(): Tarball[]
}

function recording(source: DependencySource): Recorder {
  const fetched = new Map<string, FetchedDependency>()
  return {
    source: {
      async fetch(specifier) {
        const found = fetched.get(specifier) ?? (await source.fetch(specifier))
        fetched.set(specifier, found)
        return found
      },
    },
    dependencies: () =>
      [...fetched].map(([specifier, { name, version, tarball }]) => ({
        specifier,
        name,
        version,
        integrity: tarball.integrity,
      })),
    tarballs: () => [...fetched.values()].map(({ tarball }) => tarball),
  }
}
