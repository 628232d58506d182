import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import {
  detectIsolation,
  type Launcher,
  processLauncher,
  type Sandbox,
  startSandbox,
  workerLauncher,
} from '@fogbow/sandbox'
import { echoSpec } from './echoes.ts'
import { atMost, type BenchResult } from './result.ts'

const PLUGINS = 50
const SETTLE_MS = 3000
const MIB = 1_048_576

/** What one idle sandbox of many takes: growth of this process for threads, PSS of it and what starts it for processes. */
export default async function sandboxMemory(): Promise<BenchResult[]> {
  const cacheDir = mkdtempSync(join(tmpdir(), 'fogbow-bench-'))
  try {
    const threads = await measure(workerLauncher({ cacheDir }), () => process.memoryUsage.rss())
    const isolation = await detectIsolation()
    const processes = await measure(processLauncher({ cacheDir, isolation }), () =>
      descendants(process.pid).reduce((sum, pid) => sum + pssBytes(pid), 0),
    )
    return [
      atMost(`sandbox memory: worker, idle, of ${PLUGINS}`, threads / MIB, 14, 'MiB'),
      atMost(`sandbox memory: process, idle, of ${PLUGINS}`, processes / MIB, 14, 'MiB'),
    ]
  } finally {
    rmSync(cacheDir, { recursive: true })
  }
}

async function measure(launcher: Launcher, bytes: () => number): Promise<number> {
  const first = await startSandbox(echoSpec(), { launcher })
  await pause(SETTLE_MS)
  const before = bytes()
  const sandboxes: Sandbox[] = []
  for (let plugin = 0; plugin < PLUGINS; plugin++)
    sandboxes.push(await startSandbox(echoSpec(), { launcher }))
  await pause(SETTLE_MS)
  const each = (bytes() - before) / PLUGINS
  await Promise.all([first, ...sandboxes].map((sandbox) => sandbox.stop()))
  return each
}

function descendants(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1')
      .split(' ')
      .filter(Boolean)
      .map(Number),
  )
  return children.flatMap((child) => [child, ...descendants(child)])
}

/** Memory of a process with what it shares counted in parts. */
function pssBytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1024
}

if (import.meta.main) for (const line of await sandboxMemory()) console.log(JSON.stringify(line))
