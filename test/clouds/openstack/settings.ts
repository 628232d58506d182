import type { OpenStack } from './openstack.ts'

/** Configuration of the plugin for a cloud of these tests. */
export function pluginConfig(cloud: OpenStack, authUrl = cloud.authUrl): Record<string, unknown> {
  const { hostname } = new URL(cloud.authUrl)
  return {
    authUrl,
    services: [`http://${hostname}:*`],
    region: 'RegionOne',
    settleSeconds: 5,
    compute: { defaultNetwork: cloud.privateNetwork },
    login: { identityProvider: 'site-a.test', project: 'demo', roles: { member: ['user'] } },
  }
}

/** The plugin's secret `accounts`: everybody has the one of the demo project. */
export function accountsSecret(cloud: OpenStack): string {
  return accountsFor(cloud, { 'ana@site-a.test': 'demo', '*@site-b.test': 'demo' })
}

/** @param names - whose account each is, beside `demo` and `other` */
export function accountsFor(cloud: OpenStack, names: Readonly<Record<string, unknown>>): string {
  const accountOf = (name: 'demo' | 'other') => ({
    ...cloud.loginOf(name),
    userDomain: 'Default',
  })
  return JSON.stringify({ demo: accountOf('demo'), other: accountOf('other'), ...names })
}
