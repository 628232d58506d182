import { X509Certificate } from 'node:crypto'
import { type PublicKey, Refusal, readPublicKey } from '../trust/index.ts'

/** What a member shows as its certificate. */
export interface MemberCertificate {
  /** Keys that sign; none when it is an X.509 certificate, which only names its bearer. */
  readonly keys: readonly PublicKey[]
  /** Names the certificate: another one has another. */
  readonly fingerprint: string
}

/** Characters; a chain of certificates is none. */
const LONGEST = 8192
const MOST_OF_EACH_USE = 2
const KEYS = /^[A-Za-z0-9_-]{43}:[A-Za-z0-9_-]{43}( [A-Za-z0-9_-]{43}:[A-Za-z0-9_-]{43})*$/
const BASE64 = /^[A-Za-z0-9+/\s]+=*\s*$/

/**
 * Reads the `cert` of a member: our public keys as `kid:x`, separated by spaces, or an X.509 certificate in PEM or in base64.
 * @throws Refusal when it is neither, too long, or expired at `now`
 */
export function readCertificate(text: string, now: number): MemberCertificate {
  if (text.length > LONGEST)
    throw new Refusal('too-large', `a certificate of ${text.length} characters`)
  const written = text.trim()
  if (KEYS.test(written)) return { keys: readKeys(written.split(' ')), fingerprint: written }
  const certificate = readX509(written)
  if (now > certificate.validToDate.getTime())
    throw new Refusal('expired', `the certificate was valid until ${certificate.validTo}`)
  return { keys: [], fingerprint: certificate.fingerprint256 }
}

/**
 * Keys that a member announces, as `kid:x`.
 * @throws Refusal unless all can be read and they are at most two of each use
 */
export function readKeys(announced: unknown): PublicKey[] {
  if (!Array.isArray(announced) || announced.length > 2 * MOST_OF_EACH_USE)
    throw new Refusal('malformed', 'the keys are no short list')
  const keys = announced.map(readKey)
  for (const use of ['sig', 'enc'] as const)
    if (keys.filter((key) => key.use === use).length > MOST_OF_EACH_USE)
      throw new Refusal('malformed', `there are more than ${MOST_OF_EACH_USE} keys of a kind`)
  return keys
}

function readKey(written: unknown): PublicKey {
  try {
    return readPublicKey(String(written))
  } catch (error) {
    throw new Refusal('malformed', error instanceof Error ? error.message : String(error))
  }
}

function readX509(text: string): X509Certificate {
  try {
    if (text.startsWith('-----BEGIN CERTIFICATE-----')) return new X509Certificate(text)
    if (BASE64.test(text)) return new X509Certificate(Buffer.from(text, 'base64'))
  } catch {
    // Falls through: what was wrong inside helps nobody.
  }
  throw new Refusal('malformed', 'the certificate is neither a list of keys nor X.509')
}
