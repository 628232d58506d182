import type { MemberId, MemberSource } from '../contract.ts'
import type { SiteKeys } from '../trust/index.ts'
import type { Clock, Log, XmppComponent } from '../xmpp/index.ts'
import type { JsonFile } from './json-file.ts'
import { createRendezvousClient, type RendezvousClient } from './rendezvous-client.ts'
import type { ListEntry } from './rendezvous-list.ts'
import type { MembershipSettings } from './settings.ts'
import type { KnownMember, Listed, MembershipView } from './view.ts'

/** Who belongs to the federation: those of the configuration, and those of every rendezvous that this site believes. */
export interface Membership extends MemberSource {
  /**
   * Keys of members, as `kid:x`, that a rendezvous stated which may vouch for them. The same object as long as they are the same.
   */
  statedKeys(): StatedKeys
  view(): MembershipView
  /** Reads what was known before, and begins to report to each rendezvous. Without one there is no timer. */
  start(): Promise<void>
  stop(): Promise<void>
  /** The configuration was read again. */
  refresh(): void
}

export interface MembershipParts {
  readonly component: XmppComponent
  readonly siteId: MemberId
  readonly settings: () => MembershipSettings
  readonly keys: SiteKeys
  readonly clock: Clock
  readonly log: Log
  /** Where lists are kept while this site is down; without it, it knows nobody until a rendezvous answers. */
  readonly memory?: JsonFile
}

export type StatedKeys = Readonly<Record<MemberId, readonly string[]>>

interface Running {
  readonly client: RendezvousClient
  /** Its settings, to see whether they changed. */
  readonly written: string
}

export const CONFIGURATION = 'configuration'

export function createMembership(parts: MembershipParts): Membership {
  const { component, siteId, settings, keys, clock, log, memory } = parts
  const running = new Map<string, Running>()
  const listeners = new Set<() => void>()
  const startedAt = clock.now()
  let isStarted = false
  let current: { list: readonly MemberId[]; members: readonly MemberId[] } | undefined
  let stated: StatedKeys = {}
  let lastMembers = ''
  let lastSaved = ''

  /** Asked at each call of a member: put together only when something changed. */
  function members(): readonly MemberId[] {
    const { list } = settings()
    if (!current || current.list !== list) current = { list, members: unite(list) }
    return current.members
  }

  function unite(list: readonly MemberId[]): MemberId[] {
    const admitted = [...running.values()].flatMap(({ client }) =>
      [...client.entries.values()].filter(({ isAdmitted }) => isAdmitted).map(({ id }) => id),
    )
    return [...new Set([...list, ...admitted])].filter((id) => id !== siteId)
  }

  function gatherKeys(): StatedKeys {
    const vouching = settings().rendezvous.filter(({ vouches }) => vouches)
    const entries = vouching.flatMap(({ jid }) => {
      const client = running.get(jid.toLowerCase())?.client
      return [...(client?.entries.values() ?? [])]
    })
    return Object.fromEntries(
      entries
        .filter(({ isAdmitted, keys: known }) => isAdmitted && known.length > 0)
        .toSorted((a, b) => a.lastHeardAt - b.lastHeardAt)
        .map(({ id, keys: known }) => [id, known]),
    )
  }

  function notice(): void {
    current = undefined
    const keysNow = gatherKeys()
    if (JSON.stringify(keysNow) !== JSON.stringify(stated)) stated = keysNow
    const now = members().toSorted().join(' ')
    if (now === lastMembers) return
    lastMembers = now
    for (const listener of listeners)
      try {
        listener()
      } catch (err) {
        log.error({ err }, 'a listener to the members of the federation failed')
      }
  }

  /** Only who is in a list is worth a write, not when it was heard of. */
  function save(): void {
    const who = Array.from(running, ([jid, { client }]) =>
      [
        jid,
        ...Array.from(client.entries.values(), ({ id, isAdmitted }) => `${id} ${isAdmitted}`),
      ].join(),
    ).join('\n')
    if (who === lastSaved) return
    lastSaved = who
    memory?.write(remembered).catch((err: unknown) => {
      log.error({ err }, 'the lists of the rendezvous could not be kept')
    })
  }

  function remembered() {
    const lists = Array.from(running, ([jid, { client }]) => [jid, [...client.entries.values()]])
    return { version: 1, lists: Object.fromEntries(lists) }
  }

  function reconcile(known: Readonly<Record<string, readonly ListEntry[]>> = {}): void {
    const wanted = new Map(settings().rendezvous.map((peer) => [peer.jid.toLowerCase(), peer]))
    const before = new Map(Object.entries(known))
    for (const [jid, { client, written }] of running) {
      if (JSON.stringify(wanted.get(jid)) === written) continue
      before.set(jid, [...client.entries.values()])
      client.stop()
      running.delete(jid)
    }
    for (const [jid, peer] of wanted) {
      if (running.has(jid)) continue
      const changed = () => {
        notice()
        save()
      }
      const own = { component, siteId, keys, clock, log, changed }
      const client = createRendezvousClient({ peer: { ...peer, jid }, ...own })
      client.restore(before.get(jid) ?? [])
      running.set(jid, { client, written: JSON.stringify(peer) })
      client.start()
    }
  }

  async function recall(): Promise<Record<string, ListEntry[]>> {
    try {
      return readMemory(await memory?.read())
    } catch (err) {
      log.error({ err }, 'the lists of the rendezvous could not be read: they are asked for anew')
      return {}
    }
  }

  function toListed(source: string, entry: ListEntry): Listed {
    const { since, lastHeardAt, seenUntil, met, missingSince } = entry
    const isOver = seenUntil !== undefined && seenUntil < clock.now()
    return {
      source,
      since,
      lastHeardAt,
      statement: seenUntil === undefined ? 'none' : isOver ? 'expired' : 'verified',
      ...(met && { met }),
      ...(missingSince !== undefined && { missingSince }),
    }
  }

  function known(id: MemberId, isMember: boolean): KnownMember {
    const entries = [...running].flatMap(([jid, { client }]) => {
      const entry = client.entries.get(id)
      return entry ? [{ jid, entry }] : []
    })
    const newest = entries
      .filter(({ entry }) => entry.seenUntil !== undefined)
      .toSorted((a, b) => (b.entry.seenUntil ?? 0) - (a.entry.seenUntil ?? 0))[0]
    const configured: Listed = { source: CONFIGURATION, since: startedAt, statement: 'none' }
    return {
      id,
      isMember,
      sources: [
        ...(settings().list.includes(id) ? [configured] : []),
        ...entries.map(({ jid, entry }) => toListed(jid, entry)),
      ],
      keys: newest?.entry.keys ?? [],
    }
  }

  return {
    members,
    statedKeys: () => stated,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    view() {
      const own = members()
      const listed = [...running.values()].flatMap(({ client }) => [...client.entries.keys()])
      const isMember = new Set(own)
      return {
        members: [...new Set([...own, ...listed])].map((id) => known(id, isMember.has(id))),
        sources: Array.from(running.values(), ({ client }) => client.view),
      }
    },
    async start() {
      const before = await recall()
      isStarted = true
      reconcile(before)
      notice()
    },
    async stop() {
      isStarted = false
      for (const { client } of running.values()) client.stop()
    },
    refresh() {
      if (isStarted) reconcile()
      notice()
    },
  }
}

/** What this process wrote itself; of another version, or damaged, nothing is taken. */
function readMemory(kept: unknown): Record<string, ListEntry[]> {
  if (kept === undefined) return {}
  const { version, lists } = kept as { version?: unknown; lists?: Record<string, ListEntry[]> }
  return version === 1 && lists ? lists : {}
}
