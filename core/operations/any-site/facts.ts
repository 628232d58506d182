import type { FederationUser, PlacementCandidate } from '@fogbow/plugin-sdk'
import type { EngineClock } from '../../orders/index.ts'

/** What is known of a site for one user; absent is what it did not say in time. */
export type SiteFacts = Readonly<Pick<PlacementCandidate, 'clouds' | 'quota'>>

/** What sites are asked; `Provider` can do it. */
export interface FactSource {
  listClouds(user: FederationUser, signal: AbortSignal): Promise<readonly string[]>
  query(
    user: FederationUser,
    query: { cloudName: string; kind: 'quota'; method: 'getUserQuota' },
    signal: AbortSignal,
  ): Promise<unknown>
}

export interface FactSettings {
  /** Longest time that whoever wants to know waits. */
  waitMs: number
  /** Longest time that a site may take; what comes later than `waitMs` is there for the next one who asks. */
  answerMs: number
  /** How long an answer, or none, is used again. */
  freshMs: number
}

const defaultSettings: FactSettings = { waitMs: 1500, answerMs: 10_000, freshMs: 5000 }
/** Users times sites. */
const MOST_KEPT = 10_000

interface Inquiry {
  facts: { -readonly [Name in keyof SiteFacts]: SiteFacts[Name] }
  done: Promise<void>
  until: number
}

/** Asks sites for what placement is decided by, all at once and never for long, whoever is slow or silent. */
export function createSiteFacts(parts: {
  /** @throws for a site that cannot be asked */
  of(provider: string): FactSource
  clock: Pick<EngineClock, 'now' | 'after'>
  settings?: FactSettings
}) {
  const { clock, settings = defaultSettings } = parts
  const inquiries = new Map<string, Inquiry>()

  function inquire(user: FederationUser, provider: string, cloudName?: string): Inquiry {
    const key = JSON.stringify([user.id, user.identityProviderId, provider, cloudName])
    const known = inquiries.get(key)
    if (known && known.until > clock.now()) return known
    // Taken out first, so that the oldest stay in front.
    inquiries.delete(key)
    if (inquiries.size >= MOST_KEPT) inquiries.delete(inquiries.keys().next().value as string)
    const begun = begin(user, provider, cloudName)
    inquiries.set(key, begun)
    return begun
  }

  function begin(user: FederationUser, provider: string, cloudName?: string): Inquiry {
    const stopped = new AbortController()
    const cancel = clock.after(settings.answerMs, () => stopped.abort())
    const inquiry: Inquiry = {
      facts: {},
      done: Promise.resolve(),
      until: clock.now() + settings.answerMs,
    }
    inquiry.done = ask(inquiry, user, provider, cloudName, stopped.signal)
      // Whatever is wrong with the site: it says nothing, and is asked again later.
      .catch(() => {})
      .finally(() => {
        cancel()
        inquiry.until = clock.now() + settings.freshMs
      })
    return inquiry
  }

  async function ask(
    { facts }: Inquiry,
    user: FederationUser,
    provider: string,
    cloudName: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const site = parts.of(provider)
    const clouds = await site.listClouds(user, signal)
    facts.clouds = [...clouds]
    const cloud = cloudName ?? clouds[0]
    if (cloud === undefined || !clouds.includes(cloud)) return
    const asked = { cloudName: cloud, kind: 'quota', method: 'getUserQuota' } as const
    const { totalQuota, usedQuota } = (await site.query(user, asked, signal)) as QuotaAnswer
    facts.quota = { total: totalQuota, used: usedQuota }
  }

  return {
    /** @param cloudName - the one that the user wants; the default one of each site when absent */
    async gather(
      user: FederationUser,
      providers: readonly string[],
      cloudName?: string,
    ): Promise<ReadonlyMap<string, SiteFacts>> {
      const asked = providers.map(
        (provider) => [provider, inquire(user, provider, cloudName)] as const,
      )
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const cancel = clock.after(settings.waitMs, resolve)
      await Promise.race([late, Promise.all(asked.map(([, { done }]) => done))])
      cancel()
      return new Map(asked.map(([provider, { facts }]) => [provider, { ...facts }]))
    },
  }
}

export type SiteFactsGatherer = ReturnType<typeof createSiteFacts>

type Amounts = NonNullable<PlacementCandidate['quota']>['total']
interface QuotaAnswer {
  totalQuota: Amounts
  usedQuota: Amounts
}
