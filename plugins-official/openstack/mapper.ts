import {
  type FederationToLocalMapperPlugin,
  FogbowError,
  type PluginHost,
} from '@fogbow/plugin-sdk'
import { readAccounts } from './accounts.ts'
import type { Settings } from './config.ts'

/**
 * Answers the name of an account and never its credential: that stays between the site's secrets and the parts of this
 * plugin that log in with it.
 */
export function createMapper({
  config,
  secrets,
}: PluginHost<Settings>): FederationToLocalMapperPlugin {
  return {
    async getToken(user) {
      const accounts = readAccounts(await secrets.get('accounts'))
      const account = accounts.nameFor(user, config.mapper?.fallback)
      if (account === undefined)
        throw new FogbowError(
          'unauthorized',
          `user '${user.id}' of '${user.identityProviderId}' has no account in this cloud; ask the administrator of this site for one`,
        )
      // That there is such an account is told now, and not by each of its orders.
      accounts.credential(account)
      return { account }
    },
  }
}
