import { realpath } from 'node:fs/promises'
import { constants } from 'node:zlib'
import parseSpecifier from 'npm-package-arg'
import { maxSatisfying } from 'semver'
import type { DependencySource, FetchedDependency } from '../../fetch/dependency-source.ts'
import { dependencyFolders } from '../../fetch/package-folder.ts'
import { toTarball } from '../../fetch/tarball.ts'
import { refusal } from '../../refusal.ts'
import { allFiles, readPackageJson } from './packed-files.ts'
import { writeTarball } from './write-tarball.ts'

interface InstalledPackage {
  folder: string
  name: string
  version: string
}

/**
 * What a folder depends on, as it is installed there: a plugin is tried and packed with what its author has, without a
 * network, and laid out as a site does it.
 */
export function fromNodeModules(folder: string): DependencySource {
  let installed: Promise<InstalledPackage[]> | undefined
  return {
    async fetch(specifier): Promise<FetchedDependency> {
      installed ??= findInstalled(folder)
      const found = choose(await installed, specifier)
      if (!found) {
        const problem = `'${specifier}' is not installed beside it; run: npm install`
        throw refusal(folder, problem)
      }
      const bytes = writeTarball(await allFiles(found.folder), { level: constants.Z_BEST_SPEED })
      return { name: found.name, version: found.version, tarball: toTarball(bytes) }
    },
  }
}

async function findInstalled(folder: string): Promise<InstalledPackage[]> {
  const folders = await dependencyFolders(await realpath(folder))
  const read = async (at: string) => {
    const { name, version } = await readPackageJson(at)
    return { folder: at, name: String(name), version: String(version) }
  }
  return Promise.all(folders.map(read))
}

function choose(
  installed: readonly InstalledPackage[],
  specifier: string,
): InstalledPackage | undefined {
  const asked = parseSpecifier(specifier)
  const { name, fetchSpec } = asked.type === 'alias' ? (asked as AliasResult).subSpec : asked
  const named = installed.filter((one) => one.name === name)
  const versions = named.map(({ version }) => version)
  const best = maxSatisfying(versions, fetchSpec ?? '*', { includePrerelease: true })
  return named.find(({ version }) => version === best)
}

type AliasResult = ReturnType<typeof parseSpecifier> & {
  subSpec: ReturnType<typeof parseSpecifier>
}
