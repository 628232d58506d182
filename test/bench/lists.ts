import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '../system/support/client.ts'
import { SiteProcess, siteConfig } from '../system/support/site-process.ts'
import { atMost, type Bench, median, percentile } from './result.ts'
import { storeOrders } from './stored-orders.ts'

const PAGES = 200
const PAGE = '/ras/computes/status?limit=50'
const FEW = 200
const MANY = 20_000
const READS = 300
const BETWEEN_READS_MS = 33

/** A page with 20,000 orders against a page with 200, and single reads while pages of the many are listed. */
const lists: Bench = async () => {
  const few = await withOrders(FEW, async (client) => ({ page: await pageTime(client) }))
  const many = await withOrders(MANY, async (client, ids) => {
    const page = await pageTime(client)
    const alone = await reads(client, ids)
    let listing = true
    const lister = (async () => {
      let next = PAGE
      while (listing) {
        const answer = await client.get(next)
        const link = /<([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1]
        next = link ? link.replace(client.url, '') : PAGE
      }
    })()
    const beside = await reads(client, ids)
    listing = false
    await lister
    return { page, alone, beside }
  })
  const delay = percentile(many.beside, 0.99) - percentile(many.alone, 0.99)
  return [
    atMost('page with 20,000 orders / with 200', many.page / few.page, 1.2, 'ratio', {
      manyMs: many.page,
      fewMs: few.page,
    }),
    atMost('delay of single reads while listing, p99', delay, 5, 'ms', {
      aloneMs: percentile(many.alone, 0.99),
      besideMs: percentile(many.beside, 0.99),
    }),
  ]
}

async function withOrders<Result>(
  count: number,
  run: (client: Client, ids: string[]) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-bench-'))
  const config = siteConfig()
  await (await SiteProcess.start({ folder, config })).end()
  const ids = storeOrders(folder, 'admin', 'site-a.test', count)
  const site = await SiteProcess.start({ folder, config })
  try {
    return await run(await site.admin(), ids)
  } finally {
    await site.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function pageTime(client: Client): Promise<number> {
  const times: number[] = []
  for (let page = 0; page < PAGES; page += 1) {
    const startedAt = performance.now()
    const answer = await client.get(PAGE)
    if ((answer.body as unknown[]).length !== 50)
      throw new Error(`a page of ${(answer.body as unknown[]).length}`)
    times.push(performance.now() - startedAt)
  }
  return median(times)
}

/** Thirty reads a second, each of another order. */
async function reads(client: Client, ids: readonly string[]): Promise<number[]> {
  const times: number[] = []
  for (let read = 0; read < READS; read += 1) {
    const startedAt = performance.now()
    await client.get(`/ras/computes/${ids[(read * 61) % ids.length]}`)
    times.push(performance.now() - startedAt)
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_READS_MS))
  }
  return times
}

export default lists
