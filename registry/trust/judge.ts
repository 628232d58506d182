import type { Clock } from '@fogbow/plugin-sdk'
import {
  type Check,
  type HeededRevocation,
  type TrustLevel,
  trustLevels,
  type Verdict,
} from '../marketplace.ts'
import type { Candidate } from './candidate.ts'
import { isTriedInSandbox, openReport, problemOfReport } from './conformance-report.ts'
import type { Publisher, TrustPolicy } from './policy.ts'
import type { ProvenanceReader } from './provenance.ts'
import { checkRegistrySignature, type RegistryKey } from './registry-signature.ts'
import { isRevoked } from './revocation.ts'
import { problemOfVendorSignature } from './vendor-signature.ts'

export type Judge = (candidate: Candidate) => Promise<Verdict>

export interface JudgeOptions {
  /** Throws when the configuration has none that can be read: then nothing is let in. */
  policy(): TrustPolicy
  siteId: string
  provenance: ProvenanceReader
  registryKeys(registry: string): readonly RegistryKey[]
  /** `stale`: names of lists that ended or were never read. */
  revocations(): Promise<{ heeded: readonly HeededRevocation[]; stale: readonly string[] }>
  /** Evidence that came with a catalogue, for mirrors that drop it. */
  evidenceFor?(candidate: Candidate): Promise<CarriedEvidence>
  clock: Pick<Clock, 'now'>
}

export interface CarriedEvidence {
  attestations: readonly unknown[]
  vetting?: { result: 'passed' | 'failed'; by?: string; report?: string } | undefined
  /** Believed members that run exactly these bytes. */
  members?: readonly string[]
  /** A better-known package that its name could be taken for. */
  resembles?: string | undefined
}

interface Judgement {
  candidate: Candidate
  policy: TrustPolicy
  level: TrustLevel
  publisher: Publisher | undefined
}

/** Looks at all evidence of one version. Everything is looked at, so that an administrator sees all problems at once. */
export function createJudge(options: JudgeOptions): Judge {
  return async (plain) => {
    const policy = options.policy()
    const carried = await options.evidenceFor?.(plain)
    const attestations = [...(plain.attestations ?? []), ...(carried?.attestations ?? [])]
    const candidate = { ...plain, attestations }
    const { publisher, check } = await findPublisher(candidate, policy, options)
    const level = levelOf(candidate, publisher)
    const judgement = { candidate, policy, level, publisher }
    const checks = [
      checkIntegrity(candidate),
      checkLists(judgement),
      check,
      checkRegistrySignature(
        candidate,
        options.registryKeys(candidate.registry ?? ''),
        policy.requireRegistrySignatures,
      ),
      checkLevel(judgement),
      checkAge(judgement, options.clock.now()),
      await checkRevocations(judgement, options),
      checkLicenses(judgement),
      checkAdvisories(judgement),
      checkVetting(carried?.vetting),
      checkConformance(judgement, options.clock.now()),
      checkMembers(carried?.members ?? []),
      checkName(carried?.resembles),
    ]
    const refusals = checks.filter(({ outcome }) => outcome === 'failed')
    return { level, ...(publisher && { publisher: publisher.name }), checks, refusals }
  }
}

function levelOf(candidate: Candidate, publisher: Publisher | undefined): TrustLevel {
  if (candidate.isBundled) return 'official'
  if (publisher) return publisher.level
  return candidate.sourceKind === 'npm' ? 'community' : 'local'
}

/** Who of the policy answers for it. Once a publisher is named for a package, nobody else can bring it. */
async function findPublisher(
  candidate: Candidate,
  policy: TrustPolicy,
  options: JudgeOptions,
): Promise<{ publisher?: Publisher; check: Check }> {
  const rule = 'publisher'
  if (candidate.isBundled)
    return { check: { rule, outcome: 'passed', message: 'It comes with the site' } }
  const { name, version } = candidate
  const named = policy.publishers.filter(({ packages }) =>
    packages.some((pattern) => pattern.matches(name, version)),
  )
  if (named.length === 0) {
    const message = 'The policy names no publisher for it'
    return { check: { rule, outcome: 'absent', message } }
  }
  const problems: string[] = []
  for (const publisher of named) {
    const problem = await problemOfPublisher(candidate, publisher, options)
    if (problem === undefined) {
      const message = `Publisher '${publisher.name}' answers for it`
      return { publisher, check: { rule, outcome: 'passed', message } }
    }
    problems.push(`not by publisher '${publisher.name}': ${problem}`)
  }
  const remedy =
    'get it from its publisher, or change marketplace.policy.publishers if it has another one now'
  const message = problems.join('; ')
  return { check: { rule, outcome: 'failed', message, remedy } }
}

async function problemOfPublisher(
  candidate: Candidate,
  publisher: Publisher,
  { provenance, siteId }: JudgeOptions,
): Promise<string | undefined> {
  const problems: string[] = []
  if (publisher.keys.length > 0) {
    const problem =
      candidate.vendorSignature === undefined
        ? 'it brings no signature'
        : problemOfVendorSignature(candidate.vendorSignature, candidate, publisher.keys, siteId)
    if (problem === undefined) return undefined
    problems.push(problem)
  }
  if (publisher.provenance.length > 0) {
    const problem = candidate.attestations?.length
      ? await provenance.problemOf(candidate, publisher.provenance)
      : 'no provenance came with it'
    if (problem === undefined) return undefined
    problems.push(problem)
  }
  return problems.join('; ')
}

function checkIntegrity({ sourceKind, integrity, announcedIntegrity }: Candidate): Check {
  const rule = 'integrity'
  if (sourceKind === 'folder')
    return { rule, outcome: 'unneeded', message: 'It is a folder of this machine' }
  if (sourceKind === 'tarball')
    return { rule, outcome: 'passed', message: `Its tarball is ${integrity}` }
  if (announcedIntegrity !== undefined && announcedIntegrity === integrity)
    return { rule, outcome: 'passed', message: 'What arrived is what its registry announced' }
  const message =
    announcedIntegrity === undefined
      ? 'Its registry announced no SHA-512 of it'
      : `Its registry announced ${announcedIntegrity}, and ${integrity} arrived`
  return { rule, outcome: 'failed', message, remedy: 'use another registry or mirror' }
}

function checkLists({ candidate: { name, version }, policy }: Judgement): Check {
  const rule = 'allowed'
  const denied = policy.deny.find((pattern) => pattern.matches(name, version))
  if (denied) {
    const message = `marketplace.policy.deny names it: '${denied.text}'`
    return { rule, outcome: 'failed', message, remedy: 'take it off that list if you trust it' }
  }
  if (!policy.allow) return { rule, outcome: 'unneeded', message: 'Every package is allowed' }
  const allowed = policy.allow.find((pattern) => pattern.matches(name, version))
  if (allowed) return { rule, outcome: 'passed', message: `'${allowed.text}' is allowed` }
  const message = 'marketplace.policy.allow does not name it'
  const remedy = `add '${name}' there if you trust it`
  return { rule, outcome: 'failed', message, remedy }
}

function checkLevel({ level, policy }: Judgement): Check {
  const rule = 'trust-level'
  const least = policy.minimumTrust
  if (trustLevels.indexOf(level) <= trustLevels.indexOf(least))
    return { rule, outcome: 'passed', message: `It is '${level}', and '${least}' is enough` }
  const message = `It is '${level}', and marketplace.policy.minimumTrust is '${least}'`
  const remedy = 'name its publisher in marketplace.policy.publishers'
  return { rule, outcome: 'failed', message, remedy }
}

const HOUR_MS = 3_600_000

function checkAge({ candidate, level, policy }: Judgement, now: number): Check {
  const rule = 'minimum-age'
  const least = policy.minimumAgeHours
  if (candidate.sourceKind !== 'npm' || level === 'official' || least === 0)
    return { rule, outcome: 'unneeded', message: 'Its age does not matter' }
  const { publishedAt = '', firstSeenAt = '' } = candidate
  const times = [Date.parse(firstSeenAt), Date.parse(publishedAt)].filter(Number.isFinite)
  const isSeen = Number.isFinite(Date.parse(firstSeenAt))
  const oldEnoughAt = Math.max(...times) + least * HOUR_MS
  if (isSeen && oldEnoughAt <= now)
    return { rule, outcome: 'passed', message: `It is older than ${least} hours` }
  const message = isSeen
    ? `It is younger than ${least} hours, by its registry or by when this site first saw it`
    : 'It is not known since when this site has seen it'
  const remedy = isSeen ? `try again after ${new Date(oldEnoughAt).toISOString()}` : 'try again'
  return { rule, outcome: 'failed', message, remedy }
}

async function checkRevocations(
  { candidate, level }: Judgement,
  { revocations }: JudgeOptions,
): Promise<Check> {
  const rule = 'revocation'
  const { heeded, stale } = await revocations()
  const revoked = heeded.filter((revocation) => isRevoked(candidate, revocation))
  const fatal = revoked.find(({ action }) => action !== 'warn')
  if (fatal) {
    const message = `'${fatal.source}' has revoked it: ${fatal.reason}`
    return { rule, outcome: 'failed', message, remedy: 'install another version' }
  }
  const lists = stale.map((name) => `'${name}'`).join(', ')
  if (lists && level === 'community') {
    const message = `No valid revocation list of ${lists}, so nobody can say whether it was revoked`
    return { rule, outcome: 'failed', message, remedy: 'run: fogbow plugin refresh' }
  }
  const [warning] = revoked
  if (warning) {
    const message = `'${warning.source}' warns of it: ${warning.reason}`
    return { rule, outcome: 'warning', message }
  }
  if (lists) return { rule, outcome: 'warning', message: `No valid revocation list of ${lists}` }
  return { rule, outcome: 'passed', message: 'Nobody whom this site believes has revoked it' }
}

function checkLicenses({ candidate, policy: { licenses } }: Judgement): Check {
  const rule = 'license'
  const { allow, deny } = licenses
  if (!allow && deny.length === 0)
    return { rule, outcome: 'unneeded', message: 'Every licence is allowed' }
  const parts = [candidate, ...candidate.components]
  const bad = parts.find(
    ({ license }) => deny.includes(license) || (allow && !allow.includes(license)),
  )
  if (!bad) return { rule, outcome: 'passed', message: 'All its licences are allowed' }
  const message = `Licence '${bad.license}' of ${bad.name}@${bad.version} is not allowed`
  const remedy = 'change marketplace.policy.licenses if you accept it'
  return { rule, outcome: 'failed', message, remedy }
}

function checkAdvisories({ candidate: { advisories }, policy }: Judgement): Check {
  const rule = 'advisories'
  const [first] = advisories
  if (!first) return { rule, outcome: 'passed', message: 'No weakness of it is known here' }
  const more = advisories.length > 1 ? ` and ${advisories.length - 1} more` : ''
  const message = `${first.package}: ${first.title} (${first.severity}, ${first.id})${more}`
  if (policy.advisories === 'warn') return { rule, outcome: 'warning', message }
  return { rule, outcome: 'failed', message, remedy: 'install a version without it' }
}

function checkVetting(vetting: CarriedEvidence['vetting']): Check {
  const rule = 'vetting'
  if (!vetting) return { rule, outcome: 'absent', message: 'No catalogue says that it was vetted' }
  const by = vetting.by ?? 'the curator of a catalogue'
  if (vetting.result === 'passed')
    return { rule, outcome: 'passed', message: `${by} has vetted it` }
  const message = `${by} has vetted it, and it failed: ${vetting.report ?? 'no report'}`
  return { rule, outcome: 'failed', message, remedy: 'install another version' }
}

function checkConformance({ candidate, policy, publisher }: Judgement, now: number): Check {
  const rule = 'conformance'
  const { conformanceReport: document, isBundled } = candidate
  const isRequired = policy.requireConformanceReport
  if (isBundled) return { rule, outcome: 'unneeded', message: 'It comes with the site' }
  const keys = [...(publisher?.keys ?? []), ...policy.testers]
  const problem = problemOfConformance(document, candidate, keys, now)
  if (problem === undefined)
    return { rule, outcome: 'passed', message: 'A signed report says that it keeps its contracts' }
  const isForeign = document === undefined || keys.length === 0
  const message = `No conformance report speaks for it: ${problem}`
  if (!isRequired) return { rule, outcome: isForeign ? 'absent' : 'warning', message }
  const remedy = 'ask its publisher for one, or name the key of who tested it in policy.testers'
  return { rule, outcome: 'failed', message, remedy }
}

function problemOfConformance(
  document: unknown,
  candidate: Candidate,
  keys: Publisher['keys'],
  now: number,
): string | undefined {
  if (document === undefined) return 'it brings none'
  if (keys.length === 0) return 'the policy names nobody whose reports are believed for it'
  try {
    const report = openReport(document, { origin: 'its report', keys, now })
    const isUntried = !isTriedInSandbox(report) && 'nothing in it was run in a sandbox'
    return problemOfReport(report, candidate) ?? (isUntried || undefined)
  } catch (error) {
    return (error as Error).message
  }
}

function checkMembers(members: readonly string[]): Check {
  const rule = 'members'
  if (members.length === 0)
    return { rule, outcome: 'absent', message: 'No member that this site believes runs it' }
  return { rule, outcome: 'passed', message: `Members run it: ${members.join(', ')}` }
}

function checkName(resembles: string | undefined): Check {
  const rule = 'name'
  if (resembles === undefined)
    return { rule, outcome: 'passed', message: 'Its name is like that of no better-known package' }
  const message = `It looks like ${resembles}, which is better known: look twice`
  return { rule, outcome: 'warning', message }
}
