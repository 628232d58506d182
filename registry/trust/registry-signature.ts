import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { Check } from '../marketplace.ts'
import type { Candidate } from './candidate.ts'

/** A key with which an npm registry signs what it serves. */
export interface RegistryKey {
  readonly keyId: string
  readonly key: KeyObject
  /** ms since the epoch; what was published later is not signed by it */
  readonly expiresAt?: number
}

export interface WrittenRegistryKey {
  keyId: string
  /** SubjectPublicKeyInfo, DER in base64: as `/-/npm/v1/keys` of the registry shows it. */
  key: string
  expires?: string
}

/** @throws configuration_error naming the key of the configuration */
export function readRegistryKey(where: string, written: WrittenRegistryKey): RegistryKey {
  const { keyId, key, expires } = written
  const expiresAt = expires === undefined ? undefined : Date.parse(expires)
  if (Number.isNaN(expiresAt)) throw wrong(`${where}.expires`, 'must be a time (RFC 3339)')
  try {
    const spki = Buffer.from(key, 'base64')
    const object = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    if (object.asymmetricKeyType === 'ec')
      return { keyId, key: object, ...(expiresAt !== undefined && { expiresAt }) }
  } catch (cause) {
    throw wrong(`${where}.key`, 'must be a public key (SPKI in base64)', cause)
  }
  throw wrong(`${where}.key`, 'must be a key on the curve P-256')
}

const rule = 'registry-signature'

/** Whether a registry stands to what it announced. Anything that is doubtful about a signature is a failure. */
export function checkRegistrySignature(
  candidate: Candidate,
  keys: readonly RegistryKey[],
  required: boolean,
): Check {
  const { registry, registrySignatures = [] } = candidate
  if (candidate.sourceKind !== 'npm' && registrySignatures.length === 0)
    return { rule, outcome: 'unneeded', message: 'It does not come from a registry' }
  const where = registry ? `Registry '${registry}'` : 'Its registry'
  if (registrySignatures.length === 0) {
    return missing(required, `${where} sent no signature`, 'use a registry or mirror that sends it')
  }
  if (keys.length === 0) {
    const remedy = 'write the keys of the registry into marketplace.registries'
    return missing(required, `No key of ${where.toLowerCase()} is known here`, remedy)
  }
  const problems = registrySignatures.map((signature) => problemOf(candidate, signature, keys))
  const problem = problems.find((one) => one !== undefined)
  if (problem === undefined)
    return { rule, outcome: 'passed', message: `${where} has signed name, version and content` }
  const remedy = 'do not install it; ask those who run the registry'
  return { rule, outcome: 'failed', message: `${where}: ${problem}`, remedy }
}

function problemOf(
  { name, version, integrity, publishedAt }: Candidate,
  {
    keyid,
    sig,
  }: Candidate['registrySignatures'] extends readonly (infer One)[] | undefined ? One : never,
  keys: readonly RegistryKey[],
): string | undefined {
  const key = keys.find(({ keyId }) => keyId === keyid)
  if (!key) return `a signature is by key '${keyid}', which this site does not know`
  const published = Date.parse(publishedAt ?? '')
  if (key.expiresAt !== undefined && !(published < key.expiresAt))
    return `key '${keyid}' had expired when the version was published`
  const message = Buffer.from(`${name}@${version}:${integrity}`)
  const signature = Buffer.from(String(sig), 'base64')
  return verify('sha256', message, key.key, signature) ? undefined : 'a signature is forged'
}

function missing(required: boolean, message: string, remedy: string): Check {
  return required
    ? { rule, outcome: 'failed', message, remedy }
    : { rule, outcome: 'absent', message }
}

function wrong(key: string, problem: string, cause?: unknown): FogbowError {
  const message = `${key}: ${problem}`
  return new FogbowError('configuration_error', message, { details: { field: key }, cause })
}
