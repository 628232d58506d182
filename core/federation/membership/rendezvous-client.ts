import type { MemberId } from '../contract.ts'
import { type PublicKey, readPublicKey, type SiteKeys } from '../trust/index.ts'
import { type Clock, childText, element, type Log, type XmppComponent } from '../xmpp/index.ts'
import { makeHeartbeat, toCertificate } from './heartbeat.ts'
import { readAllPages, whoIsAlive } from './pages.ts'
import { I_AM_ALIVE, OWN, queryOf } from './protocol.ts'
import { createRendezvousList, type ListEntry } from './rendezvous-list.ts'
import type { RendezvousPeer } from './settings.ts'
import type { SourceView } from './view.ts'

/** This site as a member of one rendezvous: tells it that this site is alive, and asks it who else is. */
export interface RendezvousClient {
  readonly entries: ReadonlyMap<MemberId, ListEntry>
  readonly view: SourceView
  restore(entries: readonly ListEntry[]): void
  start(): void
  stop(): void
}

export interface RendezvousClientParts {
  readonly peer: RendezvousPeer
  readonly component: XmppComponent
  readonly siteId: MemberId
  readonly keys: SiteKeys
  readonly clock: Clock
  readonly log: Log
  /** A whole list came. */
  readonly changed: () => void
}

/** What the original means when it names no period. */
const PERIOD_MS = 30_000
const SHORTEST_PERIOD_MS = 1000
const LONGEST_PERIOD_MS = 600_000
const TIMEOUT_MS = 15_000
/** Sites whose link comes back at the same moment do not ask at the same moment. */
const AFTER_LINK_MS = 1000

export function createRendezvousClient(parts: RendezvousClientParts): RendezvousClient {
  const { peer, component, siteId, clock, log } = parts
  const { jid } = peer
  const stopping = new AbortController()
  const keys = readKeysOf(peer, log)
  const list = createRendezvousList({
    jid,
    siteId,
    keys,
    admits: peer.admits ?? 'stated',
    now: clock.now,
  })
  const options = { timeoutMs: TIMEOUT_MS, signal: stopping.signal }
  let cancel = () => {}
  let endListening = () => {}
  let isUnderWay = false
  let periodMs = PERIOD_MS
  let kind: SourceView['kind'] = 'unknown'
  let acceptedAt: number | undefined
  let listedAt: number | undefined
  let problem: string | undefined

  /** Never longer than the period, or a rendezvous that counts closely takes this site for dead. */
  function schedule(inMs: number): void {
    cancel()
    if (stopping.signal.aborted) return
    cancel = clock.after(inMs * (0.9 + clock.random() / 10), () => void turn())
  }

  async function turn(): Promise<void> {
    if (isUnderWay) return
    isUnderWay = true
    const begunAt = clock.now()
    const problems = [await attempt(beat), await attempt(ask)]
    isUnderWay = false
    if (stopping.signal.aborted) return
    note(problems.find((found) => found !== undefined))
    schedule(Math.max(SHORTEST_PERIOD_MS, periodMs - (clock.now() - begunAt)))
  }

  async function beat(): Promise<void> {
    const query = element('query', { xmlns: I_AM_ALIVE }, [
      element('cert', {}, [toCertificate(parts.keys.announced.map(readPublicKey))]),
      element('heartbeat', { xmlns: OWN }, [
        makeHeartbeat(component.jid, jid, parts.keys, clock.now()),
      ]),
    ])
    const answer = await component.request(jid, 'get', [query], options)
    const said = queryOf(answer)
    periodMs = readPeriod(said && childText(said, 'iamalive-period'))
    acceptedAt = clock.now()
  }

  async function ask(): Promise<void> {
    if (stopping.signal.aborted) return
    const whole = await readAllPages(component, jid, whoIsAlive, options)
    if (stopping.signal.aborted) return
    kind = whole.kind
    listedAt = clock.now()
    list.take(whole)
    parts.changed()
  }

  function note(found: string | undefined): void {
    const was = problem
    problem = found
    if (found !== undefined && found !== was)
      log.warn({ rendezvous: jid, problem: found }, 'a rendezvous does not do its part')
    else if (found === undefined && was !== undefined)
      log.info({ rendezvous: jid }, 'a rendezvous does its part again')
  }

  return {
    get entries() {
      return list.entries
    },
    get view() {
      return {
        jid,
        kind,
        periodMs,
        strangers: list.strangers,
        ...(acceptedAt !== undefined && { acceptedAt }),
        ...(listedAt !== undefined && { listedAt }),
        ...(problem !== undefined && { problem }),
      }
    },
    restore: list.restore,
    start() {
      endListening = component.onLink(({ state }) => {
        if (state === 'online' && !isUnderWay) schedule(AFTER_LINK_MS * clock.random())
      })
      if (component.link.state === 'online') void turn()
    },
    stop() {
      stopping.abort()
      cancel()
      endListening()
    },
  }
}

/** @returns why it failed, if it did */
async function attempt(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function readPeriod(text: string | undefined): number {
  if (!text || !/^\s*\d{1,12}\s*$/.test(text)) return PERIOD_MS
  return Math.min(LONGEST_PERIOD_MS, Math.max(SHORTEST_PERIOD_MS, Number(text)))
}

/** A key that cannot be read counts for nothing: then nothing that the rendezvous states can be checked. */
function readKeysOf({ jid, keys = [] }: RendezvousPeer, log: Log): PublicKey[] {
  try {
    return keys.map(readPublicKey)
  } catch (err) {
    log.error({ err, rendezvous: jid }, 'the keys of a rendezvous cannot be read: none counts')
    return []
  }
}
