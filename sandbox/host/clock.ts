/** Time as the sandbox host sees it; tests inject their own. */
export interface SandboxClock {
  /** ms since the epoch */
  now(): number
  /** Runs once after `ms`. @returns what prevents it */
  after(ms: number, run: () => void): () => void
}

export const systemClock: SandboxClock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}
