import * as client from 'openid-client'
import { failureOf, sdkPlugin } from './checks.js'

export default sdkPlugin(({ config }) => {
  const discover = () =>
    client.discovery(new URL(config.issuer), 'client-1', 'a secret', client.ClientSecretBasic(), {
      execute: [client.allowInsecureRequests],
    })
  return {
    async discovery() {
      const found = await discover()
      return found.serverMetadata().issuer
    },
    async clientCredentials() {
      const found = await discover()
      const tokens = await client.clientCredentialsGrant(found, { scope: 'compute' })
      const { active, client_id, scope } = await client.tokenIntrospection(
        found,
        tokens.access_token,
      )
      return { active, client_id, scope }
    },
    async signedAssertion() {
      const { privateKey } = await crypto.subtle.generateKey(
        { name: 'ECDSA', namedCurve: 'P-256' },
        false,
        ['sign', 'verify'],
      )
      return failureOf(async () => {
        const found = await client.discovery(
          new URL(config.issuer),
          'client-1',
          undefined,
          client.PrivateKeyJwt(privateKey),
          { execute: [client.allowInsecureRequests] },
        )
        await client.clientCredentialsGrant(found)
      })
    },
    async authorizationUrl() {
      const found = await discover()
      const verifier = client.randomPKCECodeVerifier()
      const url = client.buildAuthorizationUrl(found, {
        redirect_uri: 'https://site.example/callback',
        scope: 'openid',
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
      return { verifier, challenge: url.searchParams.get('code_challenge'), path: url.pathname }
    },
  }
})
