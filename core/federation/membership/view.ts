import type { MemberId, MemberNaming } from '../contract.ts'
import type { Met } from './statement.ts'

/** What this site knows of who belongs to the federation, and from whom. */
export interface MembershipView {
  readonly members: readonly KnownMember[]
  readonly sources: readonly SourceView[]
}

export interface KnownMember {
  readonly id: MemberId
  /** Whether this site trades with it; otherwise it is only shown. */
  readonly isMember: boolean
  readonly sources: readonly Listed[]
  /** As `kid:x`, of the newest statement that was checked. */
  readonly keys: readonly string[]
}

/** One source that names a member. */
export interface Listed extends MemberNaming {
  /** ms since the epoch; since when this source names it */
  readonly since: number
  /** How the rendezvous knows the keys that it states. */
  readonly met?: Met
  /** ms since the epoch; since when the rendezvous does not list it, which may be because it forgot */
  readonly missingSince?: number
}

/** How a rendezvous fares, as seen from here. */
export interface SourceView {
  readonly jid: string
  readonly kind: 'own' | 'original' | 'unknown'
  /** ms since the epoch; when it last took a heartbeat of this site */
  readonly acceptedAt?: number
  /** ms since the epoch; when it last gave its whole list, which holds until the next one */
  readonly listedAt?: number
  /** Why the last heartbeat or list did not work. */
  readonly problem?: string
  /** ms between two heartbeats */
  readonly periodMs: number
  /** Of its list, those that cannot be sites by their name. */
  readonly strangers: number
}
