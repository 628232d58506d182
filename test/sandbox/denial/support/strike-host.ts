import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { watchLag } from './event-loop-lag.ts'
import type { Order, Report } from './strike.ts'

/** Whatever a strike does, the machine has other users: no host may take more than this. */
const MOST_DATA_BYTES = 12 * 2 ** 30
const MOST_RESIDENT_BYTES = 3 * 2 ** 30
const PATIENCE_MS = 30_000

/** What a host that was struck reported, or how it ended before it could. */
export interface Aftermath {
  /** Empty when it lived to report. */
  death: string
  report: Report | undefined
  /** How long this process, which had nothing to do, stood still at worst: what the machine is to blame for. ms */
  controlLagMs: number
}

/** Starts a host, lets it suffer and answers what became of it. */
export async function strikeHost(order: Order): Promise<Aftermath> {
  const control = watchLag()
  const victim = spawn(
    'prlimit',
    [
      `--data=${MOST_DATA_BYTES}`,
      '--core=0',
      process.execPath,
      '--expose-gc',
      '--no-memory-pool-share-memory-on-teardown',
      join(import.meta.dirname, 'victim.ts'),
    ],
    { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true },
  )
  let printed = ''
  const note = (text: Buffer) => {
    printed = (printed + text).slice(-2000)
  }
  victim.stdout?.on('data', note)
  victim.stderr?.on('data', note)
  let verdict = ''
  const end = (why: string) => {
    verdict ||= why
    if (victim.pid && victim.exitCode === null) process.kill(-victim.pid, 'SIGKILL')
  }
  let report: Report | undefined
  victim.on('message', (message) => {
    report = message as Report
    // A process does not end by itself while a thread of it cannot be stopped.
    end('')
  })
  const late = setTimeout(end, PATIENCE_MS, `no report within ${PATIENCE_MS} ms`)
  const guard = setInterval(() => {
    if (residentBytes(victim.pid) > MOST_RESIDENT_BYTES) end('takes too much memory')
  }, 50)
  victim.send(order)
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    victim.on('close', (...how) => resolve(how))
  })
  clearTimeout(late)
  clearInterval(guard)
  const controlLagMs = control.end().longestMs
  return {
    death: report ? '' : `${verdict || signal || `code ${code}`}: ${printed}`,
    report,
    controlLagMs,
  }
}

function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096
  } catch {
    return 0
  }
}
