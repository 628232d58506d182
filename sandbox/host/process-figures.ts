import { readFileSync } from 'node:fs'
import type { GuestUsage } from './launcher.ts'

/** What the kernel knows of one process, without its help. Nothing where there is no `/proc`. */
export interface ProcessFigures {
  /** Share of the time since the last question in which its main thread ran or waited for a processor, 0 to 1. */
  busyShare(): number
  /** Memory that is its own, not that of files, bytes. */
  residentBytes(): number | undefined
  usage(): GuestUsage | undefined
}

const NS_PER_MS = 1_000_000
/** Of `utime` and `stime`; the same on every Linux that Node runs on. */
const TICK_MS = 10

export function processFigures(pid: number): ProcessFigures {
  let before = { wanted: wantedMs(pid), at: performance.now() }
  return {
    busyShare() {
      const now = { wanted: wantedMs(pid), at: performance.now() }
      const share = (now.wanted - before.wanted) / (now.at - before.at)
      before = now
      return Math.min(Math.max(share, 0), 1)
    },
    residentBytes: () => residentBytes(pid),
    usage() {
      const heapBytes = residentBytes(pid)
      return heapBytes === undefined ? undefined : { cpuMs: cpuMs(pid), heapBytes }
    },
  }
}

function residentBytes(pid: number): number | undefined {
  const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(read(pid, 'status') ?? '')?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}

/** Host id of the process that a starter such as unshare put into namespaces of its own. */
export function childOf(pid: number): number | undefined {
  return Number.parseInt(read(pid, `task/${pid}/children`) ?? '', 10) || undefined
}

/** Waiting for a processor counts: on a busy machine a thread that spins is given little of one. */
function wantedMs(pid: number): number {
  const times = read(pid, 'schedstat')?.split(' ')
  return times ? (Number(times[0]) + Number(times[1])) / NS_PER_MS : cpuMs(pid)
}

/** `utime` and `stime` of proc_pid_stat(5), which follow the name in parentheses. */
function cpuMs(pid: number): number {
  const stat = read(pid, 'stat')
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MS
}

function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return undefined
  }
}
