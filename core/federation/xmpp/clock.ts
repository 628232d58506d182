/** Time and chance, as the link to the server needs them; tests bring their own. */
export interface Clock {
  /** ms since the epoch */
  now(): number
  /** Runs once after a pause. @returns what cancels it */
  after(ms: number, run: () => void): () => void
  /** 0 ≤ x < 1 */
  random(): number
}

export const systemClock: Clock = {
  now: Date.now,
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
  random: Math.random,
}
