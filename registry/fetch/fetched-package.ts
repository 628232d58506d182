import type { InstalledPlugin } from '../registry.ts'
import type { Candidate } from '../trust/candidate.ts'
import type { DependencySource } from './dependency-source.ts'
import { type OfferedVersion, readAttestations } from './offered-versions.ts'
import type { PackageRegistries } from './registries.ts'
import { downloadTarball, type Tarball } from './tarball.ts'

/** A tarball that is here, with where it came from and what came with it. */
export interface FetchedPackage
  extends Pick<InstalledPlugin, 'source' | 'sourceKind' | 'registry'> {
  tarball: Tarball
  dependencies: DependencySource
  evidence: Pick<
    Candidate,
    'announcedIntegrity' | 'publishedAt' | 'registrySignatures' | 'attestations'
  >
  /** What its `package.json` has to say; absent where nobody announced it. */
  expected?: { name: string; version: string }
}

export async function fetchOffered(
  offered: OfferedVersion,
  source: string,
  registries: PackageRegistries,
  dependencies: DependencySource,
): Promise<FetchedPackage> {
  const { name, version, registry, integrity, publishedAt, signatures } = offered
  const options = registries.options({ packageName: name, registry })
  const tarball = await downloadTarball({ name, version, integrity }, options)
  const attestations = await readAttestations(offered, registries)
  return {
    source,
    sourceKind: 'npm',
    registry,
    tarball,
    dependencies,
    expected: { name, version },
    evidence: {
      registrySignatures: signatures,
      ...(integrity !== undefined && { announcedIntegrity: integrity }),
      ...(publishedAt !== undefined && { publishedAt }),
      ...(attestations && { attestations }),
    },
  }
}
