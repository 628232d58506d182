import { defineConfig } from '@fogbow/core/config'

const siteId = 'site-a.local'

/** A complete site: an emulated cloud, users in a file, everything stored beside this file. */
export default defineConfig({
  site: { id: siteId },

  plugins: {
    identity: {
      package: '@fogbow/plugin-local-identity',
      config: { issuer: siteId },
      secrets: { users: 'file:{dataDir}/users.json' },
    },
    roles: { package: '@fogbow/plugin-role-authorization', config: { site: siteId } },
    account: {
      package: '@fogbow/plugin-single-account',
      config: { account: { project: 'demo' }, withoutCredentials: true },
    },
    emulated: { package: '@fogbow/plugin-emulated-cloud' },
  },

  aaa: {
    tokenGenerator: 'identity',
    federationIdentity: 'identity',
    authentication: 'identity',
    authorization: 'roles',
  },

  clouds: {
    emulated: { plugin: 'emulated', mapper: 'account' },
  },
})
