import type { PluginManifest } from '@fogbow/plugin-sdk'
import type { Bundle } from '@fogbow/sandbox'
import type { Actor } from './marketplace.ts'

/** A plugin in the registry's store. Versions are content-addressed: one id never stands for two contents. */
export interface InstalledPlugin {
  /** npm name of the package. */
  name: string
  version: string
  description: string
  license: string
  manifest: PluginManifest
  /** SHA-256 of the bundle, lower-case hex; names its folder in the store. */
  hash: string
  /** Subresource integrity of the tarball; absent for folders. */
  integrity?: string
  /** What was asked for, as it can be asked again: an absolute folder or file, or an npm specifier. */
  source: string
  /** `folder` sources are looked at again at each start and rebuilt when a file changed. */
  sourceKind: 'folder' | 'tarball' | 'npm'
  /** Name of the registry it came from, also where a bundle file carried it. */
  registry?: string
  installedAt: string
}

/**
 * Plugins of one site: what was installed, from where, and the exact bytes that run.
 * Every failure is a `FogbowError` that names the package, file and key.
 */
export interface Registry {
  /**
   * Installs, or replaces another version of, one plugin: fetch, unpack without scripts, check manifest and SDK range,
   * bundle, check the bundle, store, then switch the lock file. Either all of it happens or nothing.
   * @param source - absolute folder, absolute path of a tarball or bundle file, or an npm specifier
   * @param by - kept with the generation that this makes
   */
  install(source: string, by?: Actor): Promise<InstalledPlugin>
  /** What the lock file lists, ordered by name. */
  list(): Promise<InstalledPlugin[]>
  /** @returns undefined when no such package is installed */
  find(name: string): Promise<InstalledPlugin | undefined>
  /** Reads the bundle and checks its hash. A folder that changed since is installed anew first. */
  load(name: string): Promise<{ plugin: InstalledPlugin; bundle: Bundle }>
  /** @throws not_found when no such package is installed */
  remove(name: string, by?: Actor): Promise<InstalledPlugin>
}
