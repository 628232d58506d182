import { realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import type { LockedPlugin, Verdict } from '../marketplace.ts'
import type { Candidate } from '../trust/candidate.ts'
import type { FirstSeen } from '../trust/first-seen.ts'
import type { Judge } from '../trust/judge.ts'
import { type AdvisorySource, askAdvisories, withoutAdvisories } from './advisories.ts'

export interface AssessOptions {
  judge: Judge
  firstSeen: FirstSeen
  advisories?: AdvisorySource | undefined
  /** Folder of the plugins that come with the site. */
  officialFolder?: string | undefined
}

export interface Assessment {
  verdict: Verdict
  /** As it was judged, to be kept with the bundle. */
  candidate: Candidate
}

/** Adds what this site alone knows of a version, and has it judged. */
export interface Assessor {
  /** Asks for known weaknesses, which may need the network. */
  assess(candidate: Candidate): Promise<Assessment>
  /** By what is known here; needs no network. */
  again(plugin: LockedPlugin, candidate: Candidate | undefined): Promise<Verdict>
}

export function createAssessor(options: AssessOptions): Assessor {
  const { judge, firstSeen, officialFolder } = options

  async function complete(candidate: Candidate): Promise<Candidate> {
    const { name, version, sourceKind, source } = candidate
    const isBundled = sourceKind === 'folder' && (await liesIn(source, officialFolder))
    if (sourceKind !== 'npm') return { ...candidate, isBundled }
    const bytes = candidate.announcedIntegrity ?? candidate.integrity ?? candidate.hash
    return { ...candidate, firstSeenAt: await firstSeen.note(name, version, bytes) }
  }

  return {
    async assess(written) {
      const advisories = await askAdvisories(written, options.advisories)
      const candidate = await complete({ ...written, advisories: advisories ?? [] })
      const verdict = await judge(candidate)
      return { candidate, verdict: advisories ? verdict : withoutAdvisories(verdict) }
    },
    async again(plugin, kept) {
      return judge(await complete(kept ?? withoutEvidence(plugin)))
    },
  }
}

async function liesIn(path: string, folder: string | undefined): Promise<boolean> {
  if (folder === undefined) return false
  const [inner, outer] = await Promise.all(
    [path, folder].map((one) => realpath(one).catch(() => '')),
  )
  return Boolean(inner && outer && inner.startsWith(outer + sep))
}

/** Installed before evidence was kept, or it was lost: what is absent then is for the policy to say. */
function withoutEvidence(plugin: LockedPlugin): Candidate {
  const { name, version, manifest, source, sourceKind, hash, license, components } = plugin
  return {
    name,
    version,
    manifest,
    source,
    sourceKind,
    hash,
    license,
    components,
    files: [],
    advisories: [],
    ...(plugin.registry !== undefined && { registry: plugin.registry }),
    ...(plugin.integrity !== undefined && { integrity: plugin.integrity }),
  }
}

/** One sentence for each reason why a version may not be installed. */
export function refusalsOf(name: string, version: string, { refusals }: Verdict): string[] {
  return refusals.map(({ message, remedy }) => {
    const advice = remedy === undefined ? '' : `; ${remedy}`
    return `${name}@${version}: ${message}${advice}`
  })
}
