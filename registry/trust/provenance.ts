import { FogbowError } from '@fogbow/plugin-sdk'
import type { Verifier } from '@sigstore/verify'
import type { Candidate } from './candidate.ts'
import type { WrittenPublisher } from './policy.ts'

export type BuildIdentity = WrittenPublisher['provenance'][number]

/** Says who built a package, by Sigstore bundles, without any network. */
export interface ProvenanceReader {
  /** What is wrong with all of the attestations; undefined when one proves such a build of exactly this tarball. */
  problemOf(candidate: Candidate, identities: readonly BuildIdentity[]): Promise<string | undefined>
}

/** Fields of a certificate that say where and from what was built (Fulcio's OID information). */
const SOURCE_REPOSITORY = '1.3.6.1.4.1.57264.1.12'
const BUILD_CONFIG = '1.3.6.1.4.1.57264.1.18'
const SLSA_PROVENANCE = /^https:\/\/slsa\.dev\/provenance\/v1(\.\d+)?$/
const IN_TOTO = 'application/vnd.in-toto+json'

/**
 * @param trustRoot - text of a Sigstore `trusted_root.json`; asked each time, so that it can be exchanged while the site
 * runs. Absent, or undefined: the one that
 * comes with the site
 */
export function createProvenanceReader(
  trustRoot?: () => Promise<string | undefined>,
): ProvenanceReader {
  let known: { root: string; verifier: Verifier } | undefined

  async function verifierNow(): Promise<Verifier> {
    const written = await trustRoot?.().catch((cause: Error) => {
      throw unreadableRoot(cause)
    })
    const root = written ?? (await shippedTrustRoot())
    if (known?.root !== root) known = { root, verifier: await openVerifier(root) }
    return known.verifier
  }

  return {
    async problemOf(candidate, identities) {
      const verifier = await verifierNow()
      const { attestations = [] } = candidate
      const problems: string[] = []
      for (const attestation of attestations) {
        const problem = await problemOfBundle(verifier, attestation, candidate, identities)
        if (problem === undefined) return undefined
        problems.push(problem)
      }
      return problems.join('; ')
    },
  }
}

/** What the last release of Sigstore's client came with; a site that is never updated names a newer one itself. */
async function shippedTrustRoot(): Promise<string> {
  const { default: seeds } = await import('@sigstore/tuf/seeds.json', { with: { type: 'json' } })
  const [seed] = Object.values(seeds)
  return Buffer.from(seed?.targets['trusted_root.json'] ?? '', 'base64').toString()
}

async function openVerifier(trustRoot: string): Promise<Verifier> {
  const [{ toTrustMaterial, Verifier }, { TrustedRoot }] = await Promise.all([
    import('@sigstore/verify'),
    import('@sigstore/protobuf-specs'),
  ])
  try {
    return new Verifier(toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(trustRoot))))
  } catch (cause) {
    throw unreadableRoot(cause as Error)
  }
}

function unreadableRoot(cause: Error): FogbowError {
  const problem = `the trust root of Sigstore cannot be read: ${cause.message}`
  return new FogbowError('configuration_error', `marketplace.trustRoot: ${problem}`, { cause })
}

async function problemOfBundle(
  verifier: Verifier,
  attestation: unknown,
  candidate: Candidate,
  identities: readonly BuildIdentity[],
): Promise<string | undefined> {
  const [{ bundleFromJSON }, { toSignedEntity }] = await Promise.all([
    import('@sigstore/bundle'),
    import('@sigstore/verify'),
  ])
  try {
    const bundle = bundleFromJSON(attestation)
    const envelope = bundle.content.$case === 'dsseEnvelope' ? bundle.content.dsseEnvelope : null
    if (!envelope || envelope.payloadType !== IN_TOTO) return 'an attestation is no statement'
    const signer = verifier.verify(toSignedEntity(bundle))
    // Only now: before, anybody could have written it.
    const statement: unknown = JSON.parse(envelope.payload.toString('utf8'))
    return problemOfStatement(statement, candidate) ?? problemOfIdentity(signer, identities)
  } catch (error) {
    return `an attestation does not hold: ${(error as Error).message}`
  }
}

type Signer = ReturnType<Verifier['verify']>

function problemOfIdentity(
  { identity }: Signer,
  identities: readonly BuildIdentity[],
): string | undefined {
  const issuer = identity?.extensions?.issuer
  const repository = fieldOf(identity, SOURCE_REPOSITORY)
  const config = fieldOf(identity, BUILD_CONFIG)
  const isKnown = identities.some(
    (wanted) =>
      wanted.issuer === issuer &&
      wanted.repository === repository &&
      (wanted.workflow === undefined ||
        config?.startsWith(`${wanted.repository}/${wanted.workflow}@`) === true),
  )
  if (isKnown) return undefined
  return `it was built by ${config ?? 'an unknown workflow'} of ${repository ?? 'an unknown repository'} (${issuer ?? 'nobody'} says), which the policy does not name`
}

/** Text of an extension: a UTF8String (tag, length, characters), shorter than 64 KiB. */
function fieldOf(identity: Signer['identity'], oid: string): string | undefined {
  const found = identity?.oids?.find(({ oid: own }) => own?.id.join('.') === oid)?.value
  if (found?.[0] !== 0x0c) return undefined
  const length = found[1] ?? 0
  return found.subarray(length < 0x80 ? 2 : 2 + (length & 0x7f)).toString('utf8')
}

interface Statement {
  predicateType?: unknown
  subject?: { name?: unknown; digest?: { sha512?: unknown } }[]
}

/** in-toto Statement v1: which artifact it is about. */
function problemOfStatement(
  statement: unknown,
  { name, version, integrity = '' }: Candidate,
): string | undefined {
  const { predicateType, subject } = statement as Statement
  if (typeof predicateType !== 'string' || !SLSA_PROVENANCE.test(predicateType))
    return `an attestation says '${String(predicateType)}' and nothing about its build`
  const sha512 = Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex')
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  const isSubject = subject?.some((one) => one.name === purl && one.digest?.sha512 === sha512)
  return isSubject ? undefined : 'an attestation is about another package or other content'
}
