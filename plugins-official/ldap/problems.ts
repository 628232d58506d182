import { FogbowError } from '@fogbow/plugin-sdk'
import { type PasswordPolicyControl, PasswordPolicyError, ResultCodeError } from 'ldapts'

/** Results of a bind (RFC 4511, section 4.1.9) that speak of whom it names, and not of the server. */
const refusals = new Set([
  19, // constraintViolation: too many wrong passwords, at some servers
  32, // noSuchObject
  34, // invalidDNSyntax
  48, // inappropriateAuthentication: no password
  49, // invalidCredentials
  50, // insufficientAccessRights
  53, // unwillingToPerform: the account is disabled
])

export function isRefusal(error: unknown): boolean {
  return error instanceof ResultCodeError && refusals.has(error.code)
}

/** The same for all that is wrong with a log-in: nobody learns which part it is. */
export function wrongLogIn(): FogbowError {
  return new FogbowError('unauthenticated', 'user name or password is wrong')
}

const policyProblems: Readonly<Record<number, string>> = {
  [PasswordPolicyError.PasswordExpired]:
    'the password has expired; change it where your directory lets you, or ask its administrator',
  [PasswordPolicyError.AccountLocked]:
    'the account is locked in the directory; wait, or ask its administrator',
  [PasswordPolicyError.ChangeAfterReset]:
    'the password was reset and has to be changed first, where your directory lets you',
}

/**
 * What the directory says of the account beside yes or no (draft-behera-ldap-password-policy). It says it when its
 * administrator wants users to know.
 */
export function policyProblem({ value }: PasswordPolicyControl): FogbowError | undefined {
  const message = policyProblems[value?.error ?? -1]
  return message === undefined ? undefined : new FogbowError('unauthenticated', message)
}

/** What went wrong between us and the directory, as it concerns its administrator or ours. */
export function directoryProblem(error: unknown, url: string, doing: string): FogbowError {
  if (error instanceof FogbowError) return error
  const cause = error instanceof Error ? error : new Error(String(error))
  if (!(error instanceof ResultCodeError)) {
    return new FogbowError(
      'unavailable_provider',
      `the directory ${url} does not answer: ${firstLine(cause)}`,
      { cause },
    )
  }
  const code = settingsProblems.has(error.code) ? 'configuration_error' : 'unavailable_provider'
  return new FogbowError(code, `the directory ${url} refuses ${doing}: ${named(error)}`, { cause })
}

/** Another try would come to the same: an administrator has to act. */
const settingsProblems = new Set([
  2, // protocolError
  7, // authMethodNotSupported
  8, // strongerAuthRequired
  10, // referral: it is another directory that knows, and nobody is sent there
  12, // unavailableCriticalExtension
  13, // confidentialityRequired
  18, // inappropriateMatching
  32, // noSuchObject
  34, // invalidDNSyntax
  48, // inappropriateAuthentication
  49, // invalidCredentials
  50, // insufficientAccessRights
  53, // unwillingToPerform
])

function named(error: ResultCodeError): string {
  const name = error.constructor.name.replace(/Error$/, '')
  return `${name} (${error.code})${error.code === 10 ? ', referrals are not followed' : ''}`
}

function firstLine({ message }: Error): string {
  return message.split('\n').join(': ').slice(0, 300)
}
