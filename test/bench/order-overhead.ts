import { SiteProcess, siteConfig } from '../system/support/site-process.ts'
import { atMost, type Bench, median, percentile } from './result.ts'

const ORDERS = 200

/** From sending POST until a reader sees READY, with a cloud that takes no time. */
const orderOverhead: Bench = async () => {
  const site = await SiteProcess.start({
    config: siteConfig({ emulated: { quota: { instances: -1, vCPU: -1, ram: -1 } } }),
  })
  const client = await site.admin()
  const times: number[] = []
  for (let order = 0; order < ORDERS; order += 1) {
    const startedAt = performance.now()
    const id = await client.create('/ras/computes', { imageId: 'tiny' })
    while (((await client.get(`/ras/computes/${id}`)).body as { state: string }).state !== 'READY');
    times.push(performance.now() - startedAt)
  }
  await site.stop()
  return [
    atMost('POST to FULFILLED, p50', median(times), 50, 'ms', {
      p90: percentile(times, 0.9),
      orders: ORDERS,
    }),
  ]
}

export default orderOverhead
