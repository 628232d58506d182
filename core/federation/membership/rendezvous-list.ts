import type { MemberId } from '../contract.ts'
import { siteOf } from '../site-jid.ts'
import { type PublicKey, writePublicKey } from '../trust/index.ts'
import { childText, type Element } from '../xmpp/index.ts'
import type { WholeList } from './pages.ts'
import { isMemberJid, ownChild } from './protocol.ts'
import type { Admission } from './settings.ts'
import { type Met, readStatement, type Statement } from './statement.ts'

/** What one rendezvous lists. Only a whole answer changes it; silence never does. */
export interface RendezvousList {
  readonly entries: ReadonlyMap<MemberId, ListEntry>
  /** Entries of the last answer that name no site. */
  readonly strangers: number
  take(list: WholeList): void
  /** As it was before; whom this site takes as a member is decided anew. */
  restore(entries: readonly ListEntry[]): void
}

export interface ListEntry {
  readonly id: MemberId
  readonly since: number
  readonly lastHeardAt: number
  readonly isAdmitted: boolean
  readonly keys: readonly string[]
  readonly met?: Met
  readonly seenUntil?: number
  readonly missingSince?: number
}

/**
 * A rendezvous of the original kind forgets everybody when it is restarted, and ours says when it has just been: that long
 * somebody who is missing stays.
 */
const MISSING_STAYS_MS = 600_000

export interface RendezvousListParts {
  readonly jid: string
  readonly siteId: MemberId
  readonly keys: readonly PublicKey[]
  readonly admits: Admission
  readonly now: () => number
}

export function createRendezvousList(parts: RendezvousListParts): RendezvousList {
  const { jid, siteId, keys, admits, now } = parts
  let entries = new Map<MemberId, ListEntry>()
  let strangers = 0

  function statementIn(item: Element, member: string): Statement | undefined {
    const text = ownChild(item, 'statement') && childText(item, 'statement')
    if (!text || keys.length === 0) return undefined
    try {
      return readStatement(text, { rendezvous: jid, member }, keys, now())
    } catch {
      return undefined
    }
  }

  function toEntry(item: Element, memberJid: string, id: MemberId): ListEntry {
    const statement = statementIn(item, memberJid)
    const { since = now() } = entries.get(id) ?? {}
    const isAdmitted = admits === 'listed' || (admits === 'stated' && statement !== undefined)
    if (!statement) return { id, since, lastHeardAt: now(), isAdmitted, keys: [] }
    const { heardAt, seenUntil, met } = statement
    const stated = statement.keys.map(writePublicKey)
    return { id, since, lastHeardAt: heardAt, isAdmitted, keys: stated, met, seenUntil }
  }

  function missing(listed: ReadonlyMap<MemberId, ListEntry>): ListEntry[] {
    return [...entries.values()]
      .filter(({ id }) => !listed.has(id))
      .map((entry) => ({ ...entry, missingSince: entry.missingSince ?? now() }))
      .filter(({ missingSince }) => now() - missingSince <= MISSING_STAYS_MS)
  }

  return {
    get entries() {
      return entries
    },
    get strangers() {
      return strangers
    },
    take(list) {
      const next = new Map<MemberId, ListEntry>()
      let others = 0
      for (const item of list.entries) {
        const memberJid = item.attributes.id ?? ''
        const id = isMemberJid(memberJid) ? siteOf(memberJid) : undefined
        if (id === undefined) others += 1
        else if (id !== siteId) next.set(id, toEntry(item, memberJid, id))
      }
      if (!list.isSettled) for (const entry of missing(next)) next.set(entry.id, entry)
      entries = next
      strangers = others
    },
    restore(known) {
      const isAdmitted = ({ seenUntil }: ListEntry) =>
        admits === 'listed' || (admits === 'stated' && keys.length > 0 && seenUntil !== undefined)
      entries = new Map(
        known.map((entry) => [entry.id, { ...entry, isAdmitted: isAdmitted(entry) }]),
      )
    },
  }
}
