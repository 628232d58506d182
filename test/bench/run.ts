import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, BenchResult } from './result.ts'

/**
 * Measures, and compares each figure with its bar. Arguments name benchmarks to run instead of all. Exit code 1 when a
 * bar is missed. The figures are also written to `coverage/bench.json`.
 */

const benches: Record<string, () => Promise<{ default: Bench }>> = {
  'sandbox-call': () => import('./sandbox-call.ts'),
  'sandbox-start': () => import('./sandbox-start.ts'),
  'sandbox-memory': () => import('./sandbox-memory.ts'),
  'order-overhead': () => import('./order-overhead.ts'),
  'order-rate': () => import('./order-rate.ts'),
  'read-one': () => import('./read-one.ts'),
  lists: () => import('./lists.ts'),
  'start-and-idle': () => import('./start-and-idle.ts'),
  kills: () => import('./kills.ts'),
  'openstack-overhead': () => import('./openstack-overhead.ts'),
  'federation-call': () => import('./federation-call.ts'),
  'federation-order': () => import('./federation-order.ts'),
  'marketplace-apply': () => import('./marketplace-apply.ts'),
  'marketplace-search': () => import('./marketplace-search.ts'),
  'federation-100-sites': () => import('./federation-100-sites.ts'),
}

const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !benches[name])
if (unknown.length > 0) {
  console.error(
    `No such benchmark: ${unknown.join(', ')}. Benchmarks are ${Object.keys(benches).join(', ')}.`,
  )
  process.exit(2)
}
const results: BenchResult[] = []
for (const name of chosen.length > 0 ? chosen : Object.keys(benches)) {
  console.log(`=== ${name}`)
  const bench = (await benches[name]?.())?.default
  for (const result of (await bench?.()) ?? []) {
    results.push(result)
    const details = Object.entries(result.details).map(([key, value]) => `${key} ${round(value)}`)
    const line = `${result.ok ? 'ok    ' : 'MISSED'} ${result.name}: ${round(result.value)} ${result.unit} (bar ${result.bar})`
    console.log(details.length > 0 ? `${line}\n       ${details.join(', ')}` : line)
  }
}
const folder = join(import.meta.dirname, '../../coverage')
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'bench.json'), `${JSON.stringify(results, null, 2)}\n`)
process.exit(results.every((result) => result.ok) ? 0 : 1)

function round(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
}
