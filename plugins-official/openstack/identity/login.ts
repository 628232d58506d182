import {
  type AuthenticationPlugin,
  asFogbowError,
  type Credentials,
  type FederationIdentityPlugin,
  FogbowError,
  type PluginHost,
  type TokenGeneratorPlugin,
} from '@fogbow/plugin-sdk'
import type { Credential } from '../api/credential.ts'
import type { Http } from '../api/http.ts'
import { logIn } from '../api/session.ts'
import type { Settings } from '../config.ts'
import type { Tokens } from './tokens.ts'

/** Log-in with an account of Keystone; its token is that of the federation. */
export function createTokenGenerator(
  http: Http,
  { config }: PluginHost<Settings>,
): TokenGeneratorPlugin {
  return {
    async createTokenValue(credentials, call) {
      const credential = toCredential(credentials, config)
      try {
        return (await logIn(http, config, credential, call)).token
      } catch (error) {
        // Wrong, unknown, locked: nobody learns which.
        const { status } = asFogbowError(error).details
        if (typeof status === 'number' && status < 500 && status !== 429) throw wrong()
        throw error
      }
    },
  }
}

function toCredential(credentials: Credentials, { login = {} }: Settings): Credential {
  const { username, password, applicationCredentialId, applicationCredentialSecret } = credentials
  if (Object.values(credentials).includes('')) throw wrong()
  if (applicationCredentialId && applicationCredentialSecret)
    return { applicationCredentialId, applicationCredentialSecret }
  if (!username || !password) throw wrong()
  const userDomain = credentials.userDomain ?? login.domain
  const project = credentials.project ?? login.project
  return {
    username,
    password,
    ...(userDomain !== undefined && { userDomain }),
    ...(project !== undefined && { project }),
    ...(credentials.projectDomain !== undefined && { projectDomain: credentials.projectDomain }),
  }
}

function wrong(): FogbowError {
  return new FogbowError('unauthenticated', 'user name, password or project is wrong')
}

export function createFederationIdentity(tokens: Tokens): FederationIdentityPlugin {
  return { getFederationUserToken: (tokenValue, call) => tokens.read(tokenValue, call) }
}

export function createAuthentication(tokens: Tokens): AuthenticationPlugin {
  return {
    async isAuthentic(token, call) {
      const genuine = await tokens.read(token.tokenValue, call).catch((error) => {
        if (asFogbowError(error).code === 'unauthenticated') return undefined
        throw error
      })
      return genuine !== undefined && canonical(genuine) === canonical(token)
    },
  }
}

/** Equal for equal values, whatever the order of their fields. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, entry) =>
    typeof entry === 'object' && entry !== null && !Array.isArray(entry)
      ? Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)))
      : entry,
  )
}
