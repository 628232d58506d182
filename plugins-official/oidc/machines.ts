import { FogbowError, type PluginHost, type TokenGeneratorPlugin } from '@fogbow/plugin-sdk'
import { clientCredentialsGrant, type TokenEndpointResponse } from 'openid-client'
import type { AccessTokens } from './access-tokens.ts'
import { type Claims, toUser } from './claims.ts'
import type { Settings } from './config.ts'
import { oauthCode, providerError } from './errors.ts'
import type { Machine, Provider } from './provider.ts'
import type { SessionTokens } from './session-tokens.ts'

/** What a provider answers when a client or its secret is not good; which of them, nobody learns. */
const wrongMachine: readonly unknown[] = [
  'invalid_client',
  'unauthorized_client',
  'invalid_request',
]

/** Log-in of machines, by client credentials (RFC 6749, section 4.4). */
export function createTokenGenerator(
  { config, clock }: Pick<PluginHost<Settings>, 'config' | 'clock'>,
  provider: Provider,
  accessTokens: AccessTokens,
  sessions: SessionTokens,
): TokenGeneratorPlugin {
  async function grant(machine: Machine): Promise<TokenEndpointResponse> {
    const parameters = { ...config.machineLogin }
    try {
      return await provider.ask(
        (configuration) => clientCredentialsGrant(configuration, parameters),
        machine,
      )
    } catch (error) {
      if (wrongMachine.includes(oauthCode(error))) throw wrong()
      throw providerError(error, provider.issuer)
    }
  }

  return {
    async createTokenValue({ clientId = '', clientSecret = '' }) {
      if (clientId === '' || clientSecret === '') throw noMachine()
      const tokens = await grant({ clientId, clientSecret })
      const claims = (await accessTokens.claimsOf(tokens.access_token)) ?? {}
      const user = toUser(claimsOfMachine(claims, clientId), config)
      const { expires_in: seconds = Number.POSITIVE_INFINITY } = tokens
      return sessions.issue(user, clock.now() + seconds * 1000)
    },
  }
}

/** The provider has just found the client to be the one: its token says more of it, and nothing else. */
function claimsOfMachine(claims: Claims, clientId: string): Claims {
  const { client_id: named = clientId, azp = clientId } = claims
  if (named !== clientId || azp !== clientId) throw wrong()
  return { ...claims, client_id: clientId }
}

function wrong(): FogbowError {
  return new FogbowError('unauthenticated', 'clientId or clientSecret is wrong')
}

function noMachine(): FogbowError {
  return new FogbowError(
    'unauthenticated',
    'machines log in here with clientId and clientSecret; people log in with a browser, at /login of this site, or with: fogbow login --device',
  )
}
