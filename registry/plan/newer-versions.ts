import { readFile } from 'node:fs/promises'
import { gt, rcompare, valid } from 'semver'
import { type OfferedVersion, offeredVersions } from '../fetch/offered-versions.ts'
import type { PackageRegistries } from '../fetch/registries.ts'
import { replaceFile } from '../installed/durable-file.ts'
import type { HeededRevocation, LockedPlugin } from '../marketplace.ts'
import type { FirstSeen } from '../trust/first-seen.ts'
import { isRevoked } from '../trust/revocation.ts'
import { unsuitability } from '../verify/suits.ts'

export interface NewerVersionsOptions {
  /** File that keeps what registries said; a damaged one counts as none. */
  path: string
  /** Runs while nobody else writes there. */
  alone<T>(work: () => Promise<T>): Promise<T>
  sdkVersion: string
  registries: PackageRegistries
  firstSeen: FirstSeen
  /** The newest version that suits this site by what catalogues say that were read before. */
  newestListed?: ((packageName: string) => Promise<string | undefined>) | undefined
  revocations?: (() => Promise<HeededRevocation[]>) | undefined
}

/** Versions of what is installed that are newer, suit this site, and that nobody whom it believes has revoked. */
export interface NewerVersions {
  /** By what is known here; needs no network. */
  knownOf(plugin: LockedPlugin): Promise<string | undefined>
  /** Asks where each plugin came from, and keeps the answers. @returns whom nobody could be asked about, and why */
  ask(plugins: readonly LockedPlugin[]): Promise<{ plugin: LockedPlugin; problem: string }[]>
}

/** Package → newest version that suits, as its registry said last. */
type Kept = Record<string, string>

export function createNewerVersions(options: NewerVersionsOptions): NewerVersions {
  const { path, sdkVersion, registries, firstSeen } = options

  async function kept(): Promise<Kept> {
    const text = await readFile(path, 'utf8').catch(() => '{}')
    try {
      const entries = Object.entries(JSON.parse(text) as Kept)
      return Object.fromEntries(entries.filter(([, version]) => valid(version) !== null))
    } catch {
      return {}
    }
  }

  async function newestOf({ name, registry }: LockedPlugin): Promise<string | undefined> {
    const offered = await offeredVersions(`${name}@*`, registries, registry)
    const newest = offered.find((one) => isOffer(one, sdkVersion))
    // From now on it grows old enough to be installed.
    if (newest?.integrity) await firstSeen.note(name, newest.version, newest.integrity)
    return newest?.version
  }

  return {
    async knownOf({ name, version, sourceKind, hash }) {
      if (sourceKind !== 'npm') return undefined
      const revoked = (await options.revocations?.()) ?? []
      const known = [(await kept())[name], await options.newestListed?.(name)]
      const newer = known.filter((one) => one !== undefined && gt(one, version)) as string[]
      const fit = newer.filter(
        (one) => !revoked.some((each) => isRevoked({ name, version: one, hash }, each)),
      )
      return fit.sort(rcompare)[0]
    },
    async ask(plugins) {
      const problems: { plugin: LockedPlugin; problem: string }[] = []
      const answers: Kept = {}
      for (const plugin of plugins.filter(({ sourceKind }) => sourceKind === 'npm')) {
        try {
          const newest = await newestOf(plugin)
          if (newest !== undefined) answers[plugin.name] = newest
        } catch (error) {
          problems.push({ plugin, problem: (error as Error).message })
        }
      }
      await options.alone(async () => {
        const all = { ...(await kept()), ...answers }
        await replaceFile(path, `${JSON.stringify(all, null, 1)}\n`)
      })
      return problems
    },
  }
}

function isOffer(offered: OfferedVersion, sdkVersion: string): boolean {
  return offered.deprecated === undefined && unsuitability(offered, sdkVersion) === undefined
}
