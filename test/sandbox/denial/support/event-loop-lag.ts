/** How this thread's event loop stood still. */
export interface Lag {
  /** The longest standstill, whoever was to blame, ms. */
  longestMs: number
  /** The most processor time that this thread spent in one standstill, ms: work of its own, not the machine's others. */
  workedMs: number
}

const EVERY_MS = 5

/** Watches how late this thread's timers come. */
export function watchLag(): { end(): Lag } {
  let longest = 0
  let worked = 0
  let last = performance.now()
  let lastUsed = usedMs()
  const look = () => {
    const now = performance.now()
    const used = usedMs()
    longest = Math.max(longest, now - last - EVERY_MS)
    worked = Math.max(worked, used - lastUsed)
    last = now
    lastUsed = used
  }
  const timer = setInterval(look, EVERY_MS)
  return {
    end() {
      look()
      clearInterval(timer)
      return { longestMs: Math.round(longest), workedMs: Math.round(worked) }
    },
  }
}

function usedMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
