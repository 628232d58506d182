import { asFogbowError, type ErrorCode, FogbowError } from '@fogbow/plugin-sdk'
import { StanzaError, XmppError } from '../xmpp/index.ts'

/** As the original service tells its peers; it knows these nine conditions and no other. */
const conditions: Readonly<Record<ErrorCode, string>> = {
  unauthorized: 'forbidden',
  unauthenticated: 'not-authorized',
  invalid_parameter: 'bad-request',
  payload_too_large: 'bad-request',
  unsupported_media_type: 'bad-request',
  instance_not_found: 'item-not-found',
  not_found: 'item-not-found',
  unacceptable_operation: 'not-acceptable',
  method_not_allowed: 'not-acceptable',
  quota_exceeded: 'not-acceptable',
  idempotency_conflict: 'not-acceptable',
  not_implemented: 'not-acceptable',
  unavailable_provider: 'remote-server-not-found',
  timeout: 'remote-server-not-found',
  too_many_requests: 'remote-server-not-found',
  configuration_error: 'conflict',
  internal_error: 'internal-server-error',
  plugin_failure: 'internal-server-error',
}

/** What those conditions say when the peer itself answers with them. */
const codes: ReadonlyMap<string, ErrorCode> = new Map([
  ['forbidden', 'unauthorized'],
  ['not-authorized', 'unauthenticated'],
  ['bad-request', 'invalid_parameter'],
  ['item-not-found', 'instance_not_found'],
  ['not-acceptable', 'unacceptable_operation'],
  ['conflict', 'configuration_error'],
  ['internal-server-error', 'internal_error'],
  ['feature-not-implemented', 'not_implemented'],
])

/** An error as peers of the original service read it; the inside of a defect stays inside. */
export function toJavaError(thrown: unknown): StanzaError {
  if (thrown instanceof StanzaError) return thrown
  const { code, message } = asFogbowError(thrown)
  if (code === 'internal_error')
    return new StanzaError('internal-server-error', 'this site could not answer')
  return new StanzaError(conditions[code], message)
}

/** Whether the peer itself answered, rather than a server on the way or nobody. */
export function isAnswer(thrown: unknown): thrown is XmppError {
  return (
    thrown instanceof XmppError &&
    thrown.kind === 'stanza' &&
    (codes.has(thrown.condition) || thrown.condition === 'undefined-condition')
  )
}

/**
 * Why a member brought no result. Conditions that servers on the way use as well, and `undefined-condition`, by which the
 * original service means any defect, say nothing of the outcome: `unavailable_provider`.
 */
export function fromJavaError(thrown: unknown, member: string): FogbowError {
  if (!(thrown instanceof XmppError)) return asFogbowError(thrown)
  const { kind, condition, text, message } = thrown
  const options = { cause: thrown }
  if (kind === 'too-large' && !thrown.sent)
    return new FogbowError('payload_too_large', message, options)
  if (kind === 'invalid') return new FogbowError('invalid_parameter', message, options)
  const code = kind === 'stanza' ? codes.get(condition) : undefined
  if (code) return new FogbowError(code, `${member}: ${text || condition}`, options)
  return new FogbowError(
    'unavailable_provider',
    `${member} cannot be asked now: ${message}`,
    options,
  )
}
