import { FogbowError, invalid } from '@fogbow/plugin-sdk'
import type { LocalClouds } from '../clouds/index.ts'
import { createLocalProvider } from './local-provider.ts'
import type { ProviderRules, Providers, RemoteProviders } from './providers.ts'

/** This site and the other members behind one interface. */
export function createProviders(
  clouds: LocalClouds,
  remote: RemoteProviders,
  rules: ProviderRules,
): Providers {
  const local = createLocalProvider(clouds, rules.siteId)
  return {
    members: remote.members,
    status: () => [
      { id: rules.siteId(), local: true, dialect: 'own', liveness: 'alive' },
      ...remote.status(),
    ],
    of(provider) {
      if (provider === rules.siteId()) return local
      if (!remote.members().includes(provider))
        throw invalid(
          'provider',
          `'${provider}' is no member; this site is '${rules.siteId()}', members are ${remote.members().join(', ') || 'none'}`,
        )
      if (rules.targets()?.includes(provider) === false)
        throw new FogbowError(
          'unauthorized',
          `Users of ${rules.siteId()} may not go to '${provider}': it is not among members.targets`,
        )
      return remote.of(provider)
    },
  }
}

/** For a site that has no way to other members. */
export function noRemoteProviders(members: () => readonly string[]): RemoteProviders {
  return {
    members,
    status: () =>
      members().map((id) => ({
        id,
        local: false,
        dialect: 'unknown',
        liveness: 'unknown',
        problem: 'this site has no connection to other members',
      })),
    of(member) {
      throw new FogbowError(
        'unavailable_provider',
        `Provider '${member}' cannot be reached: this site has no connection to other members`,
      )
    },
  }
}
