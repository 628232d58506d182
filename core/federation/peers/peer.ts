import type { MemberId } from '../contract.ts'
import type { DialectName } from '../dialect.ts'
import type { Clock } from '../xmpp/index.ts'
import { type Breaker, createBreaker } from './breaker.ts'

/** What this process knows of one member. */
export interface Peer {
  readonly id: MemberId
  readonly breaker: Breaker
  readonly counts: PeerCounts
  dialect: DialectName | undefined
  lastSeenAt: number | undefined
  /** Asked, and silent since. */
  unansweredSince: number | undefined
  lastPingAt: number
  latencyMs: number | undefined
  /** Why it is not used. */
  problem: string | undefined
}

/** Since the start of the process. */
export interface PeerCounts {
  requests: number
  /** No answer at all came: the way there, or the member, was not working. */
  failures: number
  /** Not sent because the breaker was open. */
  spared: number
  inFlight: number
}

export function createPeer(id: MemberId, clock: Clock): Peer {
  return {
    id,
    breaker: createBreaker(clock),
    counts: { requests: 0, failures: 0, spared: 0, inFlight: 0 },
    dialect: undefined,
    lastSeenAt: undefined,
    unansweredSince: undefined,
    lastPingAt: 0,
    latencyMs: undefined,
    problem: undefined,
  }
}
