import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packed } from '../../registry/fixtures/packages.ts'
import { type Market, marketConfig, startMarketSite } from '../marketplace/support/market-site.ts'
import { type VendorVersion, vendorVersion } from '../marketplace/support/vendor-cloud.ts'
import { atMost, type Bench, median } from './result.ts'

const SWAPS = 7
const IN_FLIGHT = 64
/** About what a plugin with the SDK of a large cloud comes to. */
const LARGE_BYTES = 3 * 1024 * 1024
const slow = `if (id === 'slow') await new Promise((resolve) => setTimeout(resolve, 50))`

/** From accepting a plan that waits until the new version answers; and what calls that are under way notice of it. */
const bench: Bench = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-bench-'))
  const config = marketConfig({
    registry: 'http://127.0.0.1:9/',
    vendor: { limits: { callsInFlight: 256 } },
  })
  const site = await startMarketSite({ folder, config })
  const tarball = (name: string, of: VendorVersion, more = {}) => {
    const file = join(folder, `${name}.tgz`)
    writeFileSync(file, packed({ ...vendorVersion(of), ...more }))
    return file
  }
  try {
    const { market } = site
    const small = ['1.0.0', '1.1.0'].map((version) => tarball(version, { version, atImage: slow }))
    const large = ['2.0.0', '2.1.0'].map((version) => {
      const imports = `import { parts } from './parts.js'`
      const more = { 'parts.js': parts(version) }
      return tarball(version, { version, imports, atCreate: 'void parts.length' }, more)
    })
    const ofSmall = await timesToFirstCall(market, small)
    const calm: number[] = []
    const swapped: number[] = []
    let lost = 0
    for (let n = 0; n < SWAPS; n++) {
      calm.push((await slowestDuring(market, async () => {})).slowestMs)
      const plan = await market.plan({ action: 'install', source: small[n % 2] ?? '' })
      const during = await slowestDuring(market, () => market.apply(plan))
      swapped.push(during.slowestMs)
      lost += during.lost
    }
    const ofLarge = await timesToFirstCall(market, large)
    const added = median(swapped) - median(calm)
    return [
      atMost('small plugin, accept to first call', median(ofSmall), 300, 'ms'),
      atMost('large plugin, accept to first call', median(ofLarge), 1000, 'ms'),
      atMost('calls lost in swaps under load', lost, 0, 'count'),
      atMost('added to the slowest call by a swap', added, 20, 'ms', {
        calmMs: median(calm),
        swappedMs: median(swapped),
      }),
    ]
  } finally {
    await site.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

export default bench

async function timesToFirstCall(market: Market, tarballs: readonly string[]): Promise<number[]> {
  const times: number[] = []
  for (let n = 0; n < SWAPS; n++) {
    const plan = await market.plan({ action: 'install', source: tarballs[n % 2] })
    const startedAt = performance.now()
    await market.apply(plan)
    const version = await market.answeredBy()
    times.push(performance.now() - startedAt)
    if (version !== plan.changes[0]?.to?.version) throw new Error(`${version} answers`)
  }
  return times
}

/** Keeps calls of 50 ms in flight while something is done, and for a while after it. */
async function slowestDuring(
  market: Market,
  work: () => Promise<unknown>,
): Promise<{ slowestMs: number; lost: number }> {
  let isOver = false
  let slowestMs = 0
  let lost = 0
  const callers = Array.from({ length: IN_FLIGHT }, async () => {
    while (!isOver) {
      const startedAt = performance.now()
      await market.answeredBy('slow').catch(() => {
        lost++
      })
      slowestMs = Math.max(slowestMs, performance.now() - startedAt)
    }
  })
  await pause(300)
  await work()
  await pause(300)
  isOver = true
  await Promise.all(callers)
  return { slowestMs, lost }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Functions that nobody calls, as most of such an SDK is. */
function parts(version: string): string {
  const lines: string[] = []
  for (let n = 0, bytes = 0; bytes < LARGE_BYTES; n++) {
    const line = `function part${n}(input) { return { operation: 'Operation${n} of ${version}', input, fields: [${n}, input?.member${n}] } }`
    lines.push(line)
    bytes += line.length
  }
  const names = lines.map((_, n) => `part${n}`).join(',')
  return `${lines.join('\n')}\nexport const parts = [${names}]\n`
}
