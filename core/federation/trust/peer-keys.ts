import type { KeyObject } from 'node:crypto'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { Store } from '../../store/index.ts'
import type { FederationSettings, PeerSettings } from '../settings.ts'
import type { Clock, Log } from '../xmpp/index.ts'
import {
  type KeyUse,
  type PublicKey,
  publicKey,
  readPublicKey,
  type WrittenKey,
} from './public-key.ts'

/** The keys of members that this site believes. */
export interface PeerKeys {
  /** The key of that name, if it is one of the member's for that use. */
  find(member: string, kid: string, use: KeyUse): KeyObject | undefined
  /** To which key content for the member is encrypted, if one is known. */
  encryption(member: string): PublicKey | undefined
  /** Whether anything signed by the member can be believed. */
  knows(member: string): boolean
  /**
   * The member announced its keys under one that is believed: new ones count from now on, those left out no longer do.
   * @param announced - as `kid:x`; checked here
   */
  learn(member: string, announced: unknown, vouchedBy: string): Promise<void>
  /** Takes the keys of a member of which none is known, if the administrator allows that. @returns whether it did */
  meet(member: string, announced: readonly string[]): Promise<boolean>
  /** Reads what was learnt before, and checks the configuration. @throws configuration_error naming the member */
  load(): Promise<void>
}

/** Present and next, or present and former. */
const MOST_OF_EACH_USE = 2
/** In place of the configured key that vouches for a learnt one. */
const FIRST_USE = 'first use'

interface LearntKey extends PublicKey {
  /** The configured key at the beginning of the chain: without it in the configuration this one does not count. */
  readonly root: string
  /** The member said that it does not use it any more. */
  readonly dropped: boolean
}

export interface PeerKeyParts {
  readonly store: Store
  readonly settings: () => FederationSettings
  readonly clock: Clock
  readonly log: Log
}

export function createPeerKeys({ store, settings, clock, log }: PeerKeyParts): PeerKeys {
  const learnt = new Map<string, readonly LearntKey[]>()
  const configuredKeys = new WeakMap<PeerSettings, readonly PublicKey[]>()
  const lastAnnounced = new Map<string, string>()

  function configured(member: string): readonly PublicKey[] {
    const peer = peerOf(settings(), member)
    if (!peer?.keys) return []
    let keys = configuredKeys.get(peer)
    if (!keys) {
      keys = readAll(member, peer.keys, log)
      configuredKeys.set(peer, keys)
    }
    return keys
  }

  /** All that count at this moment. */
  function believed(member: string): readonly PublicKey[] {
    const own = configured(member)
    const { newKeys } = settings()
    const others = learnt.get(member) ?? []
    if (newKeys === 'pinned' || others.length === 0) return own
    const isRooted = ({ root }: LearntKey) =>
      root === FIRST_USE
        ? newKeys === 'firstUse' && own.length === 0
        : own.some(({ kid }) => kid === root)
    const rooted = others.filter(isRooted)
    const isDropped = ({ kid }: PublicKey) => rooted.some((key) => key.kid === kid && key.dropped)
    // What was announced is newer than what was written down, and in the order in which it is to be used.
    return [...rooted.filter((key) => !key.dropped), ...own.filter((key) => !isDropped(key))]
  }

  async function keep(member: string, keys: readonly LearntKey[]): Promise<void> {
    await store.write(async (db) => {
      await db.deleteFrom('peer_keys').where('member', '=', member).execute()
      for (const { kid, use, x, root, dropped } of keys)
        await db
          .insertInto('peer_keys')
          .values({ member, kid, use, x, root, dropped: Number(dropped), learnt_at: clock.now() })
          .execute()
    })
    learnt.set(member, keys)
  }

  async function replace(
    member: string,
    announced: readonly PublicKey[],
    root: string,
  ): Promise<void> {
    const own = configured(member)
    const isIn = (keys: readonly PublicKey[], kid: string) => keys.some((key) => key.kid === kid)
    const fresh = announced.filter(({ kid }) => !isIn(own, kid))
    const dropped = own.filter(
      ({ kid, use }) => !isIn(announced, kid) && announced.some((key) => key.use === use),
    )
    await keep(member, [
      ...fresh.map((key) => ({ ...key, root, dropped: false })),
      // What is dropped is dropped on the word of its successor: both go with the root.
      ...dropped.map((key) => ({ ...key, root, dropped: true })),
    ])
    log.info(
      { peer: member, keys: announced.map(({ kid }) => kid), vouchedBy: root },
      'keys of a member were learnt',
    )
  }

  function rootOf(member: string, vouchedBy: string): string | undefined {
    const known = (learnt.get(member) ?? []).find(({ kid }) => kid === vouchedBy)
    if (known) return known.root
    return configured(member).some(({ kid }) => kid === vouchedBy) ? vouchedBy : undefined
  }

  return {
    find: (member, kid, use) =>
      believed(member).find((key) => key.kid === kid && key.use === use)?.key,
    encryption: (member) => firstForEncryption(believed(member)),
    knows: (member) => believed(member).some(({ use }) => use === 'sig'),

    async learn(member, announced, vouchedBy) {
      if (settings().newKeys === 'pinned') return
      const said = JSON.stringify(announced)
      if (lastAnnounced.get(member) === said) return
      const keys = readAnnounced(announced)
      const root = rootOf(member, vouchedBy)
      if (!keys || !root || !keys.some(({ kid }) => kid === vouchedBy)) return
      lastAnnounced.set(member, said)
      const known = believed(member)
      const isKnown = ({ kid }: PublicKey) => known.some((key) => key.kid === kid)
      const isFirst = firstForEncryption(keys)?.kid === firstForEncryption(known)?.kid
      if (keys.length === known.length && keys.every(isKnown) && isFirst) return
      await replace(member, keys, root)
    },

    async meet(member, announced) {
      if (settings().newKeys !== 'firstUse' || believed(member).length > 0) return false
      if (configured(member).length > 0) return false
      const keys = readAnnounced(announced)
      if (!keys?.some(({ use }) => use === 'sig')) return false
      await keep(
        member,
        keys.map((key) => ({ ...key, root: FIRST_USE, dropped: false })),
      )
      log.warn(
        { peer: member, keys: keys.map(({ kid }) => kid) },
        'the first keys of a member were taken as its own, unseen: compare them with its administrator',
      )
      return true
    },

    async load() {
      for (const [member, { keys = [] }] of Object.entries(settings().peers))
        readConfigured(member, keys)
      const rows = await store.db.selectFrom('peer_keys').selectAll().execute()
      for (const [member, of] of Object.entries(Object.groupBy(rows, (row) => row.member)))
        learnt.set(
          member,
          (of ?? []).map(({ use, x, root, dropped }) => ({
            ...publicKey(use as KeyUse, x),
            root,
            dropped: dropped === 1,
          })),
        )
    },
  }
}

function firstForEncryption(keys: readonly PublicKey[]): PublicKey | undefined {
  return keys.find(({ use }) => use === 'enc')
}

/** @throws configuration_error naming the member */
export function readConfigured(member: string, written: readonly WrittenKey[]): PublicKey[] {
  const keys = written.map((key) => readNamed(member, key))
  assertFew(keys, `federation.peers['${member}'].keys`)
  return keys
}

function readNamed(member: string, written: WrittenKey): PublicKey {
  try {
    return readPublicKey(written)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new FogbowError('configuration_error', `federation.peers['${member}'].keys: ${why}`, {
      cause,
    })
  }
}

function peerOf({ peers }: FederationSettings, member: string): PeerSettings | undefined {
  return Object.hasOwn(peers, member) ? peers[member] : undefined
}

/** A reload may bring a key that cannot be read: then none counts. */
function readAll(member: string, written: readonly WrittenKey[], log: Log): readonly PublicKey[] {
  try {
    return readConfigured(member, written)
  } catch (err) {
    log.error(
      { err, peer: member },
      'the keys of a member cannot be read: nothing of it is believed',
    )
    return []
  }
}

function readAnnounced(announced: unknown): PublicKey[] | undefined {
  if (!Array.isArray(announced) || announced.length > 2 * MOST_OF_EACH_USE) return undefined
  try {
    const keys = announced.map((text) => readPublicKey(String(text)))
    assertFew(keys, 'announced keys')
    return keys
  } catch {
    return undefined
  }
}

function assertFew(keys: readonly PublicKey[], what: string): void {
  for (const use of ['sig', 'enc'] as const)
    if (keys.filter((key) => key.use === use).length > MOST_OF_EACH_USE)
      throw new FogbowError(
        'configuration_error',
        `${what}: at most ${MOST_OF_EACH_USE} keys of each kind count; leave out the oldest`,
      )
}
