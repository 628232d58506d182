import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SiteProcess, siteConfig } from '../system/support/site-process.ts'
import { load } from './load.ts'
import { startReference } from './reference.ts'
import { atLeast, type Bench, median } from './result.ts'

const ROUNDS = 5
const PER_ROUND = { inFlight: 64, count: 2500 }

/**
 * Orders acknowledged per second with 64 clients, against a bare Koa that does no more than insert the same rows,
 * grouped, into the same kind of store.
 */
const orderRate: Bench = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-bench-'))
  const slowCloud = { quota: { instances: -1, vCPU: -1, ram: -1 }, delaysMs: { call: 60_000 } }
  const site = await SiteProcess.start({ config: siteConfig({ emulated: slowCloud }) })
  const client = await site.admin()
  const bare = await startReference('bare-inserts.ts', join(folder, 'bare.db'))
  const headers = { 'Fogbow-User-Token': client.token ?? '', 'Content-Type': 'application/json' }
  const body = JSON.stringify({ imageId: 'tiny', vCPU: 1, ram: 512 })
  const post = { method: 'POST', path: '/ras/computes', headers, body }
  const rates: { site: number[]; bare: number[] } = { site: [], bare: [] }
  for (let round = 0; round < ROUNDS; round += 1) {
    rates.bare.push((await load(bare.url, PER_ROUND, () => post)).perSecond)
    const result = await load(site.url, PER_ROUND, () => post)
    if (result.statuses[201] !== PER_ROUND.count)
      throw new Error(`answers were ${JSON.stringify(result.statuses)}`)
    rates.site.push(result.perSecond)
  }
  bare.stop()
  await site.kill()
  await site.stop()
  rmSync(folder, { recursive: true, force: true })
  const details = { sitePerSecond: median(rates.site), barePerSecond: median(rates.bare) }
  const ratio = details.sitePerSecond / details.barePerSecond
  return [atLeast('durable orders / bare grouped inserts', ratio, 0.5, 'ratio', details)]
}

export default orderRate
