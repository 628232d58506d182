import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import {
  detectIsolation,
  type Launcher,
  processLauncher,
  startSandbox,
  withSpares,
  workerLauncher,
} from '@fogbow/sandbox'
import { echoSpec } from './echoes.ts'
import { smallPayloads } from './payloads.ts'
import { atMost, type BenchResult, median } from './result.ts'

const ROUNDS = 30
const WARM_UP_ROUNDS = 2
const SPARE_ROUNDS = 10
/** Spares are made when nothing has been started for a while. */
const SPARE_PATIENCE_MS = 1500

/**
 * From nothing to the answer to the first call: a small plugin in a fresh guest of each tier beside a bare worker that
 * echoes, and in a spare that was ready. What counts is the median of the ratios of starts of the same round: other work
 * on the machine comes and goes. A bare process that echoes is printed beside the process tier, which no bar asks for.
 */
export default async function sandboxStart(): Promise<BenchResult[]> {
  const cacheDir = mkdtempSync(join(tmpdir(), 'fogbow-bench-'))
  const isolation = await detectIsolation()
  const tiers = {
    worker: workerLauncher({ cacheDir }),
    process: processLauncher({ cacheDir, isolation }),
  }
  const limits = { memoryMiB: echoSpec().limits.memoryMiB }
  try {
    const bare: number[] = []
    const bareProcess: number[] = []
    const cold = { worker: [] as number[], process: [] as number[] }
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      bare.push(await bareStartMs())
      bareProcess.push(await bareProcessStartMs())
      for (const tier of ['worker', 'process'] as const) cold[tier].push(await startMs(tiers[tier]))
    }
    const results: BenchResult[] = []
    for (const tier of ['worker', 'process'] as const) {
      const spares = withSpares(tiers[tier], { count: 1, limits })
      const spareMs = await measureSpares(spares)
      await spares.close?.()
      const ratios = cold[tier].map((ms, at) => ms / (bare[at] ?? Number.NaN)).slice(WARM_UP_ROUNDS)
      results.push(
        atMost(`sandbox start: ${tier} against a bare worker`, median(ratios), 2.5, 'ratio', {
          ms: median(cold[tier].slice(WARM_UP_ROUNDS)),
          bareMs: median(bare.slice(WARM_UP_ROUNDS)),
          ...(tier === 'process' && { bareProcessMs: median(bareProcess.slice(WARM_UP_ROUNDS)) }),
        }),
        atMost(`sandbox start: ${tier} from a spare`, median(spareMs), 10, 'ms'),
      )
    }
    return results
  } finally {
    rmSync(cacheDir, { recursive: true })
  }
}

async function measureSpares(spares: Launcher): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < WARM_UP_ROUNDS + SPARE_ROUNDS; round++) {
    await pause(SPARE_PATIENCE_MS)
    times.push(await startMs(spares))
  }
  return times.slice(WARM_UP_ROUNDS)
}

async function startMs(launcher: Launcher): Promise<number> {
  const [payload] = smallPayloads(1)
  const start = performance.now()
  const sandbox = await startSandbox(echoSpec(), { launcher })
  await sandbox.call('compute.getInstance', [payload?.order, payload?.token])
  const ms = performance.now() - start
  await sandbox.stop()
  return ms
}

async function bareStartMs(): Promise<number> {
  const start = performance.now()
  const worker = new Worker(
    "const { parentPort } = require('node:worker_threads'); parentPort.on('message', (message) => parentPort.postMessage(message))",
    { eval: true },
  )
  await new Promise((resolve) => {
    worker.once('message', resolve)
    worker.postMessage(smallPayloads(1)[0])
  })
  const ms = performance.now() - start
  await worker.terminate()
  return ms
}

if (import.meta.main) for (const line of await sandboxStart()) console.log(JSON.stringify(line))

async function bareProcessStartMs(): Promise<number> {
  const start = performance.now()
  const child = spawn(process.execPath, ['-e', "process.on('message', process.send)"], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const answered = once(child, 'message')
  child.send(smallPayloads(1)[0] ?? {})
  await answered
  const ms = performance.now() - start
  child.kill()
  await once(child, 'exit')
  return ms
}
