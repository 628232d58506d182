import { Client } from '../../system/support/client.ts'
import { ADMIN_PASSWORD } from '../../system/support/site-process.ts'

/**
 * What a user does at her desk, over REST: orders a compute at another site, waits until it is there, looks at it, and
 * gives it back. Prints what she saw.
 */

/** All in JSON, on standard output. */
export interface Trade {
  readonly orderId: string
  /** As the list of orders showed it, one after the other. `READY` is an order that is FULFILLED. */
  readonly states: readonly string[]
  readonly instance: { readonly provider?: string; readonly state?: string }
  /** Of the answer after it was deleted. */
  readonly statusAfter: number
  /** Whether the host of the provider could be reached from the desk. */
  readonly reachedProvider: boolean
}

const PATIENCE_MS = 30_000
const POLL_MS = 20
const UNREACHABLE_MS = 500

const [url = '', provider = '', providerUrl = ''] = process.argv.slice(2)

async function main(): Promise<Trade> {
  const user = new Client(url)
  await user.login('admin', ADMIN_PASSWORD)
  const wanted = { provider, cloudName: 'emulated', imageId: await firstImage(user), name: 'far' }
  const orderId = await user.create('/ras/computes', { ...wanted, vCPU: 1, ram: 512, disk: 1 })
  const states = await untilReady(user, orderId)
  const { body: instance } = await user.get(`/ras/computes/${orderId}`)
  await user.delete(`/ras/computes/${orderId}`)
  await user.until(`/ras/computes/${orderId}`, 'GONE')
  const { status: statusAfter } = await user.get(`/ras/computes/${orderId}`)
  const reachedProvider = await isReachable(providerUrl)
  return { orderId, states, instance: instance as object, statusAfter, reachedProvider }
}

/** The member may not have been heard of yet. */
async function firstImage(user: Client): Promise<string> {
  const giveUpAt = Date.now() + PATIENCE_MS
  for (;;) {
    const { status, body } = await user.get(`/ras/images/${provider}/emulated`)
    const [first] = Array.isArray(body) ? body : Object.keys(body as object)
    if (status === 200) return typeof first === 'string' ? first : (first as { id: string }).id
    if (Date.now() > giveUpAt) throw new Error(`no images: ${status} ${JSON.stringify(body)}`)
    await pause()
  }
}

async function untilReady(user: Client, id: string): Promise<string[]> {
  const giveUpAt = Date.now() + PATIENCE_MS
  const states: string[] = []
  for (;;) {
    const { body } = await user.get('/ras/computes/status')
    const mine = (body as { instanceId: string; state: string }[]).find(
      ({ instanceId }) => instanceId === id,
    )
    if (mine && mine.state !== states.at(-1)) states.push(mine.state)
    if (mine?.state === 'READY') return states
    if (mine?.state === 'FAILED' || Date.now() > giveUpAt)
      throw new Error(`the order went through ${states}: ${JSON.stringify(mine)}`)
    await pause()
  }
}

async function isReachable(other: string): Promise<boolean> {
  try {
    await fetch(other, { signal: AbortSignal.timeout(UNREACHABLE_MS) })
    return true
  } catch {
    return false
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS))
}

console.log(JSON.stringify(await main()))
