import {
  type FederationUser,
  type FederationUserToken,
  FogbowError,
  type LocalToken,
  type Operation,
} from '@fogbow/plugin-sdk'
import { type IdentitySource, identitySources, type SiteConfig } from '../config/index.ts'
import type { PluginHost } from '../plugins/index.ts'
import { sourceForLogIn, sourceOfToken } from './choose-source.ts'
import { createExpiringCache } from './expiring-cache.ts'
import type { Revocations } from './revocations.ts'

/** The five AAA plugin kinds, in the order in which a request meets them. */
export interface AaaPipeline {
  /**
   * `tokenGenerator.createTokenValue` of the identity source that `credentials.domain` names, or of the first.
   * @throws invalid_parameter for a domain of nobody
   */
  createToken(credentials: Record<string, string>, signal?: AbortSignal): Promise<string>
  /**
   * `federationIdentity.getFederationUserToken`, then `authentication.isAuthentic`, of the source that the token names.
   * @throws unauthenticated without a token, and for one that is unreadable, tampered with, expired or revoked
   */
  authenticate(tokenValue: string | undefined, signal?: AbortSignal): Promise<AuthenticUser>
  /** `authorization.isAuthorized`. @throws unauthorized */
  authorize(user: FederationUser, operation: Operation, type: string): Promise<void>
  /** `federationToLocalMapper.getToken` of that cloud. */
  localToken(user: FederationUser, cloudName: string): Promise<LocalToken>
  /** The cloud refused its token: the next call gets a new one. */
  forgetLocalToken(user: FederationUser, cloudName: string): void
  revoke(user: AuthenticUser): Promise<void>
  setPolicy(method: 'setPolicy' | 'updatePolicy', policy: string): Promise<void>
  /** Forgets everything remembered, because the configuration or a policy changed. */
  forget(): void
}

/** A user whose token was found authentic. */
export interface AuthenticUser {
  user: FederationUser
  tokenValue: string
  /** ms since the epoch */
  expiresAt: number
}

/** How long a cloud credential is used again when its mapper does not say. */
const LOCAL_TOKEN_MS = 60_000
/** A credential that is about to expire is not handed out any more. */
const LOCAL_TOKEN_MARGIN_MS = 30_000
const LONGEST_TOKEN = 16_384

export function createAaaPipeline(parts: {
  plugins: PluginHost
  config: () => SiteConfig
  revocations: Revocations
  now: () => number
}): AaaPipeline {
  const { plugins, revocations, now } = parts
  const users = createExpiringCache<AuthenticUser>(10_000, now)
  const granted = createExpiringCache<true>(50_000, now)
  const localTokens = createExpiringCache<Promise<LocalToken>>(10_000, now)

  const authorization = () => plugins.get(parts.config().aaa.authorization)
  const sources = () => identitySources(parts.config())

  function cachedUntil(): number {
    return now() + parts.config().aaa.cacheSeconds * 1000
  }

  async function check(tokenValue: string, signal?: AbortSignal): Promise<AuthenticUser> {
    const source = sourceOfToken(sources(), tokenValue)
    const token = (await plugins
      .get(source.federationIdentity)
      .call('federationIdentity.getFederationUserToken', [tokenValue], {
        signal,
      })) as FederationUserToken
    if (token.tokenValue !== tokenValue || token.expiresAt <= now()) throw expired()
    const authentic = await plugins
      .get(source.authentication)
      .call('authentication.isAuthentic', [token], { signal })
    if (authentic !== true) throw invalidToken()
    assertOwnUser(source, token)
    return { user: toUser(token), tokenValue, expiresAt: token.expiresAt }
  }

  return {
    async createToken(credentials, signal) {
      const all = sources()
      const source = sourceForLogIn(all, credentials)
      const tokenValue = (await plugins
        .get(source.tokenGenerator)
        .call('tokenGenerator.createTokenValue', [credentials], { signal })) as string
      assertOwnToken(all, source, tokenValue)
      return tokenValue
    },

    async authenticate(tokenValue, signal) {
      if (!tokenValue)
        throw new FogbowError(
          'unauthenticated',
          'Log in first: the header Fogbow-User-Token is missing',
        )
      if (tokenValue.length > LONGEST_TOKEN) throw invalidToken()
      if (revocations.has(tokenValue))
        throw new FogbowError('unauthenticated', 'The token was revoked; log in again')
      const known = users.get(tokenValue)
      if (known) {
        if (known.expiresAt <= now()) throw expired()
        return known
      }
      const user = await check(tokenValue, signal)
      users.set(tokenValue, user, Math.min(cachedUntil(), user.expiresAt))
      return user
    },

    async authorize(user, operation, type) {
      const key = decisionKey(user, operation, type)
      if (granted.get(key)) return
      const answer = await authorization().call('authorization.isAuthorized', [
        user,
        operation,
        type,
      ])
      if (answer !== true)
        throw new FogbowError('unauthorized', `User '${user.id}' may not ${operation.name} ${type}`)
      granted.set(key, true, cachedUntil())
    },

    async localToken(user, cloudName) {
      const key = localKey(user, cloudName)
      const known = localTokens.get(key)
      if (known !== undefined) return known
      const mapper = parts.config().clouds[cloudName]?.mapper
      if (!mapper)
        throw new FogbowError(
          'unavailable_provider',
          `Cloud '${cloudName}' is not configured at this site`,
        )
      const mapping = plugins
        .get(mapper)
        .call('federationToLocalMapper.getToken', [user]) as Promise<LocalToken>
      localTokens.set(key, mapping, now() + LOCAL_TOKEN_MS)
      try {
        const token = await mapping
        const until =
          token.expiresAt === undefined
            ? now() + LOCAL_TOKEN_MS
            : token.expiresAt - LOCAL_TOKEN_MARGIN_MS
        localTokens.delete(key)
        localTokens.set(key, mapping, until)
        return token
      } catch (error) {
        localTokens.delete(key)
        throw error
      }
    },

    forgetLocalToken: (user, cloudName) => localTokens.delete(localKey(user, cloudName)),

    async revoke(user) {
      await revocations.add(user.tokenValue, user.expiresAt)
      users.delete(user.tokenValue)
    },

    async setPolicy(method, policy) {
      const plugin = authorization()
      if (!plugin.offered.has(`authorization.${method}`)) {
        throw new FogbowError(
          'not_implemented',
          `The authorization plugin '${plugin.name}' takes no policy at run time`,
        )
      }
      await plugin.call(`authorization.${method}`, [policy])
      granted.clear()
    },

    forget() {
      users.clear()
      granted.clear()
      localTokens.clear()
    },
  }
}

/** Nobody could use a token that another source, or none, is asked about. */
function assertOwnToken(
  sources: readonly IdentitySource[],
  { name }: IdentitySource,
  tokenValue: string,
): void {
  try {
    if (sourceOfToken(sources, tokenValue).name === name) return
  } catch {
    // It belongs to nobody.
  }
  throw new FogbowError(
    'configuration_error',
    `Identity source '${name}' makes tokens that are not known as its own: aaa.sources.${name}.issuers has to name their issuer, or opaqueTokens be true`,
  )
}

/** A source that could speak for users of another would be all sources at once. */
function assertOwnUser(
  { name, identityProviderId }: IdentitySource,
  token: FederationUserToken,
): void {
  if (identityProviderId === undefined || token.identityProviderId === identityProviderId) return
  throw new FogbowError(
    'unauthenticated',
    `Identity source '${name}' speaks for users of '${identityProviderId}' only, and not for those of '${token.identityProviderId.slice(0, 80)}'`,
  )
}

function toUser(token: FederationUserToken): FederationUser {
  const { id, identityProviderId, name, roles, attributes } = token
  return { id, identityProviderId, name, roles, ...(attributes && { attributes }) }
}

/** Users are remembered as they are, and so can be what they look like in a key. */
const userKeys = new WeakMap<FederationUser, string>()

/** Everything that a decision may depend on, and nothing else. */
function decisionKey(user: FederationUser, operation: Operation, type: string): string {
  let userKey = userKeys.get(user)
  if (userKey === undefined) {
    userKey = JSON.stringify(user)
    userKeys.set(user, userKey)
  }
  return userKey + JSON.stringify([operation, type])
}

function localKey(user: FederationUser, cloudName: string): string {
  return JSON.stringify([user.id, user.identityProviderId, user.roles, user.attributes, cloudName])
}

function expired(): FogbowError {
  return new FogbowError('unauthenticated', 'The token has expired; log in again')
}

function invalidToken(): FogbowError {
  return new FogbowError('unauthenticated', 'The token is not valid; log in again')
}
