import { asFogbowError } from '@fogbow/plugin-sdk'
import {
  type EngineClock,
  findOrder,
  type Order,
  type OrderState,
  toReport,
  wasNeverBegun,
} from '../../orders/index.ts'
import type { Store } from '../../store/index.ts'
import type { Federation } from '../contract.ts'
import type { Log } from '../xmpp/index.ts'

/**
 * Tells members what became of the orders that they asked for, until they acknowledge it. What has to be told is in the
 * orders themselves, each with the version that its requester knows: so what is told is always the newest, and nothing
 * is lost when the site dies.
 */
export interface Teller {
  /** Takes up what was not acknowledged when the site stopped. */
  start(): Promise<void>
  /** An order changed its state. */
  changed(order: Order): void
  stop(): void
}

/** States that an order does not stay in. They are told if it is still in one after a moment. */
const passing: ReadonlySet<OrderState> = new Set([
  'PENDING',
  'SPAWNING',
  'PAUSING',
  'HIBERNATING',
  'STOPPING',
  'RESUMING',
  'ASSIGNED_FOR_DELETION',
  'CHECKING_DELETION',
])
const PASSING_MS = 25
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 300_000

interface Telling {
  /** Newest version on its way. */
  version: number
  failures: number
  cancel?: () => void
}

export function createTeller(parts: {
  store: Store
  federation: Pick<Federation, 'call'>
  siteId(): string
  clock: EngineClock
  log: Log
}): Teller {
  const { store, federation, clock, log } = parts
  const tellings = new Map<string, Telling>()
  /** What ends the waiting for an order to pass on. */
  const waiting = new Map<string, () => void>()
  let stopped = false

  async function tell(id: string): Promise<void> {
    const order = await findOrder(store.db, id)
    const telling = tellings.get(id) ?? { version: -1, failures: 0 }
    if (stopped || !order || order.version <= telling.version) return
    tellings.set(id, telling)
    telling.version = order.version
    telling.cancel?.()
    try {
      await ask(order)
    } catch (cause) {
      return again(order, telling, asFogbowError(cause).message)
    }
    await noteTold(order)
    if (tellings.get(id)?.version === order.version) tellings.delete(id)
  }

  /** A requester that refuses to hear it has heard it. */
  async function ask(order: Order): Promise<void> {
    try {
      const key = `orderChanged/${order.id}/${order.version}`
      await federation.call(order.requester, 'orderChanged', { ...toReport(order) }, { key })
    } catch (cause) {
      const error = asFogbowError(cause)
      if (error.outcome !== 'refused' || wasNeverBegun(error)) throw error
      const fields = { member: order.requester, order: order.id, reason: error.message }
      log.warn(fields, 'a member refuses to hear of its order')
    }
  }

  function again(order: Order, telling: Telling, reason: string): void {
    if (stopped || telling.version !== order.version) return
    telling.failures += 1
    telling.version = -1
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(telling.failures, 20))
    if (telling.failures === 1)
      log.info({ member: order.requester, order: order.id, reason }, 'a member is not told yet')
    telling.cancel = clock.after(Math.round(pauseMs * (0.8 + 0.4 * clock.random())), () =>
      begin(order.id),
    )
  }

  async function noteTold({ id, version }: Order): Promise<void> {
    await store.write((db) =>
      db
        .updateTable('orders')
        .set({ told_version: version })
        .where('id', '=', id)
        .where((eb) => eb.or([eb('told_version', 'is', null), eb('told_version', '<', version)]))
        .execute(),
    )
  }

  function begin(id: string): void {
    waiting.get(id)?.()
    waiting.delete(id)
    void tell(id).catch((error) => {
      if (!stopped) log.error({ err: error, order: id }, 'an order could not be told of')
    })
  }

  return {
    async start() {
      const rows = await store.db
        .selectFrom('orders')
        .select('id')
        .where('requester', '<>', parts.siteId())
        .where((eb) =>
          eb.or([eb('told_version', 'is', null), eb('told_version', '<', eb.ref('version'))]),
        )
        .execute()
      for (const { id } of rows) begin(id)
    },
    changed(order) {
      const { id, state, requester } = order
      const isNews = state !== 'OPEN' && state !== 'SELECTED'
      if (!isNews || stopped || requester === parts.siteId()) return
      if (!passing.has(state)) begin(id)
      else if (!waiting.has(id))
        waiting.set(
          id,
          clock.after(PASSING_MS, () => begin(id)),
        )
    },
    stop() {
      stopped = true
      for (const { cancel } of tellings.values()) cancel?.()
      for (const cancel of waiting.values()) cancel()
    },
  }
}
