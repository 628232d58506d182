import { invalid, pluginKinds } from '@fogbow/plugin-sdk'
import type { SiteConfig } from '../config/index.ts'
import type { OperationParts } from './operation-parts.ts'
import type { CloudView, Operations } from './operations.ts'
import { toPluginView } from './plugin-view.ts'
import { toBody } from './request.ts'

export interface SiteParts extends OperationParts {
  version: string
  startedAt: number
  /** base64 of the site's public key, X.509 SubjectPublicKeyInfo */
  publicKey: string
}

/** What anybody may know of the site. */
export function createSiteOperations(
  parts: SiteParts,
): Pick<Operations, 'members' | 'memberStatus' | 'isMemberAuthorized' | 'publicKey' | 'site'> {
  function cloudView(
    name: string,
    cloud: SiteConfig['clouds'][string],
    isDefault: boolean,
  ): CloudView {
    const used: Record<string, string> = { federationToLocalMapper: cloud.mapper }
    for (const kind of pluginKinds) {
      const plugin = parts.plugins.get(cloud.kinds[kind] ?? cloud.plugin)
      if (plugin.kinds.includes(kind)) used[kind] = plugin.name
    }
    const names = new Set([cloud.plugin, ...Object.values(used)])
    const ailing = [...names]
      .map((plugin) => parts.plugins.get(plugin))
      .find((plugin) => plugin.health().state !== 'ready')
    const reason = ailing?.health().reason?.message
    const health = ailing
      ? `${ailing.name} is ${ailing.health().state}${reason ? `: ${reason}` : ''}`
      : 'ready'
    return { name, isDefault, plugins: used, health }
  }

  const members = () => [...new Set([parts.siteId(), ...parts.providers.members()])]

  return {
    members,
    memberStatus: () => parts.providers.status(),
    isMemberAuthorized(direction, body) {
      const { provider } = toBody(body)
      if (typeof provider !== 'string') throw invalid('provider', 'must be the id of a member')
      const settings = parts.config().members
      const allowed = direction === 'target' ? settings.targets : settings.requesters
      const authorized = members().includes(provider) && (allowed?.includes(provider) ?? true)
      return { authorized: authorized || provider === parts.siteId() }
    },
    publicKey: () => parts.publicKey,
    site: () => ({
      id: parts.siteId(),
      version: parts.version,
      startedAt: new Date(parts.startedAt).toISOString(),
      clouds: Object.entries(parts.config().clouds).map(([name, cloud], index) =>
        cloudView(name, cloud, index === 0),
      ),
      plugins: parts.plugins.list().map(toPluginView),
      members: members(),
    }),
  }
}
