import { SiteProcess, siteConfig } from '../system/support/site-process.ts'
import { load } from './load.ts'
import { startReference } from './reference.ts'
import { atLeast, type Bench, median } from './result.ts'

const ROUNDS = 7
const PER_ROUND = { inFlight: 32, count: 4000 }

/** One order read over REST with authentication, authorization and audit, against a bare Koa that answers the same JSON. */
const readOne: Bench = async () => {
  const site = await SiteProcess.start({ config: siteConfig() })
  const client = await site.admin()
  const id = await client.create('/ras/computes', { imageId: 'tiny' })
  const instance = await client.until(`/ras/computes/${id}`, 'READY')
  const bare = await startReference('bare-koa.ts', JSON.stringify(instance))
  const read = {
    method: 'GET',
    path: `/ras/computes/${id}`,
    headers: { 'Fogbow-User-Token': client.token ?? '' },
  }
  const rates: { site: number[]; bare: number[] } = { site: [], bare: [] }
  for (let round = 0; round < ROUNDS; round += 1) {
    rates.bare.push((await load(bare.url, PER_ROUND, () => read)).perSecond)
    const result = await load(site.url, PER_ROUND, () => read)
    if (result.statuses[200] !== PER_ROUND.count)
      throw new Error(`answers were ${JSON.stringify(result.statuses)}`)
    rates.site.push(result.perSecond)
  }
  bare.stop()
  await site.stop()
  const details = { sitePerSecond: median(rates.site), barePerSecond: median(rates.bare) }
  return [
    atLeast(
      'read of one order / bare Koa',
      details.sitePerSecond / details.barePerSecond,
      0.5,
      'ratio',
      details,
    ),
  ]
}

export default readOne
