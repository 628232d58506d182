import { type BegunDeviceLogin, FogbowError, type LoginPlugin } from '@fogbow/plugin-sdk'
import * as client from 'openid-client'
import { type Claims, toUser } from './claims.ts'
import { defaults, type Settings } from './config.ts'
import { oauthCode, providerError } from './errors.ts'
import type { Provider } from './provider.ts'
import type { SessionTokens } from './session-tokens.ts'
import type { SignedClaims } from './signed-claims.ts'

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
/** RFC 8628, section 3.2: when the provider does not say. */
const DEVICE_INTERVAL_SECONDS = 5
const LONGEST_DEVICE_SECONDS = 3600

/** Log-in of people: authorization code with PKCE (RFC 6749, RFC 7636, OpenID Connect Core) and device flow (RFC 8628). */
export function createLogin(
  config: Settings,
  provider: Provider,
  signed: SignedClaims,
  sessions: SessionTokens,
): LoginPlugin {
  const scope = config.scope ?? defaults.scope
  const fail = (error: unknown): never => {
    throw providerError(error, provider.issuer)
  }

  /** Claims of the ID token, whose signature is checked although it came from the provider itself, and those of UserInfo. */
  async function claimsOf(tokens: client.TokenEndpointResponse): Promise<Claims> {
    const { id_token: idToken, access_token: accessToken } = tokens
    if (idToken === undefined)
      throw new FogbowError(
        'configuration_error',
        `the identity provider ${provider.issuer} gives no ID token: config.scope must contain 'openid', and the client must be allowed it`,
      )
    const claims = await signed.verify(idToken, config.clientId)
    const { userinfo_endpoint: userInfo } = await provider.metadata()
    if (config.userInfo === false || userInfo === undefined) return claims
    const more = await provider
      .ask((configuration) => client.fetchUserInfo(configuration, accessToken, String(claims.sub)))
      .catch(fail)
    return { ...more, ...claims }
  }

  async function tokenOf(tokens: client.TokenEndpointResponse): Promise<string> {
    return sessions.issue(toUser(await claimsOf(tokens), config))
  }

  return {
    async beginLogin(redirectUri, state) {
      const verifier = client.randomPKCECodeVerifier()
      const nonce = client.randomNonce()
      const challenge = await client.calculatePKCECodeChallenge(verifier)
      const parameters = {
        ...config.authorizationParameters,
        scope,
        state,
        nonce,
        redirect_uri: redirectUri,
        code_challenge: challenge,
        code_challenge_method: 'S256',
      }
      const url = await provider
        .ask(async (configuration) => client.buildAuthorizationUrl(configuration, parameters))
        .catch(fail)
      return { url: url.href, kept: { state, verifier, nonce } }
    },

    async completeLogin(redirectUri, parameters, kept) {
      const { state = '', verifier = '', nonce = '' } = kept
      const url = new URL(redirectUri)
      url.search = String(new URLSearchParams(parameters))
      const checks = {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      }
      const tokens = await provider
        .ask((configuration) => client.authorizationCodeGrant(configuration, url, checks))
        .catch(fail)
      return tokenOf(tokens)
    },

    async beginDeviceLogin() {
      const { device_authorization_endpoint: endpoint } = await provider.metadata()
      if (endpoint === undefined)
        throw new FogbowError(
          'not_implemented',
          `the identity provider ${provider.issuer} offers no login for devices; log in with a browser`,
        )
      const begun = await provider
        .ask((configuration) => client.initiateDeviceAuthorization(configuration, { scope }))
        .catch(fail)
      return toBegunDevice(begun)
    },

    async pollDeviceLogin({ deviceCode = '' }) {
      try {
        const tokens = await provider.ask((configuration) =>
          client.genericGrantRequest(configuration, DEVICE_GRANT, { device_code: deviceCode }),
        )
        return { status: 'done', tokenValue: await tokenOf(tokens) }
      } catch (error) {
        const code = oauthCode(error)
        if (code === 'authorization_pending') return { status: 'pending' }
        if (code === 'slow_down') return { status: 'slow_down' }
        if (code === 'expired_token')
          throw new FogbowError('unauthenticated', 'the code has expired before it was used')
        return fail(error)
      }
    },

    async endSession(returnUri) {
      const { end_session_endpoint: endpoint } = await provider.metadata()
      if (endpoint === undefined) return {}
      const parameters = { post_logout_redirect_uri: returnUri }
      const url = await provider
        .ask(async (configuration) => client.buildEndSessionUrl(configuration, parameters))
        .catch(fail)
      return { url: url.href }
    },
  }
}

function toBegunDevice(begun: client.DeviceAuthorizationResponse): BegunDeviceLogin {
  const complete = begun.verification_uri_complete
  return {
    userCode: begun.user_code,
    verificationUri: begun.verification_uri,
    ...(complete !== undefined && { verificationUriComplete: complete }),
    expiresInSeconds: Math.min(Math.floor(begun.expires_in), LONGEST_DEVICE_SECONDS),
    intervalSeconds: Math.ceil(begun.interval ?? DEVICE_INTERVAL_SECONDS),
    kept: { deviceCode: begun.device_code },
  }
}
