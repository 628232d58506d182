import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { catalogueType } from '@fogbow/registry/find'
import { createSigningKey, signDocument } from '@fogbow/registry/trust'
import { marketConfig, startMarketSite } from '../marketplace/support/market-site.ts'
import { atMost, type Bench, percentile } from './result.ts'

const ENTRIES = 10_000
const SEARCHES = 100
const LIMIT_MS = 50

/** Searches in a signed catalogue over REST, as an administrator types them. */
const bench: Bench = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-bench-'))
  const key = createSigningKey()
  writeFileSync(join(folder, 'catalogue.json'), JSON.stringify(signDocument(catalogue(), [key])))
  const config = marketConfig({
    registry: 'http://127.0.0.1:9/',
    marketplace: { catalogues: { large: { place: 'catalogue.json', keys: [key.text] } } },
  })
  const site = await startMarketSite({ folder, config })
  try {
    await site.market.post('refresh')
    const lasted: number[] = []
    for (let n = 0; n < SEARCHES; n++) {
      const startedAt = performance.now()
      const { items } = await site.market.get<{ items: unknown[] }>(
        `search?source=large&kind=${n % 2 ? 'compute' : 'network'}&text=${searched(n)}`,
      )
      lasted.push(performance.now() - startedAt)
      if (items.length === 0) throw new Error(`'${searched(n)}' was not found`)
    }
    const details = { p99: percentile(lasted, 0.99), first: lasted[0] ?? 0 }
    const p50 = percentile(lasted, 0.5)
    return [atMost(`search over ${ENTRIES} entries`, p50, LIMIT_MS, 'ms', details)]
  } finally {
    await site.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

export default bench

const searched = (n: number) => ['openstack', 'plugin%2077', 'vendor-1%20cloud'][n % 3]

function catalogue() {
  const now = Date.now()
  return {
    type: catalogueType,
    sequence: 1,
    issuedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + 86_400_000).toISOString(),
    plugins: Array.from({ length: ENTRIES }, (_, n) => ({
      name: `@vendor-${n % 97}/plugin-${n}`,
      description: `Plugin ${n} for an ${n % 5 ? 'OpenStack' : 'other'} cloud, kept by vendor-${n % 97}`,
      kinds: ['compute', 'network', 'volume'].slice(0, 2 + (n % 2)),
      license: 'Apache-2.0',
      publisher: `Vendor ${n % 97}`,
      readme: `# Plugin ${n}\n\n${'It serves computes, volumes and networks. '.repeat(8)}`,
      versions: [
        { version: `1.${n % 10}.0`, sdk: '^0.1.0', publishedAt: new Date(now).toISOString() },
        { version: '1.0.0', sdk: '^0.1.0' },
      ],
    })),
  }
}
