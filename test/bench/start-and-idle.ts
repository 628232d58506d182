import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SiteProcess, siteConfig } from '../system/support/site-process.ts'
import { atMost, type Bench, median } from './result.ts'
import { storeOrders } from './stored-orders.ts'

const STARTS = 7
const IDLE_MS = 10_000
const SETTLE_MS = 3000
const OPEN_ORDERS = 20_000
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK']).toString())

/** From the start of the process to ready, with five plugins; memory and CPU of a site that nobody uses. */
const startAndIdle: Bench = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-bench-'))
  const config = fivePlugins()
  await (await SiteProcess.start({ folder, config })).end()
  storeOrders(folder, 'admin', 'site-a.test', OPEN_ORDERS)
  const starts: number[] = []
  const bare: number[] = []
  for (let start = 0; start < STARTS; start += 1) {
    bare.push(time(() => execFileSync(process.execPath, ['-e', '0'])))
    const startedAt = performance.now()
    const site = await SiteProcess.start({ folder, config })
    starts.push(performance.now() - startedAt)
    if (start < STARTS - 1) await site.end()
    else {
      const results = await idle(site)
      await site.end()
      rmSync(folder, { recursive: true, force: true })
      const details = {
        bareNodeMs: median(bare),
        ratioToBareNode: median(starts) / median(bare),
        starts: STARTS,
      }
      return [
        atMost('start to ready, five plugins', median(starts), 1000, 'ms', details),
        ...results,
      ]
    }
  }
  return []
}

function fivePlugins(): string {
  const text = siteConfig()
  return text.replace(
    '"plugins": {',
    '"plugins": {\n    "second": { "package": "@fogbow/plugin-single-account", "config": { "withoutCredentials": true } },',
  )
}

async function idle(site: SiteProcess) {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  const pid = site.process.pid ?? 0
  const before = cpuSeconds(pid)
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  const share = ((cpuSeconds(pid) - before) / (IDLE_MS / 1000)) * 100
  return [
    atMost('resident memory, five plugins, 20,000 open orders', residentMiB(pid), 150, 'MiB'),
    atMost('CPU while idle, 20,000 open orders', share, 0.5, '%', { seconds: IDLE_MS / 1000 }),
  ]
}

function time(run: () => void): number {
  const startedAt = performance.now()
  run()
  return performance.now() - startedAt
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

export default startAndIdle
