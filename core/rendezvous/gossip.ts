import {
  isMemberJid,
  ownChild,
  readAllPages,
  readCertificate,
  readHeartbeat,
  synchronisation,
  toCertificate,
} from '../federation/membership/index.ts'
import {
  type Clock,
  childNamed,
  childText,
  type Element,
  type Log,
  type XmppComponent,
} from '../federation/xmpp/index.ts'
import type { MemberKeys } from './member-keys.ts'
import { NotAdmitted, type Refusals, reasonOf } from './refusals.ts'
import type { Roster } from './roster.ts'
import type { RendezvousSettings } from './settings.ts'
import type { WhiteList } from './white-list.ts'

/** Asks one neighbour again and again what it knows. */
export interface Gossip {
  readonly view: NeighbourView
  start(): void
  stop(): void
}

export interface NeighbourView {
  readonly jid: string
  /** ms since the epoch; when it last gave its whole list */
  readonly syncedAt?: number
  readonly members: number
  readonly problem?: string
}

export interface GossipParts {
  readonly neighbour: string
  readonly component: XmppComponent
  readonly settings: RendezvousSettings
  readonly whiteList: WhiteList
  readonly memberKeys: MemberKeys
  readonly roster: Roster
  readonly refusals: Refusals
  readonly clock: Clock
  readonly log: Log
}

const TIMEOUT_MS = 5000
/** The first attempts after a start, before the link is up or the neighbour is. */
const FIRST_RETRY_MS = 2000

export function createGossip(parts: GossipParts): Gossip {
  const { neighbour, component, settings, whiteList, memberKeys, roster, refusals, clock, log } =
    parts
  const stopping = new AbortController()
  let cancel = () => {}
  let retryMs = FIRST_RETRY_MS
  let syncedAt: number | undefined
  let members = 0
  let problem: string | undefined

  async function turn(): Promise<void> {
    const options = { timeoutMs: TIMEOUT_MS, signal: stopping.signal }
    try {
      const { entries } = await readAllPages(component, neighbour, synchronisation, options)
      for (const entry of entries) await merge(entry)
      members = entries.length
      syncedAt = clock.now()
      retryMs = settings.syncEveryMs
      note(undefined)
    } catch (error) {
      retryMs = Math.min(settings.syncEveryMs, retryMs * 2)
      note(error instanceof Error ? error.message : String(error))
    }
    if (stopping.signal.aborted) return
    cancel = clock.after(retryMs * (0.9 + clock.random() / 10), () => void turn())
  }

  function note(found: string | undefined): void {
    if (stopping.signal.aborted) return
    if (found !== undefined && found !== problem)
      log.warn({ neighbour, problem: found }, 'a neighbour gives no list: what it told before ages')
    if (found === undefined && problem !== undefined)
      log.info({ neighbour }, 'a neighbour gives its list again')
    problem = found
  }

  /** One entry that cannot be taken does not spoil the others. */
  async function merge(manager: Element): Promise<void> {
    try {
      await take(manager)
    } catch (error) {
      const reason = reasonOf(error)
      if (!reason || !(error instanceof Error)) throw error
      refusals.note(reason, neighbour, error.message)
    }
  }

  async function take(manager: Element): Promise<void> {
    const id = manager.attributes.id ?? ''
    assertMayBeMember(id)
    const told = readStatus(manager, id)
    const text = ownChild(manager, 'heartbeat') && childText(manager, 'heartbeat')
    const isNews = (lastHeardAt: number) => lastHeardAt > (roster.find(id)?.lastHeardAt ?? 0)
    if (text === undefined) {
      if (memberKeys.hasToSign(id))
        throw new NotAdmitted('unsigned', `${id} is told of without what it signed`)
      if (isNews(told.lastHeardAt))
        roster.put({ id, ...told, via: neighbour, ...certificateOf(manager) })
      return
    }
    const signed = readHeartbeat(text, clock.now())
    // A neighbour cannot make a member live longer than the member itself said.
    const lastHeardAt = Math.min(told.lastHeardAt, signed.madeAt)
    if (!isNews(lastHeardAt) || lastHeardAt + told.timeoutMs < clock.now()) return
    await memberKeys.assertSigned(id, signed, 'neighbour')
    const { timeoutMs } = told
    const certificate = toCertificate(signed.keys)
    const proof = { certificate, heartbeat: text, madeAt: signed.madeAt }
    roster.put({ id, lastHeardAt, timeoutMs, via: neighbour, ...proof })
  }

  function assertMayBeMember(id: string): void {
    if (!isMemberJid(id))
      throw new NotAdmitted('malformed', `'${id.slice(0, 80)}' cannot be the name of a member`)
    if (!whiteList.contains(id))
      throw new NotAdmitted('not-listed', `${id} is not on the list of members`)
    if (roster.size >= settings.maxMembers && !roster.find(id))
      throw new NotAdmitted('full', 'there is no room for one more member')
  }

  /** Ages, not times: the clocks of the two need not agree. */
  function readStatus(manager: Element, id: string): { lastHeardAt: number; timeoutMs: number } {
    const status = childNamed(manager, 'status')
    const timeoutMs = readMs(status, 'timeout')
    const quietForMs = readMs(status, 'quiet-for')
    const { longestTimeoutMs } = settings
    if (timeoutMs === undefined || timeoutMs === 0 || quietForMs === undefined)
      throw new NotAdmitted('implausible', `it does not say how long ${id} was quiet, and may be`)
    if (quietForMs > longestTimeoutMs)
      throw new NotAdmitted('implausible', `${id} is said to be quiet for ${quietForMs} ms`)
    return {
      lastHeardAt: clock.now() - quietForMs,
      timeoutMs: Math.min(timeoutMs, longestTimeoutMs),
    }
  }

  function certificateOf(manager: Element): { certificate?: string } {
    const certificate = childText(manager, 'cert')?.trim()
    if (!certificate) return {}
    readCertificate(certificate, clock.now())
    return { certificate }
  }

  return {
    get view() {
      return {
        jid: neighbour,
        members,
        ...(syncedAt !== undefined && { syncedAt }),
        ...(problem !== undefined && { problem }),
      }
    },
    start: () => void turn(),
    stop() {
      stopping.abort()
      cancel()
    },
  }
}

function readMs(status: Element | undefined, name: string): number | undefined {
  const text = (status && childText(status, name))?.trim()
  return text && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
