import { orderedKind } from '@fogbow/plugin-sdk'
import type { AaaPipeline } from '../aaa/index.ts'
import type { LocalClouds } from '../clouds/index.ts'
import type { SiteConfig } from '../config/index.ts'
import type { EngineClock, PlaceElsewhere } from '../orders/index.ts'
import type { PluginHost } from '../plugins/index.ts'
import type { Store } from '../store/index.ts'
import {
  type AnySite,
  createAnySite,
  createRefusals,
  createSiteFacts,
  rankByPlugin,
} from './any-site/index.ts'
import type { KnownSite } from './any-site/survey.ts'
import type { Wish } from './any-site/wish.ts'
import type { Providers } from './providers.ts'
import { assertWithinQuota } from './user-quota.ts'

/** Orders to any site, as this site decides about them: by its plugin, its allow lists, its policy and its quota. */
export function createSiteAnySite(parts: {
  aaa: AaaPipeline
  clouds: LocalClouds
  store: Store
  plugins: PluginHost
  providers: Providers
  /** This site and all members. */
  sites(): readonly KnownSite[]
  config(): SiteConfig
  clock: EngineClock
}): AnySite {
  const { aaa, store, providers, config, clock } = parts
  const siteId = () => config().site.id

  async function admit(wish: Wish, provider: string): Promise<void> {
    const kind = orderedKind(wish.kind)
    if (!kind) return
    providers.of(provider)
    await aaa.authorize(wish.user, { name: 'create', provider, requester: siteId() }, kind.type)
    if (provider === siteId())
      await assertWithinQuota(store.db, { ...wish, kind }, config().userQuota, provider)
  }

  return createAnySite({
    admit,
    sites: parts.sites,
    facts: createSiteFacts({ of: providers.of, clock }),
    refusals: createRefusals(clock.now),
    rank: rankByPlugin({ name: () => config().placement.plugin, plugins: parts.plugins }),
    defaultCloud: () => parts.clouds.names()[0] as string,
    now: clock.now,
  })
}

/** What the engine does with an order that may go to any site, and was refused where it is. */
export function placingElsewhere(anySite: Pick<AnySite, 'moveOn'>): PlaceElsewhere {
  return ({ kind, request, owner: user, provider, considered }, message) =>
    anySite.moveOn(
      { kind, request, user, provider, considered: considered ?? [] },
      { outcome: 'refused', message },
    )
}
