import {
  I_AM_ALIVE,
  type JsonFile,
  OWN,
  SYNC,
  WHO_IS_ALIVE,
} from '../federation/membership/index.ts'
import type { SiteKeys } from '../federation/trust/index.ts'
import type { Clock, Log, XmppComponent } from '../federation/xmpp/index.ts'
import { serveRendezvous } from './answers.ts'
import { createGossip, type Gossip, type NeighbourView } from './gossip.ts'
import { createMemberKeys, type MemberKeys } from './member-keys.ts'
import { createRefusals } from './refusals.ts'
import { createRoster, type Roster } from './roster.ts'
import type { RendezvousSettings } from './settings.ts'
import { readState } from './state.ts'
import type { WhiteList } from './white-list.ts'

/** Where sites of a federation find each other. It knows who is alive and whose key is whose, and nothing of orders. */
export interface Rendezvous {
  /** Final; what is known is kept. */
  stop(): Promise<void>
  counts(): RendezvousCounts
  /** JIDs of those who are alive. */
  members(): readonly string[]
}

/** Since the start of the process, but for `members`. */
export interface RendezvousCounts {
  readonly members: number
  readonly heartbeats: number
  readonly lists: number
  readonly syncs: number
  /** Those turned away, by reason. */
  readonly refusals: Readonly<Record<string, number>>
  readonly neighbours: readonly NeighbourView[]
}

export interface RendezvousParts {
  /** Started and stopped by whoever made it. */
  readonly component: XmppComponent
  readonly settings: RendezvousSettings
  readonly whiteList: WhiteList
  readonly keys: SiteKeys
  readonly state: JsonFile
  /** Where the state is, for messages. */
  readonly stateName: string
  readonly clock: Clock
  readonly log: Log
}

/** What it can do, for those who ask (XEP-0030). */
export const RENDEZVOUS_FEATURES = [I_AM_ALIVE, WHO_IS_ALIVE, SYNC, OWN] as const

const SWEEP_EVERY_MS = 60_000
const LOOK_AT_LIST_EVERY_MS = 5000

/**
 * Begins to answer and to ask neighbours.
 * @throws configuration_error when the list of members, the keys or the state cannot be read: then nobody is served
 */
export async function startRendezvous(parts: RendezvousParts): Promise<Rendezvous> {
  const { component, settings, whiteList, state, clock, log } = parts
  await whiteList.load()
  const known = await readState(state, parts.stateName)
  const startedAt = clock.now()
  const refusals = createRefusals(log, clock)
  const roster: Roster = createRoster(clock.now, known.members)
  const memberKeys: MemberKeys = createMemberKeys({ settings, known: known.keys, log, keep })
  const numbers = { heartbeats: 0, lists: 0, syncs: 0 }
  const cancels = new Map<string, () => void>()
  let isStopped = false

  function keep(): Promise<void> {
    return state.write(() => ({ version: 1, keys: memberKeys.learnt(), members: roster.alive() }))
  }

  function every(ms: number, name: string, run: () => Promise<void>): void {
    async function turn(): Promise<void> {
      try {
        await run()
      } catch (err) {
        log.error({ err }, `${name} failed`)
      }
      if (!isStopped) every(ms, name, run)
    }
    cancels.set(
      name,
      clock.after(ms, () => void turn()),
    )
  }

  function sweep(): void {
    const gone = roster.sweep(whiteList.contains)
    if (gone.length > 0) log.info({ members: gone }, 'members are not alive any more')
  }

  sweep()
  const gossips: Gossip[] = settings.neighbours.map((neighbour) =>
    createGossip({ ...parts, neighbour, memberKeys, roster, refusals }),
  )
  serveRendezvous({
    ...parts,
    memberKeys,
    roster,
    refusals,
    isSettled: () => clock.now() - startedAt > settings.periodMs * settings.lostHeartbeats,
    answered(what) {
      numbers[what] += 1
    },
  })
  every(SWEEP_EVERY_MS, 'keeping the state', async () => {
    sweep()
    await keep()
  })
  every(LOOK_AT_LIST_EVERY_MS, 'reading the list of members', async () => {
    if (await whiteList.check()) sweep()
  })
  for (const gossip of gossips) gossip.start()
  log.info(
    { rendezvous: component.jid, neighbours: settings.neighbours, known: roster.size },
    'the rendezvous serves',
  )

  return {
    async stop() {
      isStopped = true
      for (const cancel of cancels.values()) cancel()
      for (const gossip of gossips) gossip.stop()
      await keep()
    },
    counts: () => ({
      ...numbers,
      members: roster.alive().length,
      refusals: refusals.counts(),
      neighbours: gossips.map(({ view }) => view),
    }),
    members: () => roster.alive().map(({ id }) => id),
  }
}
