import type { MemberId } from './contract.ts'
import type { DialectName } from './dialect.ts'
import type { LaterMethod } from './java/index.ts'
import type { WrittenKey } from './trust/public-key.ts'

/** What an administrator decides about the federation; read anew at each use, so that a reload takes effect at once. */
export interface FederationSettings {
  /** All members but this site, which comes by itself. */
  readonly members: readonly MemberId[]
  /** Members that this site may ask; all when absent. */
  readonly targets?: readonly MemberId[] | undefined
  /** Members that may ask this site; all when absent. */
  readonly requesters?: readonly MemberId[] | undefined
  /** Whose users this site may speak for, beside those of the identity provider that has its id. */
  readonly identityProviders?: readonly string[] | undefined
  readonly peers: Readonly<Record<MemberId, PeerSettings>>
  readonly newKeys: NewKeys
  readonly encryption: Encryption
  /**
   * How sites show each other that a read, and its answer, is theirs: by a signature, or by a key that the two share, which
   * costs a thirtieth. What changes something is always signed.
   */
  readonly reads: 'signed' | 'shared'
  /** Whether members may be spoken to that sign nothing (the original service). */
  readonly unsigned: 'refused' | 'allowed'
}

export interface PeerSettings {
  /** At most two that sign and two for encryption. */
  readonly keys?: readonly WrittenKey[] | undefined
  /** Whose users it may speak for, beside those of the identity provider that has its id. */
  readonly identityProviders?: readonly string[] | undefined
  /** Found out by asking the member when absent. */
  readonly dialect?: DialectName | undefined
  /** What a member of the original service is known to understand beyond the first version of its protocol. */
  readonly laterMethods?: readonly LaterMethod[] | undefined
}

/**
 * Which keys of a member count beside those in the configuration: none; those announced under one of them, for rotation;
 * or also the first ones met, which is as good as the network was at that moment.
 */
export type NewKeys = 'pinned' | 'announced' | 'firstUse'

/**
 * `whenPossible` hides content from the servers on the way as soon as the member's key is known; `always` refuses what is
 * not hidden.
 */
export type Encryption = 'never' | 'whenPossible' | 'always'

export const defaultFederationSettings: FederationSettings = {
  members: [],
  peers: {},
  newKeys: 'announced',
  encryption: 'never',
  reads: 'shared',
  unsigned: 'refused',
}
