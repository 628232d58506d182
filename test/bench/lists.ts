import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SiteProcess, siteConfig } from '../system/support/site-process.ts'
import { type Connection, connect, type LoadRequest } from './load.ts'
import { atMost, type Bench, median, percentile } from './result.ts'
import { storeOrders } from './stored-orders.ts'

const PAGES = 300
const PAGE = '/ras/computes/status?limit=50'
const FEW = 200
const MANY = 20_000
const READS = 300
const BETWEEN_READS_MS = 33

/** A client whose answers are not looked at. */
interface Reader {
  get(path: string): ReturnType<Connection['send']>
}

/** A page with 20,000 orders against a page with 200, and single reads while pages of the many are listed. */
const lists: Bench = () =>
  withOrders(FEW, (few) =>
    withOrders(MANY, async (many, ids) => {
      const pages = await comparePages(few, many)
      const alone = await reads(many, ids)
      let listing = true
      const lister = (async () => {
        let next = PAGE
        while (listing) next = nextPage(await many.get(next))
      })()
      const beside = await reads(many, ids)
      listing = false
      await lister
      const aloneMs = percentile(alone, 0.99)
      const besideMs = percentile(beside, 0.99)
      return [
        atMost(
          'page with 20,000 orders / with 200',
          pages.manyMs / pages.fewMs,
          1.2,
          'ratio',
          pages,
        ),
        atMost('delay of single reads while listing, p99', besideMs - aloneMs, 5, 'ms', {
          aloneMs,
          besideMs,
        }),
      ]
    }),
  )

async function withOrders<Result>(
  count: number,
  run: (reader: Reader, ids: string[]) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-bench-'))
  const config = siteConfig()
  await (await SiteProcess.start({ folder, config })).end()
  const ids = storeOrders(folder, 'admin', 'site-a.test', count)
  const site = await SiteProcess.start({ folder, config })
  const connection = connect(site.url, 2)
  try {
    const headers = { 'Fogbow-User-Token': (await site.admin()).token ?? '' }
    return await run({ get: (path) => connection.send(toGet(path, headers)) }, ids)
  } finally {
    connection.close()
    await site.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

function toGet(path: string, headers: Record<string, string>): LoadRequest {
  return { method: 'GET', path, headers }
}

function nextPage({ headers }: { headers: IncomingHttpHeaders }): string {
  const link = /<([^>]+)>; rel="next"/.exec(String(headers.link ?? ''))?.[1]
  if (!link) return PAGE
  const { pathname, search } = new URL(link, 'http://site')
  return pathname + search
}

/** In turns, so that whatever else the machine does meets both alike. */
async function comparePages(few: Reader, many: Reader): Promise<{ fewMs: number; manyMs: number }> {
  const times = { few: [] as number[], many: [] as number[] }
  for (let page = 0; page < PAGES; page += 1) {
    times.few.push(await pageTime(few))
    times.many.push(await pageTime(many))
  }
  return { fewMs: median(times.few), manyMs: median(times.many) }
}

async function pageTime(reader: Reader): Promise<number> {
  const { status, ms } = await reader.get(PAGE)
  if (status !== 200) throw new Error(`a page was answered with ${status}`)
  return ms
}

/** Thirty reads a second, each of another order. */
async function reads(reader: Reader, ids: readonly string[]): Promise<number[]> {
  const times: number[] = []
  for (let read = 0; read < READS; read += 1) {
    const { status, ms } = await reader.get(`/ras/computes/${ids[(read * 61) % ids.length]}`)
    if (status !== 200) throw new Error(`a read was answered with ${status}`)
    times.push(ms)
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_READS_MS))
  }
  return times
}

export default lists
