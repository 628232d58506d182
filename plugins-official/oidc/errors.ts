import { asFogbowError, FogbowError } from '@fogbow/plugin-sdk'
import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client'

/** Codes of OAuth errors that say that the client is not what the provider expects (RFC 6749, sections 4.1.2.1 and 5.2). */
const ourFault = new Set([
  'invalid_client',
  'unauthorized_client',
  'invalid_scope',
  'invalid_target',
  'unsupported_grant_type',
  'unsupported_response_type',
  'unsupported_token_type',
  'invalid_request_uri',
])
const itsFault = new Set(['server_error', 'temporarily_unavailable'])
/** What can be the provider's state of the moment, when the exchange itself went wrong. */
const noAnswer = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
])

/** The error code of an OAuth answer, such as `slow_down`; undefined when there was no such answer. */
export function oauthCode(error: unknown): string | undefined {
  if (error instanceof WWWAuthenticateChallengeError) return challengeCode(error)
  const isAnswer = error instanceof ResponseBodyError || error instanceof AuthorizationResponseError
  return isAnswer ? error.error : undefined
}

/** A challenge for the scheme with which a client authenticates is `invalid_client` (RFC 6749, section 5.2). */
function challengeCode({ cause }: WWWAuthenticateChallengeError): string {
  const codes = cause.flatMap(({ parameters: { error } }) => (error === undefined ? [] : [error]))
  return codes[0] ?? (cause.some(({ scheme }) => scheme === 'basic') ? 'invalid_client' : 'denied')
}

/** Any failure of an exchange with the provider as an error of the catalogue, which names the provider. */
export function providerError(error: unknown, issuer: string): FogbowError {
  if (error instanceof FogbowError) return error
  const code = oauthCode(error)
  if (code !== undefined) return refusal(code, describe(error), issuer)
  if (isDenied(error))
    return new FogbowError(
      'configuration_error',
      `the identity provider ${issuer} cannot be reached from here: ${rootOf(error)}; endpoints at other hosts than the issuer's are named in config.hosts`,
      { cause: error },
    )
  const isAnswered = error instanceof ClientError && error.code !== undefined
  if (isAnswered && !noAnswer.has(error.code ?? ''))
    return new FogbowError(
      'unauthenticated',
      `what the identity provider ${issuer} answered does not hold: ${rootOf(error)}; log in again`,
      { cause: error },
    )
  return new FogbowError(
    'unavailable_provider',
    `the identity provider ${issuer} does not answer: ${rootOf(error)}; try again later`,
    { cause: error },
  )
}

function refusal(code: string, words: string, issuer: string): FogbowError {
  const provider = `the identity provider ${issuer}`
  if (code === 'access_denied')
    return new FogbowError('unauthorized', `the login at ${provider} was refused there${words}`)
  if (itsFault.has(code))
    return new FogbowError('unavailable_provider', `${provider} cannot log in anybody now${words}`)
  if (ourFault.has(code))
    return new FogbowError(
      'configuration_error',
      `${provider} does not take this site's request (${code}${words}): check clientId, clientSecret and what the provider allows that client`,
    )
  return new FogbowError(
    'unauthenticated',
    `${provider} does not take this login, or not any more (${code}${words}); log in again`,
  )
}

/** Words of the provider are shown to people: short, and without anything that could become markup or a line of its own. */
function describe(error: unknown): string {
  const isAnswer = error instanceof ResponseBodyError || error instanceof AuthorizationResponseError
  const words = isAnswer ? error.error_description : undefined
  return words ? `: ${words.replace(/[^\x20-\x7e]/g, ' ').slice(0, 200)}` : ''
}

function isDenied(error: unknown): boolean {
  return causes(error).some((cause) => asFogbowError(cause).code === 'unauthorized')
}

function rootOf(error: unknown): string {
  const root = causes(error).at(-1)
  return (root instanceof Error ? root.message : String(root)).slice(0, 300)
}

/** An error and what it is caused by; causes that are no errors are what a library attached for its own use. */
function causes(error: unknown): unknown[] {
  const next = error instanceof Error && error.cause instanceof Error ? causes(error.cause) : []
  return [error, ...next]
}
