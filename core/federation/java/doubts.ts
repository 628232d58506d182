import type { Clock } from '../xmpp/index.ts'

/**
 * Creations whose outcome is not known: what was sent may still be on its way, and arrive after an answer to a later
 * attempt. What an earlier process sent is not known here, so at first every creation is in doubt.
 */
export interface Doubts {
  raise(member: string, orderId: string): void
  settle(member: string, orderId: string): void
  has(member: string, orderId: string): boolean
}

/** Longer than any server on the way holds a stanza back. */
const HOLDS_MS = 300_000

export function createDoubts(clock: Clock): Doubts {
  const since = new Map<string, number>()
  const begunAt = clock.now()
  const keyOf = (member: string, orderId: string) => JSON.stringify([member, orderId])
  return {
    raise(member, orderId) {
      const key = keyOf(member, orderId)
      since.delete(key)
      since.set(key, clock.now())
      for (const [oldest, at] of since) {
        if (clock.now() - at < HOLDS_MS) break
        since.delete(oldest)
      }
    },
    settle: (member, orderId) => void since.delete(keyOf(member, orderId)),
    has(member, orderId) {
      const at = since.get(keyOf(member, orderId)) ?? begunAt
      return clock.now() - at < HOLDS_MS
    },
  }
}
