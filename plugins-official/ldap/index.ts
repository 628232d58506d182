import { createSignedTokens, definePlugin } from '@fogbow/plugin-sdk'
import type { Client } from 'ldapts'
import { createConnections } from './connections.ts'
import { readEntries } from './entries.ts'
import { createLogIn } from './log-in.ts'
import { isRefusal } from './problems.ts'
import { type Config, toSettings } from './settings.ts'

/** Users of an LDAP directory. */
export default definePlugin<Config>({
  async create(host) {
    const settings = toSettings(host.config)
    const { issuer, tokenLifetimeSeconds: lifetimeSeconds, search, groups } = settings
    const connections = createConnections(host, settings)
    const logIn = createLogIn(host, connections, settings)
    const tokens = await createSignedTokens(host, { issuer, lifetimeSeconds })
    return {
      tokenGenerator: {
        createTokenValue: async (credentials) => tokens.issue(await logIn(credentials)),
      },
      federationIdentity: {
        getFederationUserToken: async (tokenValue) => tokens.read(tokenValue),
      },
      authentication: { isAuthentic: (token) => tokens.isAuthentic(token) },
      health: {
        async check() {
          const as = settings.userDn === undefined ? 'searcher' : 'anybody'
          await connections.use(as, async (client) => {
            if (as === 'anybody') await greet(client)
            for (const base of [search?.base, groups.base])
              if (as === 'searcher' && base !== undefined)
                await readEntries(client, base, { scope: 'base', attributes: ['1.1'] })
          })
        },
      },
    }
  },
})

/** It answers, even if it wants nothing to do with people without a name. */
async function greet(client: Client): Promise<void> {
  await client.bind('', '').catch((error) => {
    if (!isRefusal(error)) throw error
  })
}
