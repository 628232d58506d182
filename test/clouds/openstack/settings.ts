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
  const { username, password, project } = cloud.loginOf('demo')
  const demo = { username, password, project, userDomain: 'Default' }
  return JSON.stringify({ demo, 'ana@site-a.test': 'demo', '*@site-b.test': 'demo' })
}
