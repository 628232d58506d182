import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { FogbowError } from '@fogbow/plugin-sdk'
import { openSqliteStore, type Store } from '../../store/index.ts'
import type { FederationSettings } from '../settings.ts'
import { jidOf } from '../site-jid.ts'
import { createTrust, openSiteKeys } from '../trust/index.ts'
import { type Clock, createXmppComponent, systemClock, type XmppComponent } from '../xmpp/index.ts'
import { createSiteExaminer, type SiteReport, toLinkReport } from './site-report.ts'

export interface StandAloneParts {
  readonly siteId: string
  readonly xmpp: { readonly host: string; readonly port: number; readonly secret: string }
  readonly settings: FederationSettings
  readonly dataDir: string
  readonly clock?: Clock
  readonly timeoutMs?: number
}

/** Longer than one attempt that hangs. */
const LINK_TIMEOUT_MS = 11_000
const FIRST_ATTEMPTS = 2
const silent = { info() {}, warn() {}, error() {} }

/**
 * The report of a site that does not run at this moment: takes its link, asks, and gives the link back.
 * @returns undefined when the site runs, whose link must not be taken: ask it
 */
export async function reportStandingAlone(parts: StandAloneParts): Promise<SiteReport | undefined> {
  const { siteId, settings, dataDir, clock = systemClock } = parts
  const store = await openStore(dataDir)
  if (!store) return undefined
  const component = createXmppComponent(
    { jid: jidOf(siteId), ...parts.xmpp },
    { log: silent, clock },
  )
  try {
    const keys = await openSiteKeys(dataDir)
    const trust = createTrust({ siteId, keys, store, settings: () => settings, clock, log: silent })
    await loadKeys(() => trust.peerKeys.load())
    const noLink = () => ({ link: toLinkReport(component), keys: trust.announced, members: [] })
    component.start()
    if (!(await isOnline(component, clock, FIRST_ATTEMPTS))) return noLink()
    const { timeoutMs } = parts
    const examiner = createSiteExaminer({
      ...{ component, trust, settings: () => settings, siteId, clock },
      ...(timeoutMs !== undefined && { timeoutMs }),
    })
    const report = await examiner.report()
    if (report.link.state === 'online') return report
    // A busy server, or one that was just started, drops a link that it took; the site would come back as well.
    return (await isOnline(component, clock)) ? await examiner.report() : noLink()
  } finally {
    await component.stop()
    await store.close()
  }
}

/** The site's own, for the keys that it learnt; a running site holds it. */
async function openStore(dataDir: string): Promise<Store | undefined> {
  const path = join(dataDir, 'site.db')
  if (!existsSync(path)) return openSqliteStore(':memory:')
  try {
    return await openSqliteStore(path)
  } catch (error) {
    if (error instanceof FogbowError && /another process/.test(error.message)) return undefined
    throw error
  }
}

/** Keys that cannot be read are found again, member by member, in the report. */
async function loadKeys(load: () => Promise<void>): Promise<void> {
  try {
    await load()
  } catch (error) {
    if (!(error instanceof FogbowError)) throw error
  }
}

/** Waits until it is decided: online, refused, failed so often, or not to be had in time. */
function isOnline(
  component: XmppComponent,
  clock: Clock,
  attempts = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  return new Promise((resolve) => {
    let failed = 0
    const decide = (online: boolean) => {
      cancel()
      end()
      resolve(online)
    }
    const cancel = clock.after(LINK_TIMEOUT_MS, () => decide(false))
    const end = component.onLink(({ state, retryAt }) => {
      if (state === 'offline' && retryAt !== undefined) failed += 1
      if (state === 'online') decide(true)
      else if (state === 'refused' || failed >= attempts) decide(false)
    })
    if (component.link.state === 'online') decide(true)
  })
}
