import { definePlugin, type FederationUser, FogbowError } from '@fogbow/plugin-sdk'
import { parseCredentials } from './credentials.ts'

interface Config {
  accounts?: Record<string, Record<string, unknown>>
  identityProvider?: string
  fallback?: string
}

/** Each user gets the account that he, one of his roles or his home site has in a cloud, and nobody gets another's. */
export default definePlugin<Config>({
  create({ config, secrets }) {
    const { accounts = {}, fallback } = config
    return {
      federationToLocalMapper: {
        async getToken(user) {
          const credentials = parseCredentials(await secrets.get('accounts'))
          const names = namesOf(user, config)
          const isKnown = (name: string) =>
            Object.hasOwn(accounts, name) || Object.hasOwn(credentials, name)
          const name = names.find(isKnown) ?? fallback
          if (name === undefined) throw withoutAccount(user)
          const credential = Object.hasOwn(credentials, name) ? credentials[name] : undefined
          if (!credential) throw withoutCredential(name)
          return { ...(Object.hasOwn(accounts, name) && accounts[name]), ...credential }
        },
      },
    }
  },
})

/** The more exact name comes first: that of the user, those of his roles, that of all users of his site. */
function namesOf(user: FederationUser, { identityProvider }: Config): string[] {
  const { id, identityProviderId: home, roles } = user
  const isPlain = identityProvider === undefined || identityProvider === home
  const names = [...(isReserved(id) ? [] : [id]), ...roles.map((role) => `role:${role}`)]
  return [...names.flatMap((name) => namesAt(name, home, isPlain)), ...namesAt('*', home, false)]
}

/**
 * A name with an @ in it counts only together with its identity provider: else somebody called `ana@site-a` at another
 * site would pass for the ana of site-a.
 */
function namesAt(name: string, home: string, isPlain: boolean): string[] {
  const full = home.includes('@') ? [] : [`${name}@${home}`]
  return isPlain && !name.includes('@') ? [...full, name] : full
}

/** Nobody gets the account of a role, or of a site, by calling himself after it. */
function isReserved(id: string): boolean {
  return id.startsWith('role:') || id === '*'
}

function withoutAccount({ id, identityProviderId }: FederationUser): FogbowError {
  return new FogbowError(
    'unauthorized',
    `user '${id}' of '${identityProviderId}' has no account in this cloud; ask the administrator of this site for one`,
  )
}

function withoutCredential(name: string): FogbowError {
  return new FogbowError(
    'configuration_error',
    `secret 'accounts' of per-user-account: there is no credential for '${name}'`,
  )
}
