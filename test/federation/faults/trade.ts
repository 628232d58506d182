import { setTimeout as pause } from 'node:timers/promises'
import type { FederatedSite } from '../sites/federated-site.ts'
import type { Federation } from '../sites/federation-sites.ts'
import { closeBooks } from '../sites/settle.ts'

/** Orders of a test, each of which has to come out as it was wished, whatever was broken meanwhile. */
export interface Trade {
  /** A volume for the administrator of one site at another. @returns the id of the order */
  order(home: FederatedSite, provider: FederatedSite): Promise<string>
  orders(home: FederatedSite, provider: FederatedSite, count: number): Promise<string[]>
  /** A network, which is READY. */
  network(home: FederatedSite, provider: FederatedSite): Promise<string>
  /** The test ordered something by itself. */
  adopt(id: string): void
  remove(home: FederatedSite, id: string): Promise<void>
  /** Reads orders of one home until all have the state; silence in between is no answer. */
  until(home: FederatedSite, ids: string | readonly string[], state: string): Promise<void>
  /** Ends all sites. @returns whatever is not as it was wished, in words */
  close(): Promise<string[]>
}

const PATIENCE_MS = 120_000
const POLL_MS = 50

export function openTrade({ sites }: Pick<Federation, 'sites'>): Trade {
  const wished = new Map<string, 'kept' | 'deleted'>()

  async function stateOf(home: FederatedSite, id: string): Promise<[string, unknown]> {
    try {
      const { status, body } = await home.client().get(`/ras/volumes/${id}`)
      if (status === 404) return ['GONE', body]
      return [(body as { state?: string }).state ?? String(status), body]
    } catch (error) {
      return ['away', String(error)]
    }
  }

  async function untilOne(home: FederatedSite, id: string, wanted: string): Promise<void> {
    const giveUpAt = performance.now() + PATIENCE_MS
    for (;;) {
      const [state, body] = await stateOf(home, id)
      if (state === wanted) return
      if (['FAILED', 'ERROR', 'GONE'].includes(state) || performance.now() > giveUpAt)
        throw new Error(`of ${home.id}, not ${wanted}: ${JSON.stringify(body)}`)
      await pause(POLL_MS)
    }
  }

  async function order(home: FederatedSite, provider: FederatedSite): Promise<string> {
    const wanted = { provider: provider.id, cloudName: 'emulated', size: 1 }
    const id = await home.client().create('/ras/volumes', wanted)
    wished.set(id, 'kept')
    return id
  }

  return {
    order,
    orders: (home, provider, count) =>
      Promise.all(Array.from({ length: count }, () => order(home, provider))),
    async network(home, { id: provider }) {
      const wanted = { provider, cloudName: 'emulated', cidr: '10.9.0.0/24' }
      const id = await home.client().create('/ras/networks', wanted)
      wished.set(id, 'kept')
      await home.client().until(`/ras/networks/${id}`, 'READY')
      return id
    },
    adopt: (id) => void wished.set(id, 'kept'),
    async remove(home, id) {
      wished.set(id, 'deleted')
      const { status } = await home.client().delete(`/ras/volumes/${id}`)
      if (status !== 200) throw new Error(`the deletion of ${id} is answered with ${status}`)
    },
    async until(home, ids, state) {
      await Promise.all([ids].flat().map((id) => untilOne(home, id, state)))
    },
    async close() {
      const { problems, books } = await closeBooks(sites)
      for (const { siteId, orders } of books)
        for (const { id, state } of orders.values()) {
          const wanted = { kept: 'FULFILLED', deleted: 'CLOSED' }[wished.get(id) ?? 'kept']
          if (!wished.has(id)) problems.push(`nobody asked for order ${id} at ${siteId}`)
          else if (state !== wanted) problems.push(`order ${id} at ${siteId} is ${state}`)
        }
      for (const id of wished.keys())
        if (!books.some(({ orders }) => orders.has(id))) problems.push(`order ${id} was lost`)
      return problems
    },
  }
}

/** Until a condition holds, whenever that is. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`${what} did not happen`)
    await pause(POLL_MS)
  }
}
