import type { MemberId } from '../contract.ts'
import { jidOf } from '../site-jid.ts'
import {
  judgeCertificate,
  judgeNoCertificate,
  type Question,
  readCertificate,
  type ShownCertificate,
} from './certificate.ts'
import type { Finding } from './finding.ts'
import { judgeKeys } from './key-words.ts'
import { judgeLink } from './link-words.ts'
import { judgeName, type Located, type Names } from './names.ts'
import { judgeClock, judgePing } from './ping-words.ts'
import { judgeComponentPort, judgeServerPort, type Reach, reach } from './ports.ts'
import type { MemberReport, SiteReport } from './site-report.ts'

export interface DoctorParts {
  readonly siteId: MemberId
  /** Where the component dials in. */
  readonly xmpp: { readonly host: string; readonly port: number }
  readonly members: readonly MemberId[]
  readonly names: Names
  /** PEM of the authority that the federation trusts; those of the machine when absent. */
  readonly authority?: string | undefined
  /** Of the running site, or of this process standing alone. @returns why there is none, if there is none */
  readonly report: () => Promise<SiteReport | { readonly missing: string; readonly advice: string }>
  /** ms since the epoch */
  readonly now: () => number
  readonly reach?: (host: string, port: number) => Promise<Reach>
  readonly readCertificate?: (question: Question) => Promise<ShownCertificate>
}

/** Looks at one thing after the other, from the own machine outwards; each finding comes when it is known. */
export async function* examineFederation(parts: DoctorParts): AsyncGenerator<Finding> {
  const { siteId, xmpp, members, names, now } = parts
  const reachOf = parts.reach ?? reach
  const ownJid = jidOf(siteId)
  const at = `${xmpp.host}:${xmpp.port}`
  yield judgeComponentPort(xmpp.host, xmpp.port, await reachOf(xmpp.host, xmpp.port))
  const report = await parts.report()
  if ('missing' in report)
    yield { ...{ check: 'component secret', about: ownJid, verdict: 'unknown' }, ...words(report) }
  else yield judgeLink(report.link, { jid: ownJid, at })
  yield judgeName(ownJid, await names.locate(ownJid), 'own')
  const others = 'missing' in report ? [] : report.members.map(({ id }) => id)
  for (const member of new Set([...members, ...others])) {
    if (member === siteId) continue
    yield* examineServer(member)
    const found = 'missing' in report ? undefined : report.members.find(({ id }) => id === member)
    if (found) yield* examineMember(found)
    else yield notAsked(member, report)
  }

  async function* examineServer(member: MemberId): AsyncGenerator<Finding> {
    const name = jidOf(member)
    const located = await names.locate(name)
    yield judgeName(name, located, 'member')
    if (located.addresses.length > 0) yield* examineAddress(name, located)
  }

  async function* examineAddress(name: string, located: Located): AsyncGenerator<Finding> {
    const { port } = located
    const [address = ''] = located.addresses
    const reached = await reachOf(address, port)
    yield judgeServerPort(name, `${address}:${port}`, reached)
    if (reached !== 'open') return
    const { authority } = parts
    try {
      const read = parts.readCertificate ?? readCertificate
      const shown = await read({ address, port, name, from: ownJid, authority })
      yield judgeCertificate(name, shown, now())
    } catch (error) {
      if (!(error instanceof Error)) throw error
      yield judgeNoCertificate(name, error)
    }
  }

  function* examineMember(member: MemberReport): Generator<Finding> {
    yield judgeKeys(member)
    yield judgePing(member, siteId)
    const clock = judgeClock(member)
    if (clock) yield clock
  }

  function notAsked(
    member: MemberId,
    report: SiteReport | { readonly missing: string; readonly advice: string },
  ): Finding {
    const base = { check: 'signed ping', about: member, verdict: 'unknown' } as const
    if ('missing' in report) return { ...base, ...words(report) }
    return { ...base, found: 'not asked: there is no link to the own XMPP server' }
  }
}

function words({ missing, advice }: { readonly missing: string; readonly advice: string }) {
  return { found: missing, advice }
}
