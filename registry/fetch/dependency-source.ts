import { refusal } from '../refusal.ts'
import { sha512Of } from './offered-versions.ts'
import type { PackageRegistries } from './registries.ts'
import { downloadTarball, findVersion, type Tarball } from './tarball.ts'

/** A tarball with the name that it was asked for by. */
export interface FetchedDependency {
  name: string
  version: string
  tarball: Tarball
}

/** Where packages that a plugin depends on come from. */
export interface DependencySource {
  /** @param specifier - `name@range`, or `alias@npm:name@range` */
  fetch(specifier: string): Promise<FetchedDependency>
}

/** Each from the registry that its scope is given to, or from the default one; nothing that comes without a SHA-512. */
export function fromRegistries(registries: PackageRegistries): DependencySource {
  const npm = registries.options()
  return {
    async fetch(specifier) {
      const found = await findVersion(specifier, npm)
      const { name, version } = found
      const integrity = sha512Of(found._integrity)
      if (!integrity) {
        throw refusal(`${name}@${version}`, 'its registry states no SHA-512 of its tarball')
      }
      return { name, version, tarball: await downloadTarball({ name, version, integrity }, npm) }
    },
  }
}
