import { join } from 'node:path'

export interface Member {
  readonly siteId: string
  /** As `fogbow federation key show` prints them there. */
  readonly keys: readonly string[]
}

/** What a test may want otherwise. */
export interface SiteSettings {
  readonly emulated?: object
  /** Section `orders`. */
  readonly orders?: object
  /** Section `marketplace`. */
  readonly marketplace?: object
  /** Beside those that every site has. */
  readonly plugins?: object
  readonly clouds?: object
  /** Parts of the section `federation`. */
  readonly federation?: object
}

const official = join(import.meta.dirname, '../../../plugins-official')

/** The sections that `fogbow federation init` wrote for a site, and what its administrator adds. */
export function siteConfig(
  siteId: string,
  others: readonly Member[],
  componentPort: number,
  settings: SiteSettings,
): string {
  const peers = Object.fromEntries(others.map(({ siteId: id, keys }) => [id, { keys }]))
  const plugin = (name: string, config: object, more = {}) => ({
    package: join(official, name),
    config,
    ...more,
  })
  const users = { secrets: { users: 'file:{dataDir}/users.json' } }
  const site = {
    site: { id: siteId },
    log: { level: 'warn' },
    http: { requestsPerMinute: 0, failedLoginsPerMinute: 0 },
    plugins: {
      identity: plugin('local-identity', { issuer: siteId }, users),
      roles: plugin('role-authorization', { site: siteId }),
      account: plugin('single-account', { withoutCredentials: true }),
      emulated: plugin('emulated-cloud', settings.emulated ?? {}),
      ...settings.plugins,
    },
    aaa: {
      tokenGenerator: 'identity',
      federationIdentity: 'identity',
      authentication: 'identity',
      authorization: 'roles',
    },
    clouds: { emulated: { plugin: 'emulated', mapper: 'account' }, ...settings.clouds },
    marketplace: settings.marketplace ?? {},
    orders: settings.orders ?? {},
  }
  const federation = { peers, ...settings.federation }
  return `import { federation, members } from './federation/sections.ts'

const site = ${JSON.stringify(site, null, 2)}

export default {
  ...site,
  members,
  // By way of the wire that the test holds.
  federation: {
    ...federation,
    xmpp: { ...federation.xmpp, port: ${componentPort} },
    ...${JSON.stringify(federation, null, 2)},
  },
}
`
}
