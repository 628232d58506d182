import type { Clock } from '../xmpp/index.ts'
import { CLOCK_SKEW_MS } from './envelope.ts'
import { Refusal } from './refusal.ts'

/** Ids of reads that were answered; commands have the inbox. */
export interface Replays {
  /** @throws Refusal `replayed` when this site used that id before */
  assertNew(from: string, id: string, expiresAt: number): void
}

/**
 * Of one member; the oldest go first. Only a member itself can push its ids out, and a read that is answered twice does
 * no harm.
 */
const MOST_PER_MEMBER = 50_000

export function createReplays(clock: Clock): Replays {
  const used = new Map<string, Map<string, number>>()

  function forgetOld(ids: Map<string, number>): void {
    const now = clock.now()
    for (const [id, until] of ids) {
      if (until > now && ids.size <= MOST_PER_MEMBER) break
      ids.delete(id)
    }
  }

  return {
    assertNew(from, id, expiresAt) {
      let ids = used.get(from)
      if (!ids) {
        ids = new Map()
        used.set(from, ids)
      }
      if (ids.has(id)) throw new Refusal('replayed', `${id} was asked before`)
      ids.set(id, expiresAt + CLOCK_SKEW_MS)
      forgetOld(ids)
    },
  }
}
