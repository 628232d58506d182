import type { MemberId } from '../contract.ts'
import type { Clock, Log } from '../xmpp/index.ts'
import type { Members } from './members.ts'
import type { Peers } from './peers.ts'

/** Asks each member for a sign of life when there was no other for a while: that also keeps the way there open. */
export interface Heartbeat {
  /** Members came or went. */
  refresh(): void
  stop(): void
}

export interface HeartbeatParts {
  readonly members: Members
  readonly peers: Peers
  readonly clock: Clock
  readonly log: Log
  readonly ping: (member: MemberId, timeoutMs: number) => Promise<void>
}

const QUIET_MS = 30_000
/** Latency is measured at least so often, whatever else there is. */
const MEASURED_EVERY_MS = 300_000
const LOOK_EVERY_MS = 15_000
const TIMEOUT_MS = 10_000

export function createHeartbeat({ members, peers, clock, log, ping }: HeartbeatParts): Heartbeat {
  const underWay = new Set<MemberId>()
  let cancel: (() => void) | undefined
  let stopped = false

  /** No timer runs while there is nobody to ask. */
  function refresh(): void {
    if (stopped || cancel || members.list().length === 0) return
    cancel = clock.after(LOOK_EVERY_MS * (0.5 + clock.random() / 2), () => {
      cancel = undefined
      look()
      refresh()
    })
  }

  function look(): void {
    const now = clock.now()
    for (const member of members.list()) {
      const { lastSeenAt = 0, lastPingAt } = peers.of(member)
      const lastTry = Math.max(lastSeenAt, lastPingAt)
      const isDue = now - lastTry >= QUIET_MS || now - lastPingAt >= MEASURED_EVERY_MS
      if (isDue && !underWay.has(member)) void askForSign(member)
    }
  }

  async function askForSign(member: MemberId): Promise<void> {
    const peer = peers.of(member)
    peer.lastPingAt = clock.now()
    underWay.add(member)
    try {
      await ping(member, TIMEOUT_MS)
      if (peer.problem) log.info({ peer: member }, 'a member answers again')
      peer.problem = undefined
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      if (!peer.problem) log.warn({ peer: member, problem }, 'a member gives no sign of life')
      peer.problem = problem
    } finally {
      underWay.delete(member)
    }
  }

  return {
    refresh,
    stop() {
      stopped = true
      cancel?.()
    },
  }
}
