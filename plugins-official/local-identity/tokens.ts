import { type FederationUserToken, FogbowError, type PluginHost } from '@fogbow/plugin-sdk'
import { base64url, decodeJwt, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { isAttributes, isName, isRoles, type User } from './users.ts'

/**
 * Signs and checks tokens: JWS of claims (RFC 7519) with HMAC-SHA256. Only this site checks them, on the path of every
 * request, so a secret key serves: it costs less than a key pair.
 */
export interface Tokens {
  issue(user: User): Promise<string>
  /** Says nothing about authenticity. @throws unauthenticated when it cannot be read */
  read(tokenValue: string): FederationUserToken
  /** Whom a token is about, when signature, issuer, audience and times hold; undefined otherwise. */
  verify(tokenValue: string): Promise<FederationUserToken | undefined>
}

export interface TokenSettings {
  /** Id of the site: issuer, audience and identity provider in one. */
  issuer: string
  lifetimeSeconds: number
}

const ALGORITHM = 'HS256'
const KEY = 'key'
const KEY_BYTES = 32
const LONGEST_TOKEN = 16_384

export async function createTokens(
  { storage, clock }: PluginHost<unknown>,
  { issuer, lifetimeSeconds }: TokenSettings,
): Promise<Tokens> {
  const key = await importKey(await loadKey(storage))
  const genuine = createMemory()
  const nowSeconds = () => Math.floor(clock.now() / 1000)

  async function isGenuine(tokenValue: string): Promise<boolean> {
    const currentDate = new Date(clock.now())
    const options = { algorithms: [ALGORITHM], issuer, audience: issuer, currentDate }
    const requiredClaims = ['sub', 'jti', 'iat', 'nbf', 'exp']
    return jwtVerify(tokenValue, key, { ...options, requiredClaims }).then(
      () => true,
      () => false,
    )
  }

  return {
    async issue({ name, roles, attributes }) {
      const now = nowSeconds()
      const token = await new SignJWT({ name, roles, attributes })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(issuer)
        .setSubject(name)
        .setJti(crypto.randomUUID())
        .setIssuedAt(now)
        .setNotBefore(now)
        .setExpirationTime(now + lifetimeSeconds)
        .sign(key)
      if (token.length <= LONGEST_TOKEN) return token
      throw new FogbowError(
        'configuration_error',
        `roles and attributes of user '${name}' do not fit into a token of ${LONGEST_TOKEN} characters`,
      )
    },

    read: (tokenValue) => toUser(tokenValue, decode(tokenValue)),

    async verify(tokenValue) {
      const known = genuine.get(tokenValue)
      if (known) return clock.now() < known.expiresAt ? known : undefined
      if (!isCanonical(tokenValue) || !(await isGenuine(tokenValue))) return undefined
      const user = toUser(tokenValue, decode(tokenValue))
      genuine.set(tokenValue, user)
      return user
    },
  }
}

/** The last character of base64 has spare bits: texts that differ there only must not pass for the same token. */
function isCanonical(tokenValue: string): boolean {
  const signature = tokenValue.slice(tokenValue.lastIndexOf('.') + 1)
  try {
    return base64url.encode(base64url.decode(signature)) === signature
  } catch {
    return false
  }
}

function decode(tokenValue: string): JWTPayload {
  try {
    return decodeJwt(tokenValue)
  } catch {
    throw unreadable()
  }
}

function toUser(tokenValue: string, claims: JWTPayload): FederationUserToken {
  const { sub, iss, exp, name, roles, attributes } = claims
  if (!isName(sub) || !isName(iss) || !isName(name) || !isRoles(roles) || !isAttributes(attributes))
    throw unreadable()
  const expiresAt = Number(exp) * 1000
  if (!Number.isSafeInteger(expiresAt) || expiresAt < 0) throw unreadable()
  return { id: sub, identityProviderId: iss, name, roles, attributes, tokenValue, expiresAt }
}

function unreadable(): FogbowError {
  return new FogbowError('unauthenticated', 'the token cannot be read; log in again')
}

/** Made at the first start, and kept: tokens outlive a restart. */
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

const MOST_REMEMBERED = 1000

/** Tokens whose signature was found right, so that it is not computed at each request; the oldest are forgotten. */
function createMemory() {
  const users = new Map<string, FederationUserToken>()
  return {
    get: (tokenValue: string) => users.get(tokenValue),
    set(tokenValue: string, user: FederationUserToken) {
      const [oldest] = users.keys()
      if (users.size >= MOST_REMEMBERED && oldest !== undefined) users.delete(oldest)
      users.set(tokenValue, user)
    },
  }
}
