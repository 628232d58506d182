import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

const MIB = 1_048_576
const TICK_MS = 10
/** Memory comes back step by step; it has this long. */
const RETURN_PATIENCE_MS = 12_000
/** What it may differ by before it is waited for, MiB. */
const RETURNED_WITHIN = 40

/** Resident memory of this process, MiB. */
export interface MemoryUse {
  before: number
  highest: number
  after: number
}

export function watchMemory(): { end(): Promise<MemoryUse> } {
  const resident = () => Math.round(process.memoryUsage.rss() / MIB)
  global.gc?.()
  const before = resident()
  let highest = before
  const timer = setInterval(() => {
    highest = Math.max(highest, resident())
  }, 25)
  return {
    async end() {
      clearInterval(timer)
      const until = performance.now() + RETURN_PATIENCE_MS
      while (resident() > before + RETURNED_WITHIN && performance.now() < until) {
        global.gc?.()
        await pause(50)
      }
      return { before, highest, after: resident() }
    },
  }
}

/** Share of a core that this process and its children use over a moment. */
export async function busyShare(): Promise<number> {
  const before = usedMs()
  const startedAt = performance.now()
  await pause(200)
  return Math.round(((usedMs() - before) / (performance.now() - startedAt)) * 100) / 100
}

function usedMs(): number {
  const { user, system } = process.cpuUsage()
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ')
  return children.filter(Boolean).reduce((sum, pid) => sum + usedByMs(pid), (user + system) / 1000)
}

function usedByMs(pid: string): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS
  } catch {
    return 0
  }
}
