import type { FederationUser, FederationUserToken } from './contracts/shapes.ts'
import { FogbowError } from './errors.ts'
import type { PluginHost } from './host.ts'

/**
 * Tokens that a plugin signs itself, for users whose identity provider gives none: JWS of claims (RFC 7515 and 7519) with
 * HMAC-SHA256. Only this plugin checks them, on the path of every request, so a secret key serves: it costs less than a key
 * pair. The key is made at the first start and kept in the plugin's storage, so that the manifest must ask for that.
 *
 * ```ts
 * const tokens = await createSignedTokens(host, { issuer: 'site-a', lifetimeSeconds: 3600 })
 * return {
 *   tokenGenerator: { createTokenValue: async (credentials) => tokens.issue(await logIn(credentials)) },
 *   federationIdentity: { getFederationUserToken: async (tokenValue) => tokens.read(tokenValue) },
 *   authentication: { isAuthentic: (token) => tokens.isAuthentic(token) },
 * }
 * ```
 */
export interface SignedTokens {
  /** @throws configuration_error when roles and attributes are more than a token holds */
  issue(user: SignedUser): Promise<string>
  /** Says nothing about authenticity. @throws unauthenticated when it cannot be read */
  read(tokenValue: string): FederationUserToken
  /** Whether signature, issuer, audience and times hold, and the user is the one that was signed. */
  isAuthentic(token: FederationUserToken): Promise<boolean>
}

/** Whom a token is about; the issuer becomes `identityProviderId`. */
export interface SignedUser {
  id: string
  name: string
  roles: string[]
  attributes: NonNullable<FederationUser['attributes']>
}

export interface SignedTokenSettings {
  /** Issuer, audience and identity provider in one. */
  issuer: string
  lifetimeSeconds: number
}

const KEY = 'key'
const KEY_BYTES = 32
const LONGEST_TOKEN = 16_384
/** The one header that is made, and the only one that is believed: no token chooses its algorithm. */
const HEADER = encode(new TextEncoder().encode('{"alg":"HS256","typ":"JWT"}'))

type Claims = Readonly<Record<string, unknown>>

export async function createSignedTokens(
  { storage, clock }: Pick<PluginHost<unknown>, 'storage' | 'clock'>,
  { issuer, lifetimeSeconds }: SignedTokenSettings,
): Promise<SignedTokens> {
  const key = await importKey(await loadKey(storage))
  const genuine = createMemory()

  async function isSigned(tokenValue: string): Promise<boolean> {
    const [header, payload, text = '', ...more] = tokenValue.split('.')
    const signature = decode(text)
    // The last character of base64 has spare bits: texts that differ there only must not pass for the same token.
    if (header !== HEADER || more.length > 0 || !signature || encode(signature) !== text)
      return false
    const signed = new TextEncoder().encode(`${header}.${payload}`)
    return crypto.subtle.verify('HMAC', key, signature, signed)
  }

  function holds({ iss, aud, sub, jti, iat, nbf, exp }: Claims): boolean {
    const now = Math.floor(clock.now() / 1000)
    const isOurs = iss === issuer && aud === issuer && isName(sub) && isName(jti)
    return isOurs && [iat, nbf].every((at) => isTime(at) && at <= now) && isTime(exp) && now < exp
  }

  /** Whom a token is about, when all of it holds; undefined otherwise. */
  async function verify(tokenValue: string): Promise<FederationUserToken | undefined> {
    const known = genuine.get(tokenValue)
    if (known) return clock.now() < known.expiresAt ? known : undefined
    if (!(await isSigned(tokenValue)) || !holds(readClaims(tokenValue))) return undefined
    const user = toUser(tokenValue)
    genuine.set(tokenValue, user)
    return user
  }

  return {
    async issue({ id, name, roles, attributes }) {
      const now = Math.floor(clock.now() / 1000)
      const times = { iat: now, nbf: now, exp: now + lifetimeSeconds }
      const about = { iss: issuer, aud: issuer, sub: id, jti: crypto.randomUUID(), ...times }
      const claims = JSON.stringify({ name, roles, attributes, ...about })
      const content = `${HEADER}.${encode(new TextEncoder().encode(claims))}`
      const bytes = new TextEncoder().encode(content)
      const signature = await crypto.subtle.sign('HMAC', key, bytes)
      const token = `${content}.${encode(new Uint8Array(signature))}`
      if (token.length <= LONGEST_TOKEN) return token
      throw new FogbowError(
        'configuration_error',
        `roles and attributes of user '${id}' do not fit into a token of ${LONGEST_TOKEN} characters`,
      )
    },

    read: toUser,

    async isAuthentic(token) {
      const signed = await verify(token.tokenValue)
      return signed !== undefined && fingerprint(signed) === fingerprint(token)
    },
  }
}

function toUser(tokenValue: string): FederationUserToken {
  const { sub, iss, exp, name, roles, attributes } = readClaims(tokenValue)
  if (!isName(sub) || !isName(iss) || !isName(name) || !isRoles(roles) || !isAttributes(attributes))
    throw unreadable()
  if (!isTime(exp) || !Number.isSafeInteger(exp * 1000)) throw unreadable()
  const expiresAt = exp * 1000
  return { id: sub, identityProviderId: iss, name, roles, attributes, tokenValue, expiresAt }
}

function readClaims(tokenValue: string): Claims {
  const [, payload = '', signature] = tokenValue.split('.')
  const bytes = decode(payload)
  if (!bytes || signature === undefined) throw unreadable()
  try {
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof claims === 'object' && claims !== null) return claims as Claims
  } catch {
    // As unreadable as what is no object.
  }
  throw unreadable()
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
}

function unreadable(): FogbowError {
  return new FogbowError('unauthenticated', 'the token cannot be read; log in again')
}

/** base64url without padding (RFC 7515, section 2). */
function encode(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** @returns undefined when it is none */
function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return undefined
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    return Uint8Array.from(binary, (char) => char.charCodeAt(0))
  } catch {
    return undefined
  }
}

/** Equal for equal users, whatever the order of their attributes. */
function fingerprint(token: FederationUserToken): string {
  const { id, identityProviderId, name, roles, attributes = {}, expiresAt } = token
  const sorted = Object.entries(attributes).sort(([left], [right]) => (left < right ? -1 : 1))
  return JSON.stringify([id, identityProviderId, name, roles, sorted, expiresAt])
}

/** A text of 1 to 255 characters. */
export function isName(value: unknown): value is string {
  return isText(value, 255) && value !== ''
}

/** At most 256 roles of 1 to 255 characters, as the contract has it. */
export function isRoles(value: unknown): value is string[] {
  return isTexts(value, 255) && value.every((role) => role !== '')
}

/** At most 64 texts of 1024 characters, or lists of such, as the contract has it. */
export function isAttributes(value: unknown): value is SignedUser['attributes'] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const values = Object.values(value)
  return values.length <= 64 && values.every((item) => isText(item, 1024) || isTexts(item, 1024))
}

function isTexts(value: unknown, longest: number): value is string[] {
  return Array.isArray(value) && value.length <= 256 && value.every((one) => isText(one, longest))
}

function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length <= longest
}

/** Made at the first start, and kept: tokens outlive a restart. */
async function loadKey(storage: PluginHost['storage']): Promise<Uint8Array<ArrayBuffer>> {
  const stored = await storage.get(KEY)
  const known = typeof stored === 'string' ? decode(stored) : undefined
  if (known) return known
  const made = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
  await storage.set(KEY, encode(made))
  return made
}

function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  return crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign', 'verify'])
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
