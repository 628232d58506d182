import { type FederationUserToken, FogbowError, type PluginHost } from '@fogbow/plugin-sdk'
import { base64url, decodeJwt, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { User } from './users.ts'

/**
 * Signs and checks tokens: JWS of claims (RFC 7519) with HMAC-SHA256. Only this site checks them, on the path of every
 * request, so a secret key serves, which is ten times as fast as a key pair.
 */
export interface Tokens {
  issue(user: User): Promise<string>
  /** Says nothing about authenticity. @throws unauthenticated when it cannot be read */
  read(tokenValue: string): FederationUserToken
  /** Whether signature, issuer, audience and times hold. */
  verify(tokenValue: string): Promise<boolean>
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
      if (genuine.has(tokenValue)) return isCurrent(decode(tokenValue), nowSeconds())
      const verified = isCanonical(tokenValue) && (await isGenuine(tokenValue))
      if (verified) genuine.add(tokenValue)
      return verified
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

function isCurrent({ nbf = Number.POSITIVE_INFINITY, exp = 0 }: JWTPayload, now: number): boolean {
  return nbf <= now && now < exp
}

function toUser(tokenValue: string, claims: JWTPayload): FederationUserToken {
  const { sub, iss, exp, name, roles, attributes } = claims
  const isReadable =
    isText(sub) && isText(iss) && Number.isSafeInteger(exp) && isText(name) && isTexts(roles)
  if (!isReadable) throw unreadable()
  return {
    id: sub,
    identityProviderId: iss,
    name,
    roles,
    attributes: attributes as NonNullable<FederationUserToken['attributes']>,
    tokenValue,
    expiresAt: Number(exp) * 1000,
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText)
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
  const tokens = new Set<string>()
  return {
    has: (token: string) => tokens.has(token),
    add(token: string) {
      const [oldest] = tokens
      if (tokens.size >= MOST_REMEMBERED && oldest !== undefined) tokens.delete(oldest)
      tokens.add(token)
    },
  }
}
