import {
  asFogbowError,
  type CallContext,
  type FederationUserToken,
  FogbowError,
  type PluginHost,
} from '@fogbow/plugin-sdk'
import type { Http } from '../api/http.ts'
import { identityUrl, type Login, readLogin } from '../api/session.ts'
import { defaults, type Settings } from '../config.ts'

/** Tokens of Keystone as tokens of the federation. */
export interface Tokens {
  /** Whom a token is about, as Keystone says. @throws unauthenticated when it is not good, or not any more */
  read(tokenValue: string, call: CallContext): Promise<FederationUserToken>
}

const MOST_REMEMBERED = 1000

export function createTokens(http: Http, { config, clock }: PluginHost<Settings>): Tokens {
  const recheckMs = (config.login?.recheckSeconds ?? defaults.recheckSeconds) * 1000
  const known = new Map<string, { user: FederationUserToken; until: number }>()

  function remember(user: FederationUserToken): void {
    const [oldest] = known.keys()
    if (known.size >= MOST_REMEMBERED && oldest !== undefined) known.delete(oldest)
    const until = Math.min(clock.now() + recheckMs, user.expiresAt)
    known.set(user.tokenValue, { user, until })
  }

  return {
    async read(tokenValue, call) {
      const remembered = known.get(tokenValue)
      if (remembered && clock.now() < remembered.until) return remembered.user
      known.delete(tokenValue)
      if (!isToken(tokenValue)) throw refused()
      const user = toUser(await askKeystone(http, config, tokenValue, call), config)
      if (user.expiresAt <= clock.now()) throw refused()
      remember(user)
      return user
    },
  }
}

/** A token may ask about itself. */
async function askKeystone(
  http: Http,
  config: Settings,
  token: string,
  call: CallContext,
): Promise<Login> {
  const headers = { 'x-auth-token': token, 'x-subject-token': token }
  const url = `${identityUrl(config)}/auth/tokens?nocatalog`
  try {
    const answer = await http.send({ service: 'identity', method: 'GET', url, headers }, call)
    return readLogin(token, answer.body, config)
  } catch (error) {
    const { status } = asFogbowError(error).details
    if (typeof status === 'number' && status < 500 && status !== 429) throw refused()
    throw error
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** Bits of the last character of base64 that say nothing, by what is left of its length after groups of four. */
const spareBits = [0, 0, 0b1111, 0b0011]

/**
 * Keystone's tokens are base64url, whose last character has bits that it ignores: texts that differ there only must not
 * pass for the same token, or one that is logged out here would live on under another text.
 */
function isToken(text: string): boolean {
  if (!/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){0,2}$/.test(text)) return false
  return text.split('.').every((part) => {
    const rest = part.length % 4
    return rest !== 1 && (alphabet.indexOf(part.at(-1) ?? '') & (spareBits[rest] ?? 0)) === 0
  })
}

export function toUser(
  { token, expiresAt, details }: Login,
  config: Settings,
): FederationUserToken {
  const user = details.object('user')
  const project = details.maybeObject('project')
  const has = details.objects('roles').map((role) => role.text('name'))
  const domain = user.maybeObject('domain')?.maybeText('name') ?? ''
  return {
    id: user.text('id'),
    identityProviderId: config.login?.identityProvider ?? new URL(config.authUrl).host,
    name: user.text('name'),
    roles: [...new Set(has.flatMap((role) => rolesFor(role, config)))],
    attributes: {
      domain,
      keystoneRoles: has,
      ...(project && { project: project.text('name'), projectId: project.text('id') }),
    },
    tokenValue: token,
    expiresAt,
  }
}

function rolesFor(role: string, { login }: Settings): readonly string[] {
  const roles = login?.roles ?? {}
  return Object.hasOwn(roles, role) ? (roles[role] ?? []) : []
}

function refused(): FogbowError {
  return new FogbowError(
    'unauthenticated',
    'Keystone does not know this token, or not any more; log in again',
  )
}
