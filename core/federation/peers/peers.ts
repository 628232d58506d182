import type { MemberId, MemberView } from '../contract.ts'
import type { DialectParts } from '../dialect.ts'
import { jidOf } from '../site-jid.ts'
import { type Clock, type XmppComponent, XmppError } from '../xmpp/index.ts'
import type { Members } from './members.ts'
import { createPeer, type Peer, type PeerCounts } from './peer.ts'

/** The members as they fare. */
export interface Peers {
  of(member: MemberId): Peer
  request: DialectParts['request']
  heard: DialectParts['heard']
  views(): MemberView[]
  counts(): Readonly<Record<MemberId, PeerCounts>>
}

export interface PeersParts {
  readonly siteId: MemberId
  readonly members: Members
  readonly component: XmppComponent
  readonly clock: Clock
  /** A member that could not be reached can be again. */
  readonly recovered: (member: MemberId) => void
}

/** Without any sign for longer than this, a member counts as silent. */
export const ALIVE_FOR_MS = 150_000

/** What a server says of a component that it cannot reach. Whether for long or not, none of it tells. */
const unreachable = new Set([
  'remote-server-not-found',
  'remote-server-timeout',
  'service-unavailable',
  'recipient-unavailable',
  'gone',
])

export function createPeers({ siteId, members, component, clock, recovered }: PeersParts): Peers {
  const known = new Map<MemberId, Peer>()

  /** Only members are kept, so that strangers cannot fill the table. */
  function of(member: MemberId): Peer {
    const found = known.get(member)
    if (found) return found
    const peer = createPeer(member, clock)
    if (members.isMember(member)) known.set(member, peer)
    return peer
  }

  function answered(peer: Peer): void {
    if (peer.breaker.succeeded()) recovered(peer.id)
  }

  function failed(peer: Peer, error: unknown): void {
    const { kind, condition } = error instanceof XmppError ? error : { kind: '', condition: '' }
    const isOut = kind === 'timeout' || (kind === 'stanza' && unreachable.has(condition))
    if (isOut) {
      peer.counts.failures += 1
      peer.unansweredSince ??= clock.now()
      peer.breaker.failed()
    } else if (kind === 'stanza' || kind === 'too-large') answered(peer)
    else peer.breaker.undecided()
  }

  function view(peer: Peer): MemberView {
    const { id, dialect = 'unknown', latencyMs, lastSeenAt, breaker } = peer
    const problem = problemOf(peer)
    return {
      id,
      local: false,
      dialect,
      liveness: livenessOf(peer, clock.now()),
      ...(latencyMs !== undefined && { latencyMs }),
      ...(lastSeenAt !== undefined && { lastSeenAt }),
      ...(breaker.state !== 'closed' && { problem: 'it cannot be reached' }),
      ...(problem !== undefined && { problem }),
    }
  }

  function problemOf({ id, problem }: Peer): string | undefined {
    if (members.mayAsk(id, { direction: 'to provider' })) return problem
    return 'users of this site may not go there'
  }

  return {
    of,
    async request(member, type, children, options) {
      const peer = of(member)
      if (!peer.breaker.admit()) {
        peer.counts.spared += 1
        const why = `${member} was not asked: it could not be reached lately`
        throw new XmppError('offline', why, { sent: false })
      }
      peer.counts.requests += 1
      peer.counts.inFlight += 1
      try {
        const answer = await component.request(jidOf(member), type, children, options)
        answered(peer)
        return answer
      } catch (error) {
        failed(peer, error)
        throw error
      } finally {
        peer.counts.inFlight -= 1
      }
    },
    heard(member, roundTripMs) {
      const peer = of(member)
      peer.lastSeenAt = clock.now()
      peer.unansweredSince = undefined
      if (roundTripMs !== undefined) peer.latencyMs = roundTripMs
      answered(peer)
    },
    views: () => [
      { id: siteId, local: true, dialect: 'own', liveness: 'alive' },
      ...members.list().map((member) => view(of(member))),
    ],
    counts: () =>
      Object.fromEntries(members.list().map((member) => [member, { ...of(member).counts }])),
  }
}

export function livenessOf(
  { lastSeenAt, unansweredSince }: Peer,
  now: number,
): MemberView['liveness'] {
  if (lastSeenAt === undefined) return unansweredSince === undefined ? 'unknown' : 'silent'
  return now - lastSeenAt > ALIVE_FOR_MS ? 'silent' : 'alive'
}
