import type { Credentials, FederationUserToken } from '../../contracts/shapes.ts'
import type { Trial } from '../trial.ts'

/** Why no token can be had for a case; undefined when one can. */
export function noToken(trial: Trial): string | undefined {
  if (trial.samples.tokenValue) return undefined
  return noLogin(trial) && `${noLogin(trial)}, and samples.tokenValue is not given`
}

export function noLogin(trial: Trial): string | undefined {
  if (!trial.offers('tokenGenerator.createTokenValue')) return 'the plugin offers no tokenGenerator'
  return trial.samples.credentials ? undefined : 'samples.credentials are not given'
}

export function logIn(trial: Trial, credentials: Credentials): Promise<string> {
  return trial.call('tokenGenerator.createTokenValue', credentials)
}

/** A fresh token when there is a login, else the sample. */
export async function tokenValueOf(trial: Trial): Promise<string> {
  const { credentials, tokenValue = '' } = trial.samples
  return noLogin(trial) ? tokenValue : logIn(trial, credentials ?? {})
}

export function readToken(trial: Trial, tokenValue: string): Promise<FederationUserToken> {
  return trial.call('federationIdentity.getFederationUserToken', tokenValue)
}
