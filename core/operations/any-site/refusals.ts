import type { Wish } from './wish.ts'

export interface Refusal {
  reason: string
  /** ms since the epoch */
  at: number
}

/** Who refused what to whom lately. In memory only: it saves calls, and nothing depends on it. */
export interface Refusals {
  get(wish: Wish, provider: string): Refusal | undefined
  note(wish: Wish, provider: string, refusal: Refusal): void
}

const KEPT_MS = 3_600_000
const MOST_KEPT = 10_000

export function createRefusals(now: () => number): Refusals {
  const refusals = new Map<string, Refusal>()
  return {
    get(wish, provider) {
      const refusal = refusals.get(keyOf(wish, provider))
      return refusal && now() - refusal.at < KEPT_MS ? refusal : undefined
    },
    note(wish, provider, refusal) {
      const key = keyOf(wish, provider)
      // Taken out first, so that the oldest stay in front.
      refusals.delete(key)
      if (refusals.size >= MOST_KEPT) refusals.delete(refusals.keys().next().value as string)
      refusals.set(key, refusal)
    },
  }
}

function keyOf({ kind, user }: Wish, provider: string): string {
  return JSON.stringify([kind, user.id, user.identityProviderId, provider])
}
