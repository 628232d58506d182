import {
  bareJid,
  extended,
  type Heartbeat,
  I_AM_ALIVE,
  isMemberJid,
  makeStatement,
  OWN,
  ownChild,
  readHeartbeat,
  SYNC,
  toCertificate,
  WHO_IS_ALIVE,
} from '../federation/membership/index.ts'
import type { SiteKeys } from '../federation/trust/index.ts'
import {
  type Clock,
  childNamed,
  childText,
  type Element,
  element,
  type XmppComponent,
} from '../federation/xmpp/index.ts'
import type { MemberKeys } from './member-keys.ts'
import { pageOf } from './paging.ts'
import { NotAdmitted, type Refusals, reasonOf, toAnswer } from './refusals.ts'
import type { Roster, RosterEntry } from './roster.ts'
import type { RendezvousSettings } from './settings.ts'
import type { WhiteList } from './white-list.ts'

export interface AnswerParts {
  readonly component: XmppComponent
  readonly settings: RendezvousSettings
  readonly whiteList: WhiteList
  readonly memberKeys: MemberKeys
  readonly roster: Roster
  readonly refusals: Refusals
  readonly keys: SiteKeys
  readonly clock: Clock
  /** Whether who is not in the roster is gone; not so while it fills again. */
  readonly isSettled: () => boolean
  readonly answered: (what: 'heartbeats' | 'lists' | 'syncs') => void
}

/** Serves members and neighbours, of our kind and of the original. */
export function serveRendezvous(parts: AnswerParts): void {
  const { component, settings, whiteList, memberKeys, roster, refusals, keys, clock } = parts
  const { jid } = component
  const statements = new WeakMap<RosterEntry, string>()

  function serve(
    namespace: string,
    what: Parameters<AnswerParts['answered']>[0],
    answer: (peer: string, query: Element) => Promise<Element> | Element,
  ): void {
    component.serve('get', namespace, async ({ from, payload }) => {
      const peer = bareJid(from)
      try {
        const children = [await answer(peer, payload)]
        parts.answered(what)
        return children
      } catch (error) {
        const reason = reasonOf(error)
        if (!reason || !(error instanceof Error)) throw error
        refusals.note(reason, peer, error.message)
        throw toAnswer(reason, error.message)
      }
    })
  }

  /** The sender of the stanza is who lives, whatever the payload says. */
  async function takeHeartbeat(member: string, query: Element): Promise<Element> {
    assertMayBeMember(member)
    const signed = readSigned(query, member)
    const shown = childText(query, 'cert')?.trim() || undefined
    if (signed) await memberKeys.assertSigned(member, signed, 'member')
    else await memberKeys.assertUnsigned(member, shown, clock.now())
    const { periodMs, lostHeartbeats } = settings
    const certificate = signed ? toCertificate(signed.keys) : shown
    roster.put({
      id: member,
      lastHeardAt: clock.now(),
      timeoutMs: periodMs * lostHeartbeats,
      ...(certificate !== undefined && { certificate }),
      ...(signed && { heartbeat: signed.text, madeAt: signed.madeAt }),
    })
    return element('query', { xmlns: I_AM_ALIVE }, [
      element('iamalive-period', {}, [String(periodMs)]),
    ])
  }

  function readSigned(query: Element, member: string): Heartbeat | undefined {
    const text = ownChild(query, 'heartbeat') && childText(query, 'heartbeat')
    if (text === undefined) return undefined
    const signed = readHeartbeat(text, clock.now())
    if (signed.to !== jid)
      throw new NotAdmitted('foreign-audience', `made for ${signed.to.slice(0, 80)}`)
    if (signed.madeAt < clock.now() - settings.periodMs * settings.lostHeartbeats)
      throw new NotAdmitted(
        'expired',
        `made ${clock.now() - signed.madeAt} ms ago: compare the clocks`,
      )
    const before = roster.find(member)
    if (before && !before.via && before.madeAt !== undefined && signed.madeAt <= before.madeAt)
      throw new NotAdmitted('replayed', 'it is not newer than the one before')
    return signed
  }

  function assertMayBeMember(member: string): void {
    if (!isMemberJid(member)) throw new NotAdmitted('malformed', 'the sender has no usable name')
    if (!whiteList.contains(member))
      throw new NotAdmitted('not-listed', `${member} is not on the list of members of ${jid}`)
    if (roster.size >= settings.maxMembers && !roster.find(member))
      throw new NotAdmitted('full', `${jid} has as many members as it may have`)
  }

  /** Where everybody may be a member, only those who are know the others. */
  function assertMayList(peer: string): void {
    if (isNeighbour(peer)) return
    const isMember = whiteList.isOpen ? roster.find(peer) : whiteList.contains(peer)
    if (!isMember) throw new NotAdmitted('not-allowed', `${peer} is no member of ${jid}`)
  }

  const isNeighbour = (peer: string) => settings.neighbours.includes(peer)

  function alive(): readonly RosterEntry[] {
    return roster.alive().filter(({ id }) => whiteList.contains(id))
  }

  function statementOn(entry: RosterEntry): string | undefined {
    const known = entry.heartbeat === undefined ? undefined : memberKeys.of(entry.id)
    if (!known) return undefined
    let statement = statements.get(entry)
    if (!statement) {
      const { id, lastHeardAt, timeoutMs } = entry
      const seen = { heardAt: lastHeardAt, seenUntil: lastHeardAt + timeoutMs }
      statement = makeStatement(jid, { member: id, ...known, ...seen }, keys)
      statements.set(entry, statement)
    }
    return statement
  }

  /** Who does not know our additions takes a short page for the last one: it gets whole pages, if need be without certificates. */
  function page(
    asked: Element | undefined,
    isExtended: boolean,
    show: (entry: RosterEntry, withCertificate: boolean) => Element,
  ): readonly Element[] {
    const list = alive()
    const full = pageOf(list, asked, settings.pageLimit, (entry) => show(entry, true))
    if (isExtended) return full
    const plain = pageOf(list, asked, settings.pageLimit, (entry) => show(entry, false))
    return full.length === plain.length ? full : plain
  }

  serve(I_AM_ALIVE, 'heartbeats', takeHeartbeat)

  serve(WHO_IS_ALIVE, 'lists', (peer, query) => {
    assertMayList(peer)
    const isExtended = ownChild(query, 'extended') !== undefined
    const shown = page(query, isExtended, (entry, withCertificate) => {
      const statement = isExtended ? statementOn(entry) : undefined
      return element('item', { id: entry.id }, [
        ...(withCertificate && !statement ? certificateOf(entry) : []),
        ...(statement ? [element('statement', { xmlns: OWN }, [statement])] : []),
      ])
    })
    const additions = isExtended ? [extended(parts.isSettled())] : []
    return element('query', { xmlns: WHO_IS_ALIVE }, [...shown, ...additions])
  })

  serve(SYNC, 'syncs', (peer, query) => {
    if (!isNeighbour(peer))
      throw new NotAdmitted('not-allowed', `${peer} is no neighbour of ${jid}`)
    const isExtended = ownChild(query, 'extended') !== undefined
    const shown = page(childNamed(query, 'managers'), isExtended, (entry, withCertificate) => {
      const { id, timeoutMs, lastHeardAt, heartbeat } = entry
      const status = element('status', {}, [
        element('timeout', {}, [String(timeoutMs)]),
        element('quiet-for', {}, [String(Math.max(0, Math.round(clock.now() - lastHeardAt)))]),
      ])
      const proof =
        isExtended && heartbeat ? [element('heartbeat', { xmlns: OWN }, [heartbeat])] : []
      const certificate = withCertificate && proof.length === 0 ? certificateOf(entry) : []
      return element('manager', { id }, [...certificate, status, ...proof])
    })
    const additions = isExtended ? [extended(parts.isSettled())] : []
    return element('query', { xmlns: SYNC }, [element('managers', {}, shown), ...additions])
  })
}

function certificateOf({ certificate }: RosterEntry): Element[] {
  return certificate === undefined ? [] : [element('cert', {}, [certificate])]
}
