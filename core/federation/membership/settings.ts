import type { MemberId } from '../contract.ts'
import type { WrittenKey } from '../trust/index.ts'

/** Where this site knows members from; read anew at each `refresh`. */
export interface MembershipSettings {
  /** Members whatever any rendezvous says. */
  readonly list: readonly MemberId[]
  readonly rendezvous: readonly RendezvousPeer[]
}

/** A rendezvous that this site reports to and asks. */
export interface RendezvousPeer {
  readonly jid: string
  /** Its public keys, without which its statements cannot be checked; the original has none. */
  readonly keys?: readonly WrittenKey[] | undefined
  readonly admits?: Admission | undefined
  /** Whether keys that it states count as if an administrator of this site had written them; not so when absent. */
  readonly vouches?: boolean | undefined
}

/**
 * Whom of its list this site takes as members: those about whom it made a statement that can be checked, everybody, or nobody, so
 * that the list is only shown. `stated` when absent.
 */
export type Admission = 'stated' | 'listed' | 'nobody'
