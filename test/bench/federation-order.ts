import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '../system/support/client.ts'
import { type Child, startChild } from './child.ts'
import type { AskerOptions, Latency } from './federation-asker.ts'
import { startParties } from './federation-parties.ts'
import { atMost, type BenchResult, median, percentile } from './result.ts'

const ORDERS = 60
const WARM_UP_ORDERS = 20
const ECHOES = 20
const LOOK_EVERY_MS = 1
const PATIENCE_MS = 30_000

const HOME = 'home.site-a.test'
const PROVIDER = 'provider.site-b.test'
const ECHO = { asks: 'echo.site-a.test', answers: 'echo.site-b.test' }
/** Of a request and of an answer of a site, about. */
const LENGTHS = { request: 900, answer: 900 }

/**
 * From sending POST at one site until its own list says READY, for an order at another site whose cloud takes no time. A
 * round trip is that of an echo through the same two servers, measured between the orders.
 */
export default async function federationOrder(): Promise<BenchResult[]> {
  const parties = await startParties('prosody', [
    { domain: 'site-a.test', siteIds: [HOME], jids: [ECHO.asks] },
    { domain: 'site-b.test', siteIds: [PROVIDER], jids: [ECHO.answers] },
  ])
  const children: Child[] = []
  const start = async (options: AskerOptions) => {
    const child = await startChild('federation-asker.ts', options)
    children.push(child)
    return child
  }
  try {
    const [home] = await Promise.all([HOME, PROVIDER].map((siteId) => parties.startSite(siteId)))
    await start({ way: 'answer', link: parties.linkOf(ECHO.answers), lengths: LENGTHS })
    const link = parties.linkOf(ECHO.asks)
    const echo = await start({ way: 'echo', link, to: ECHO.answers, lengths: LENGTHS })
    const user = await home?.admin()
    if (!user) throw new Error('the site did not start')
    await untilReachable(user)
    const orders: number[] = []
    const roundTrips: number[] = []
    for (let order = 0; order < WARM_UP_ORDERS + ORDERS; order += 1) {
      const ms = await orderMs(user)
      const { p50 } = await echo.tell<Latency>('latency', { calls: ECHOES })
      if (order < WARM_UP_ORDERS) continue
      orders.push(ms)
      roundTrips.push(p50)
    }
    const over = orders.map((ms, n) => ms - (roundTrips[n] ?? 0))
    return [
      atMost(
        'remote order, POST to FULFILLED, beyond one round trip, p50',
        median(over),
        50,
        'ms',
        {
          'POST to FULFILLED': median(orders),
          p90: percentile(orders, 0.9),
          'round trip': median(roundTrips),
          orders: ORDERS,
        },
      ),
    ]
  } finally {
    for (const child of children) await child.stop()
    await parties.stop()
  }
}

async function orderMs(user: Client): Promise<number> {
  const startedAt = performance.now()
  const wanted = { provider: PROVIDER, cloudName: 'emulated', imageId: 'tiny' }
  const id = await user.create('/ras/computes', { ...wanted, vCPU: 1, ram: 512, disk: 1 })
  for (;;) {
    // A list is answered from what the site knows: looking does not make it ask.
    const { body } = await user.get('/ras/computes/status')
    const state = (body as { instanceId: string; state: string }[]).find(
      ({ instanceId }) => instanceId === id,
    )?.state
    if (state === 'READY') break
    if (state === 'FAILED' || performance.now() - startedAt > PATIENCE_MS)
      throw new Error(`the order is ${state}`)
    await pause(LOOK_EVERY_MS)
  }
  const ms = performance.now() - startedAt
  await user.delete(`/ras/computes/${id}`)
  return ms
}

/** The first request of all opens the way between the servers. */
async function untilReachable(user: Client): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS
  while ((await user.get(`/ras/clouds/${PROVIDER}`)).status !== 200) {
    if (performance.now() > giveUpAt) throw new Error(`${PROVIDER} is not reached`)
    await pause(100)
  }
}

if (import.meta.main)
  for (const line of await federationOrder())
    console.log(
      `${line.ok ? 'ok    ' : 'MISSED'} ${line.name}: ${line.value.toFixed(2)} (${line.bar})`,
      line.details,
    )
