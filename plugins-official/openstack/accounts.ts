import { type FederationUser, FogbowError } from '@fogbow/plugin-sdk'
import { type Credential, readCredential } from './api/credential.ts'

/** Accounts in the cloud, as the secret `accounts` has them. */
export interface Accounts {
  /** The name of the account that a user has. @param fallback - of users without one of their own */
  nameFor(user: FederationUser, fallback: string | undefined): string | undefined
  /** @throws configuration_error when there is none of that name */
  credential(name: string): Credential
}

const MOST_HOPS = 8

/**
 * Reads the text of a JSON object: name → credential, or the name of another account. Names are `id@identityProviderId`
 * of users, `role:ROLE@identityProviderId`, `*@identityProviderId` for all users of a home site, or free.
 * @throws configuration_error that never shows the text
 */
export function readAccounts(text: string): Accounts {
  const accounts = parse(text)
  const find = (name: string): unknown =>
    Object.hasOwn(accounts, name) ? accounts[name] : undefined

  function resolve(name: string): unknown {
    let found = find(name)
    for (let hops = 0; typeof found === 'string' && hops < MOST_HOPS; hops += 1) found = find(found)
    return found
  }

  return {
    nameFor: (user, fallback) => namesOf(user).find((name) => find(name) !== undefined) ?? fallback,
    credential(name) {
      const found = resolve(name)
      if (typeof found !== 'object' || found === null) throw wrong(`there is no account '${name}'`)
      return readCredential(found as Record<string, unknown>, `account '${name}'`)
    },
  }
}

/**
 * The more exact one comes first. Nobody gets the account of a role or a site by calling himself after it; what follows
 * the last @ is the home site, whatever ids and roles are like.
 */
function namesOf({ id, identityProviderId: home, roles }: FederationUser): string[] {
  if (home.includes('@')) return []
  const isReserved = id.startsWith('role:') || id === '*'
  return [
    ...(isReserved ? [] : [`${id}@${home}`]),
    ...roles.map((role) => `role:${role}@${home}`),
    `*@${home}`,
  ]
}

function parse(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw wrong('it is not JSON')
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw wrong('it must be an object, name → credential')
}

function wrong(problem: string): FogbowError {
  return new FogbowError(
    'configuration_error',
    `secret 'accounts' of the OpenStack plugin: ${problem}`,
  )
}
