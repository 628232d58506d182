import { type FederationUserToken, FogbowError, type PluginHost } from '@fogbow/plugin-sdk'
import { tokenIntrospection } from 'openid-client'
import { type Claims, toUser } from './claims.ts'
import { type AccessTokenSettings, defaults, type Settings } from './config.ts'
import { providerError } from './errors.ts'
import type { Provider } from './provider.ts'
import { headerOf, type SignedClaims } from './signed-claims.ts'

/** Access tokens of the provider as tokens of this site. */
export interface AccessTokens {
  /** @throws unauthenticated when it is not good, or not for this site; unavailable_provider when nobody can tell */
  read(tokenValue: string): Promise<FederationUserToken>
  /** What the provider says of a token that it has just given; nothing when it may not be asked. */
  claimsOf(tokenValue: string): Promise<Claims | undefined>
}

const MOST_REMEMBERED = 1000
const opaque = /^[\x21-\x7e]{8,16384}$/

export function createAccessTokens(
  { config, clock }: Pick<PluginHost<Settings>, 'config' | 'clock'>,
  provider: Provider,
  signed: SignedClaims,
): AccessTokens {
  const settings = config.accessTokens
  const introspection = settings?.introspection ?? defaults.introspection
  const recheckMs = (settings?.recheckSeconds ?? defaults.recheckSeconds) * 1000
  const known = new Map<string, { user: FederationUserToken; until: number }>()

  /** RFC 7662 */
  async function introspect(tokenValue: string): Promise<Claims> {
    const claims = await provider
      .ask((configuration) => tokenIntrospection(configuration, tokenValue))
      .catch((error) => {
        throw providerError(error, provider.issuer)
      })
    if (claims.active !== true) throw refused('the provider does not stand for it, or not any more')
    if (claims.iss !== undefined && claims.iss !== provider.issuer)
      throw refused('it is of another issuer')
    return claims
  }

  async function look(tokenValue: string, accepted: AccessTokenSettings): Promise<Claims> {
    const header = headerOf(tokenValue)
    if (!header) {
      if (introspection === 'never' || !opaque.test(tokenValue)) throw refused('it cannot be read')
      const claims = await introspect(tokenValue)
      checkIntrospected(claims, accepted)
      return claims
    }
    const claims = await signed.verify(tokenValue, accepted.audience)
    if (!isAccessToken(header.typ, claims, config.clientId)) throw refused('it is no access token')
    if (introspection === 'always') await introspect(tokenValue)
    return claims
  }

  function remember(user: FederationUserToken): void {
    const [oldest] = known.keys()
    if (known.size >= MOST_REMEMBERED && oldest !== undefined) known.delete(oldest)
    known.set(user.tokenValue, { user, until: Math.min(clock.now() + recheckMs, user.expiresAt) })
  }

  return {
    async read(tokenValue) {
      if (!settings) throw refused('this site takes no access tokens of the provider')
      const remembered = known.get(tokenValue)
      if (remembered && clock.now() < remembered.until) return remembered.user
      known.delete(tokenValue)
      const claims = await look(tokenValue, settings)
      // Bound to a key of its holder, of whom nobody has a proof here (RFC 7800).
      if (claims.cnf !== undefined) throw refused('it is bound to a key')
      const expiresAt = Number(claims.exp) * 1000
      if (!Number.isSafeInteger(expiresAt) || expiresAt <= clock.now())
        throw refused('it does not say how long it is good, or is not any more')
      const user = { ...toKnownUser(claims, config), tokenValue, expiresAt }
      remember(user)
      return user
    },

    async claimsOf(tokenValue) {
      if (headerOf(tokenValue)) return signed.verify(tokenValue)
      return introspection === 'never' ? undefined : introspect(tokenValue)
    },
  }
}

/** Who may not log in has no good token either. */
function toKnownUser(claims: Claims, config: Settings) {
  try {
    return toUser(claims, config)
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error))
  }
}

function checkIntrospected(claims: Claims, { audience, clients = [] }: AccessTokenSettings): void {
  // A refresh token is active as well, and lives much longer.
  const kind = claims.typ ?? claims.token_type
  if (typeof kind !== 'string' || kind.toLowerCase() !== 'bearer')
    throw refused('it is no access token')
  const audiences: unknown[] = [claims.aud].flat()
  const isOfClient = claims.aud === undefined && clients.includes(String(claims.client_id))
  if (!audiences.includes(audience) && !isOfClient) throw refused('it is not for this site')
}

/**
 * An ID token is signed by the same provider for this site's client, and says that somebody logged in here, not that its
 * bearer may act for him. Access tokens say what they are in their header (RFC 9068) or, at Keycloak, in a claim.
 */
function isAccessToken(type: string | undefined, claims: Claims, clientId: string): boolean {
  if (/^(application\/)?at\+jwt$/i.test(type ?? '')) return true
  if (claims.typ !== undefined) return claims.typ === 'Bearer'
  const isIdToken = ['nonce', 'at_hash', 'c_hash', 's_hash'].some((name) => name in claims)
  const isPlainType = type === undefined || type.toUpperCase() === 'JWT'
  return isPlainType && !isIdToken && ![claims.aud].flat().includes(clientId)
}

function refused(why: string): FogbowError {
  return new FogbowError('unauthenticated', `the access token is not accepted: ${why}`)
}
