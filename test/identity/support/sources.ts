import { plugins } from '../../system/rest/run-site.ts'
import { siteConfig } from '../../system/support/site-process.ts'
import { GROUPS, PEOPLE, SEARCHER, SEARCHER_PASSWORD } from './directory.ts'
import { ldapFolder } from './ldap-plugin.ts'
import type { Slapd } from './slapd.ts'

/** A site that knows people from two places: `local`, its own file, and `staff`, a directory. */
export function twoSources(slapd: Slapd, changes: { site?: object; staff?: object } = {}) {
  const slots = (name: string) => ({
    tokenGenerator: name,
    federationIdentity: name,
    authentication: name,
  })
  return {
    env: { LDAP_PASSWORD: SEARCHER_PASSWORD },
    config: siteConfig({
      site: {
        plugins: {
          ...plugins(),
          staff: {
            package: ldapFolder,
            config: {
              issuer: 'staff.test',
              url: slapd.secureUrl,
              bindDn: SEARCHER,
              search: { base: PEOPLE },
              groups: { base: GROUPS },
              roles: { physics: ['user'] },
            },
            secrets: { bindPassword: 'env:LDAP_PASSWORD' },
            network: { caFiles: [slapd.certificates.authorityFile] },
            grants: { network: ['*'], addresses: ['127.0.0.0/8'] },
          },
        },
        aaa: {
          sources: {
            local: { ...slots('identity'), identityProviderId: 'site-a.test' },
            staff: {
              ...slots('staff'),
              identityProviderId: 'staff.test',
              domains: ['Employees'],
              ...changes.staff,
            },
          },
          authorization: 'roles',
        },
        ...changes.site,
      },
    }),
  }
}
