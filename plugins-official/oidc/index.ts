import { asFogbowError, definePlugin } from '@fogbow/plugin-sdk'
import { createAccessTokens } from './access-tokens.ts'
import { checkSettings, defaults, type Settings } from './config.ts'
import { createKeys } from './keys.ts'
import { createLogin } from './login.ts'
import { createTokenGenerator } from './machines.ts'
import { createProvider } from './provider.ts'
import { createSessionTokens, SESSION_TYPE } from './session-tokens.ts'
import { createSignedClaims, headerOf } from './signed-claims.ts'

/** Users of an OpenID Connect provider. */
export default definePlugin<Settings>({
  async create(host) {
    const { config } = host
    checkSettings(config)
    const provider = createProvider(host)
    const keys = createKeys(host, provider)
    const signed = createSignedClaims(host, keys)
    const accessTokens = createAccessTokens(host, provider, signed)
    const sessions = await createSessionTokens(host, {
      issuer: config.identityProvider ?? config.issuer,
      lifetimeSeconds: config.tokenLifetimeSeconds ?? defaults.tokenLifetimeSeconds,
    })

    const read = (tokenValue: string) =>
      headerOf(tokenValue)?.typ === SESSION_TYPE
        ? sessions.read(tokenValue)
        : accessTokens.read(tokenValue)

    return {
      login: createLogin(config, provider, signed, sessions),
      tokenGenerator: createTokenGenerator(host, provider, accessTokens, sessions),
      federationIdentity: { getFederationUserToken: read },
      authentication: {
        async isAuthentic(token) {
          const genuine = await read(token.tokenValue).catch((error) => {
            if (asFogbowError(error).code === 'unauthenticated') return undefined
            throw error
          })
          return genuine !== undefined && canonical(genuine) === canonical(token)
        },
      },
      health: {
        async check() {
          await provider.metadata()
          await keys.refresh()
        },
      },
    }
  },
})

/** Equal for equal values, whatever the order of their fields. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, entry) =>
    typeof entry === 'object' && entry !== null && !Array.isArray(entry)
      ? Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)))
      : entry,
  )
}
