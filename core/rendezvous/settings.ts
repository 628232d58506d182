import type { WrittenKey } from '../federation/trust/index.ts'

/** What an administrator decides about a rendezvous. Names of members and neighbours are JIDs, in lower case. */
export interface RendezvousSettings {
  /** Rendezvous that are asked for what they know, and may ask. */
  readonly neighbours: readonly string[]
  /** Keys of members, as `kid:x`; they count whatever else is learnt. */
  readonly keys: Readonly<Record<string, readonly WrittenKey[]>>
  /**
   * Which keys of a member count beside those: none, those announced under one that counts, or also the first ones met, which is
   * as good as the network was at that moment.
   */
  readonly newKeys: 'pinned' | 'announced' | 'firstUse'
  /** Whether members are taken that sign nothing (the original manager). Who has a known key always has to sign. */
  readonly unsigned: 'refused' | 'allowed'
  /** ms between two heartbeats of a member */
  readonly periodMs: number
  /** Heartbeats that may be lost before a member expires. */
  readonly lostHeartbeats: number
  /** Most that a neighbour may claim for a member, in ms. */
  readonly longestTimeoutMs: number
  readonly syncEveryMs: number
  /** Members on one page. */
  readonly pageLimit: number
  readonly maxMembers: number
}

export const defaultRendezvousSettings: RendezvousSettings = {
  neighbours: [],
  keys: {},
  newKeys: 'firstUse',
  unsigned: 'refused',
  periodMs: 30_000,
  lostHeartbeats: 3,
  longestTimeoutMs: 1_800_000,
  syncEveryMs: 60_000,
  pageLimit: 100,
  maxMembers: 10_000,
}
