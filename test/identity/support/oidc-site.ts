import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import type { Settings } from '../../../plugins-official/oidc/config.ts'
import { plugins } from '../../system/rest/run-site.ts'
import { SiteProcess, siteConfig } from '../../system/support/site-process.ts'
import { oidcSettings } from './oidc-plugin.ts'
import {
  type ProviderOptions,
  type RunningProvider,
  SITE_CLIENT,
  startOidcProvider,
} from './oidc-provider.ts'

/** Name of the plugin in the configuration of the site, and so of the source. */
export const SOURCE = 'science'

export interface OidcSite {
  provider: RunningProvider
  process: SiteProcess
  url: string
}

export interface OidcSiteOptions {
  settings?: Partial<Settings>
  http?: object
  provider?: ProviderOptions
}

/** A site whose users are all those of a provider, both running while the tests of the file do. */
export function runOidcSite({ settings, http, provider }: OidcSiteOptions = {}): OidcSite {
  const running = {} as OidcSite
  before(async () => {
    running.provider = await startOidcProvider(provider ?? {})
    running.process = await SiteProcess.start({
      config: oidcSiteConfig(running.provider.issuer, settings, http),
      env: { OIDC_CLIENT_SECRET: SITE_CLIENT.secret },
    })
    running.url = running.process.url
    running.provider.register(running.url, SOURCE)
  })
  after(async () => {
    await running.process?.stop()
    // One that was started anew over the same data leaves them.
    if (running.process) rmSync(running.process.folder, { recursive: true, force: true })
    await running.provider?.close()
  })
  return running
}

export function oidcSiteConfig(
  issuer: string,
  settings?: Partial<Settings>,
  http?: object,
): string {
  const { identity: _, ...others } = plugins()
  return siteConfig({
    site: {
      http: { requestsPerMinute: 0, failedLoginsPerMinute: 0, ...http },
      plugins: {
        ...others,
        [SOURCE]: {
          package: join(import.meta.dirname, '../../../plugins-official/oidc'),
          config: oidcSettings(issuer, settings),
          secrets: { clientSecret: 'env:OIDC_CLIENT_SECRET' },
          grants: { network: ['{config.issuer.host}'], addresses: ['127.0.0.0/8', '::1/128'] },
        },
      },
      aaa: {
        tokenGenerator: SOURCE,
        federationIdentity: SOURCE,
        authentication: SOURCE,
        authorization: 'roles',
      },
    },
  })
}
