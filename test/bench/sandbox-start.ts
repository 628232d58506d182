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

const ROUNDS = 12
const WARM_UP_ROUNDS = 2
/** Spares are made when nothing has been started for a while. */
const SPARE_PATIENCE_MS = 1500

/**
 * From nothing to the answer to the first call: a small plugin in a fresh guest of each tier beside a bare worker that
 * echoes, and in a spare that was ready.
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
    const cold = { worker: [] as number[], process: [] as number[] }
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      bare.push(await bareStartMs())
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
  for (let round = 0; round < ROUNDS; round++) {
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
