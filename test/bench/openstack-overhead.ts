import { setTimeout as pause } from 'node:timers/promises'
import type { Json } from '../clouds/openstack/api.ts'
import { cloudUnderTest } from '../clouds/openstack/cloud-under-test.ts'
import { type Passed, putInFront } from '../clouds/openstack/front.ts'
import { type CloudSite, startCloudSite } from '../clouds/site.ts'
import { atMost, type Bench, median } from './result.ts'

const ORDERS = 100
const LONE_ORDERS = 5
/** With more, requests wait longer for the one worker of Nova than a site waits for an answer. */
const AT_ONCE = 4
const POLL_MS = 500
const IDLE_MS = 60_000
const MOST_OVERHEAD_MS = 100

/**
 * Computes ordered at once on a real Nova. Proxies before its services note when each request came and went. Ours is the
 * time from an order to the first request for it, and from its answer to the request for the server. The former is taken
 * from orders that are alone: of many at once, most wait for their turn at a cloud that works on one request at a time,
 * which is told beside it.
 */
const openstackOverhead: Bench = async () => {
  const cloud = await cloudUnderTest()
  const front = await putInFront(cloud, `Bench${Date.now()}`)
  const site = await startCloudSite(cloud, {
    plugin: { authUrl: front.authUrl, region: front.region },
    concurrency: AT_ONCE,
  })
  try {
    const lone = new Map<string, Times>()
    for (let order = 0; order < LONE_ORDERS; order += 1)
      for (const [id, times] of await orderAll(site, cloud.image, 1)) lone.set(id, times)
    const alone = [...lone].flatMap(([id, times]) => timesOf(id, times, front.passed))
    const before = front.passed.length
    const orders = await orderAll(site, cloud.image, ORDERS)
    const creating = front.passed.length - before
    const taken = [...orders].flatMap(([id, times]) => timesOf(id, times, front.passed))
    await pause(IDLE_MS)
    const idle = front.passed.length - creating - before
    const demo = await cloud.logIn('demo')
    const { servers } = await demo.call('compute', 'GET', '/servers/detail')
    const of = (part: keyof Taken) => median(taken.map((times) => times[part]))
    const firstLook = median(alone.map(({ turn }) => turn))
    const details = {
      orders: taken.length,
      untilFirstLookAlone: firstLook,
      fromThereToTheRequestP50: of('between'),
      totalSecondsP50: of('total') / 1000,
      untilFirstLookWithTurnSecondsP50: of('turn') / 1000,
      createRequestSecondsP50: of('create') / 1000,
      buildSecondsP50: median(servers.map(buildSeconds)),
    }
    return [
      atMost(
        'overhead per order on Nova, p50',
        firstLook + of('between'),
        MOST_OVERHEAD_MS,
        'ms',
        details,
      ),
      atMost('requests to the cloud per order', creating / orders.size, 20, 'count'),
      atMost(
        'requests to the cloud per compute and idle minute',
        idle / (orders.size + LONE_ORDERS),
        3,
        'count',
      ),
    ]
  } finally {
    await deleteAll(site)
    await site.stop()
    await front.close()
    await cloud.stop()
  }
}

interface Times {
  sentAt: number
  readyAt: number
}

async function orderAll(
  site: CloudSite,
  imageId: string,
  count: number,
): Promise<Map<string, Times>> {
  const sent = await Promise.all(
    Array.from({ length: count }, async () => {
      const sentAt = performance.now()
      return [await site.admin.create('/ras/computes', { imageId, ram: 64 }), sentAt] as const
    }),
  )
  const waiting = new Map(sent)
  const ready = new Map<string, Times>()
  while (waiting.size > 0) {
    for (const { instanceId, state } of await statuses(site)) {
      const sentAt = waiting.get(instanceId)
      if (state === 'FAILED' || state === 'ERROR') throw new Error(`${instanceId} is ${state}`)
      if (state !== 'READY' || sentAt === undefined) continue
      waiting.delete(instanceId)
      ready.set(instanceId, { sentAt, readyAt: performance.now() })
    }
    await pause(POLL_MS)
  }
  return ready
}

async function statuses(site: CloudSite): Promise<{ instanceId: string; state: string }[]> {
  const { body } = await site.admin.get('/ras/computes/status')
  return body as { instanceId: string; state: string }[]
}

interface Taken {
  total: number
  /** From the order to the first request for it at the cloud. */
  turn: number
  /** The request for the server, as the cloud worked on it. */
  create: number
  /** From the answer to the look-up to the request for the server. */
  between: number
}

/** The look-up names the order; the request for the server is the next one that begins after it with the same tag. */
function timesOf(orderId: string, { sentAt, readyAt }: Times, passed: readonly Passed[]): Taken[] {
  const tag = `fogbow-${orderId}`
  const look = passed.find(({ path }) => path.includes(`tags=${tag}`))
  const create = passed.find(({ body, path }) => path.endsWith('/servers') && body.includes(tag))
  if (!look || !create) return []
  return [
    {
      total: readyAt - sentAt,
      turn: look.at - sentAt,
      create: create.ms,
      between: create.at - (look.at + look.ms),
    },
  ]
}

/** Nova writes whole seconds. */
function buildSeconds(server: Json): number {
  return (Date.parse(`${server['OS-SRV-USG:launched_at']}Z`) - Date.parse(server.created)) / 1000
}

async function deleteAll(site: CloudSite): Promise<void> {
  const left = await statuses(site)
  await Promise.all(left.map(({ instanceId }) => site.admin.delete(`/ras/computes/${instanceId}`)))
  while ((await statuses(site)).length > 0) await pause(POLL_MS)
}

export default openstackOverhead
