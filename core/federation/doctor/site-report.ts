import type { MemberId } from '../contract.ts'
import type { DialectName } from '../dialect.ts'
import { OWN_NAMESPACE } from '../own/index.ts'
import type { FederationSettings } from '../settings.ts'
import { jidOf } from '../site-jid.ts'
import { readConfigured, type Trust } from '../trust/index.ts'
import { type Clock, createPeerDiscovery, element, type XmppComponent } from '../xmpp/index.ts'
import { createSignedPing, PING_TIMEOUT_MS, type PingOutcome, toOutcome } from './signed-ping.ts'

/** What only the holder of the link can tell. Plain data: it travels over the REST API. */
export interface SiteReport {
  readonly link: LinkReport
  /** What members are to pin, as `kid:x`. */
  readonly keys: readonly string[]
  readonly members: readonly MemberReport[]
}

export interface LinkReport {
  readonly state: 'connecting' | 'online' | 'offline' | 'refused' | 'stopped'
  /** A condition of the stream, and its text. */
  readonly condition?: string
  readonly text?: string
}

export interface MemberReport {
  readonly id: MemberId
  readonly dialect: DialectName | 'unknown'
  /** Names of the keys in the configuration. */
  readonly pinned: readonly string[]
  /** Why they cannot be read. */
  readonly keyProblem?: string
  /** Whether any key that signs is believed, configured or learnt. */
  readonly isKnown: boolean
  /** What it says its keys are, as `kid:x`. Nobody signed that: to be compared, never to be believed. */
  readonly shown?: readonly string[]
  readonly ping: PingOutcome
}

/** Looks at the federation from inside of a site. */
export interface SiteExaminer {
  report(): Promise<SiteReport>
}

export interface SiteExaminerParts {
  readonly component: XmppComponent
  readonly trust: Trust
  readonly settings: () => FederationSettings
  readonly siteId: MemberId
  readonly clock: Clock
  readonly timeoutMs?: number
}

const AT_A_TIME = 16

export function createSiteExaminer(parts: SiteExaminerParts): SiteExaminer {
  const { component, trust, settings, siteId, clock, timeoutMs = PING_TIMEOUT_MS } = parts
  const ping = createSignedPing({ component, trust, clock, timeoutMs })
  const discovery = createPeerDiscovery(component, clock, { timeoutMs, keepMs: 0 })

  async function plainPing(member: MemberId): Promise<PingOutcome> {
    const begun = clock.now()
    const answered = () => ({ kind: 'answered', latencyMs: clock.now() - begun }) as const
    try {
      const question = element('ping', { xmlns: 'urn:xmpp:ping' })
      await component.request(jidOf(member), 'get', [question], { timeoutMs })
      return answered()
    } catch (error) {
      const outcome = toOutcome(error, timeoutMs)
      const isThere =
        outcome.kind === 'not delivered' && /not-implemented|bad-request/.test(outcome.condition)
      return isThere ? answered() : outcome
    }
  }

  /** What the member says of itself; nothing when it says nothing. */
  async function described(member: MemberId) {
    try {
      const { features, forms } = await discovery.ask(jidOf(member))
      const shown = forms.find(({ type }) => type === OWN_NAMESPACE)?.fields.keys ?? []
      return { dialect: features.has(OWN_NAMESPACE) ? ('own' as const) : ('java' as const), shown }
    } catch {
      return { dialect: 'unknown' as const, shown: undefined }
    }
  }

  async function look(member: MemberId): Promise<MemberReport> {
    const peers = settings().peers
    const peer = Object.hasOwn(peers, member) ? peers[member] : undefined
    const isKnown = trust.peerKeys.knows(member)
    const said = await described(member)
    const dialect = peer?.dialect ?? (isKnown ? 'own' : said.dialect)
    return {
      ...{ id: member, dialect, isKnown, ...pinnedOf(member, peer?.keys ?? []) },
      ...(said.shown && { shown: said.shown }),
      ping: dialect === 'java' ? await plainPing(member) : await ping(member),
    }
  }

  return {
    async report() {
      const members = settings().members.filter((member) => member !== siteId)
      const reports: MemberReport[] = []
      for (let at = 0; at < members.length; at += AT_A_TIME)
        reports.push(...(await Promise.all(members.slice(at, at + AT_A_TIME).map(look))))
      return { link: toLinkReport(component), keys: trust.announced, members: reports }
    },
  }
}

export function toLinkReport({ link: { state, reason } }: XmppComponent): LinkReport {
  return { state, ...(reason && { condition: reason.condition, text: reason.text }) }
}

function pinnedOf(member: MemberId, keys: Parameters<typeof readConfigured>[1]) {
  try {
    return { pinned: readConfigured(member, keys).map(({ kid }) => kid) }
  } catch (error) {
    return { pinned: [], keyProblem: error instanceof Error ? error.message : String(error) }
  }
}
