import { type FederationUserToken, FogbowError, type PluginHost } from '@fogbow/plugin-sdk'
import { base64url, jwtVerify, SignJWT } from 'jose'
import type { KnownUser } from './claims.ts'
import { isCanonical } from './signed-claims.ts'

/**
 * What somebody gets who logged in: a token of this site that says who he is. Nothing of the provider's own tokens is in it,
 * so that whoever has it can do nothing elsewhere. JWS of claims (RFC 7519) with HMAC-SHA256 and a key that only this plugin has.
 */
export interface SessionTokens {
  /** @param until - ms since the epoch after which the provider does not stand for the user any more */
  issue(user: KnownUser, until?: number): Promise<string>
  /** @throws unauthenticated when it is not good, or not any more */
  read(tokenValue: string): Promise<FederationUserToken>
}

/** Tells it from everything that the provider signs (RFC 8725, section 3.11). */
export const SESSION_TYPE = 'fogbow-session+jwt'
const ALGORITHM = 'HS256'
const KEY = 'key'
const KEY_BYTES = 32
const LONGEST_TOKEN = 16_384

export async function createSessionTokens(
  { storage, clock }: Pick<PluginHost<unknown>, 'storage' | 'clock'>,
  { issuer, lifetimeSeconds }: { issuer: string; lifetimeSeconds: number },
): Promise<SessionTokens> {
  const key = await importKey(await loadKey(storage))

  return {
    async issue({ id, name, roles, attributes }, until = Number.POSITIVE_INFINITY) {
      const now = Math.floor(clock.now() / 1000)
      const token = await new SignJWT({ name, roles, attributes })
        .setProtectedHeader({ alg: ALGORITHM, typ: SESSION_TYPE })
        .setIssuer(issuer)
        .setAudience(issuer)
        .setSubject(id)
        .setJti(crypto.randomUUID())
        .setIssuedAt(now)
        .setNotBefore(now)
        .setExpirationTime(Math.min(now + lifetimeSeconds, Math.floor(until / 1000)))
        .sign(key)
      if (token.length <= LONGEST_TOKEN) return token
      throw new FogbowError(
        'configuration_error',
        `roles and attributes of user '${id}' do not fit into a token of ${LONGEST_TOKEN} characters; name fewer in config.claims`,
      )
    },

    async read(tokenValue) {
      if (!isCanonical(tokenValue)) throw refused()
      const options = { algorithms: [ALGORITHM], typ: SESSION_TYPE, issuer, audience: issuer }
      const currentDate = new Date(clock.now())
      const requiredClaims = ['sub', 'jti', 'iat', 'nbf', 'exp']
      const { payload } = await jwtVerify(tokenValue, key, {
        ...options,
        currentDate,
        requiredClaims,
      }).catch(() => {
        throw refused()
      })
      const { name, roles, attributes } = payload as unknown as KnownUser
      return {
        id: String(payload.sub),
        identityProviderId: issuer,
        name,
        roles,
        attributes,
        tokenValue,
        expiresAt: Number(payload.exp) * 1000,
      }
    },
  }
}

function refused(): FogbowError {
  return new FogbowError(
    'unauthenticated',
    'the token is not one of this site, or not any more; log in again',
  )
}

/** Made at the first start, and kept: logins outlive a restart. */
async function loadKey(storage: PluginHost['storage']): Promise<Uint8Array> {
  const known = await storage.get(KEY)
  if (typeof known === 'string') return base64url.decode(known)
  const made = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
  await storage.set(KEY, base64url.encode(made))
  return made
}

function importKey(bytes: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey(
    'raw',
    new Uint8Array(bytes),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign', 'verify'],
  )
}
