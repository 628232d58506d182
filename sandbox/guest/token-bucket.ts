/** Lets through what fits; `take` answers whether `amount` did. */
export interface TokenBucket {
  take(amount: number): boolean
}

/** @param perMinute - how much it holds and how much flows in per minute */
export function createTokenBucket(perMinute: number, elapsedMs: () => number): TokenBucket {
  let level = perMinute
  let filledAt = elapsedMs()
  return {
    take(amount) {
      const now = elapsedMs()
      level = Math.min(perMinute, level + ((now - filledAt) * perMinute) / 60_000)
      filledAt = now
      if (amount > level) return false
      level -= amount
      return true
    },
  }
}
