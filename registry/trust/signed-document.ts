import { FogbowError, schema } from '@fogbow/plugin-sdk'
import { joinPath, validatorFor } from '@fogbow/plugin-sdk/validate'
import type { SignedDocument } from '../marketplace.ts'
import { canonicalJson } from './canonical-json.ts'
import type { SigningKey, VerifyingKey } from './signing-key.ts'

export interface DocumentCheck {
  /** Names the document in messages. */
  origin: string
  type: string
  keys: readonly VerifyingKey[]
  /** ms since the epoch */
  now: number
  /** The largest that was seen of this document; an older one is not let back in. */
  lastSequence?: number | undefined
}

/** Clocks of two machines differ. */
const CLOCK_SKEW_MS = 300_000

const documentSchema = schema({
  type: 'object',
  required: ['signed', 'signatures'],
  properties: {
    signed: {
      type: 'object',
      required: ['type', 'issuedAt', 'expiresAt', 'sequence'],
      properties: {
        type: { type: 'string' },
        issuedAt: { type: 'string' },
        expiresAt: { type: 'string' },
        sequence: { type: 'integer', minimum: 1 },
      },
    },
    signatures: {
      type: 'array',
      maxItems: 16,
      items: {
        type: 'object',
        required: ['keyId', 'signature'],
        properties: { keyId: { type: 'string' }, signature: { type: 'string', maxLength: 128 } },
      },
    },
  },
})

export function signDocument<Content extends object>(
  signed: SignedDocument<Content>['signed'],
  keys: readonly SigningKey[],
): SignedDocument<Content> {
  const text = canonicalJson(signed)
  return {
    signed,
    signatures: keys.map((key) => ({ keyId: key.keyId, signature: key.sign(text) })),
  }
}

/**
 * The content of a document that one of the keys signed, that is not too old and not older than what was seen before.
 * @param content - its fields beside those of every document were not looked at yet
 * @throws configuration_error naming the document and what is wrong with it
 */
export function openDocument(
  document: unknown,
  check: DocumentCheck,
): SignedDocument<Record<string, unknown>>['signed'] {
  const { signed, signatures } = toDocument(document, check.origin)
  const text = canonicalJson(signed)
  const isSigned = signatures.some(({ keyId, signature }) =>
    check.keys.some((key) => key.keyId === keyId && key.verifies(text, signature)),
  )
  if (!isSigned) throw refused(check, 'no key that this site believes has signed it')
  if (signed.type !== check.type) throw refused(check, `it is a '${signed.type}'`)
  const issuedAt = toTime(signed.issuedAt, 'issuedAt', check)
  if (issuedAt > check.now + CLOCK_SKEW_MS)
    throw refused(check, `it was issued in the future, at ${signed.issuedAt}: look at the clocks`)
  if (toTime(signed.expiresAt, 'expiresAt', check) <= check.now)
    throw refused(check, `it was good until ${signed.expiresAt}: get a newer one`)
  const { lastSequence = 0 } = check
  if (signed.sequence < lastSequence)
    throw refused(check, `it is number ${signed.sequence}, and ${lastSequence} was seen before`)
  return signed
}

function toDocument(document: unknown, origin: string): SignedDocument<Record<string, unknown>> {
  const problem = validatorFor(documentSchema)(document)
  if (!problem) return document as SignedDocument<Record<string, unknown>>
  throw refused({ origin }, `${joinPath('', problem.field)} ${problem.message}`)
}

function toTime(text: string, key: string, check: DocumentCheck): number {
  const time = Date.parse(text)
  if (Number.isFinite(time)) return time
  throw refused(check, `signed.${key} is no time (RFC 3339)`)
}

function refused({ origin }: Pick<DocumentCheck, 'origin'>, problem: string): FogbowError {
  return new FogbowError('configuration_error', `${origin} is not believed: ${problem}`)
}
