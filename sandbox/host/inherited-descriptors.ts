import type { StdioOptions } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'

const CLOSE_ON_EXEC = 0o2000000

/**
 * Descriptors of this process that a child would have too, because whoever started this one left them open: a listening
 * socket of a service manager, a lock, a log. What Node opens itself closes in children.
 */
export function inheritedDescriptors(): number[] {
  try {
    const open = readdirSync('/proc/self/fd').map(Number)
    return open.filter((fd) => fd > 2 && !closesInChildren(fd))
  } catch {
    return []
  }
}

function closesInChildren(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
    return (Number.parseInt(flags ?? '', 8) & CLOSE_ON_EXEC) !== 0
  } catch {
    return true
  }
}

/** Runs `start` with descriptors in which each inherited one beyond `own` is replaced by `/dev/null`. */
export function withoutInherited<Child>(
  own: readonly 'pipe'[],
  start: (stdio: StdioOptions) => Child,
): Child {
  const leaking = inheritedDescriptors().filter((fd) => fd >= own.length)
  if (leaking.length === 0) return start([...own])
  const nothing = openSync('/dev/null', 'r+')
  try {
    const stdio: (number | 'pipe' | 'ignore')[] = [...own]
    for (const fd of leaking) {
      while (stdio.length <= fd) stdio.push('ignore')
      stdio[fd] = nothing
    }
    return start(stdio)
  } finally {
    closeSync(nothing)
  }
}
