import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import type { OrderTiming } from '../../config/index.ts'
import { openSqliteStore, type Store } from '../../store/index.ts'
import type { CloudConnector } from '../cloud-connector.ts'
import { createEngine, type Engine } from '../engine.ts'
import type { EngineClock } from '../engine-clock.ts'
import type { Order } from '../order.ts'
import { applyStep, findOrder, insertOrder } from '../order-store.ts'
import { nextState, type OrderEvent } from '../transitions.ts'

export const timing: OrderTiming = {
  freshMs: 1000,
  readTimeoutMs: 1000,
  firstCheckMs: 100,
  longestCheckMs: 10_000,
  firstHealthCheckMs: 30_000,
  longestHealthCheckMs: 3_600_000,
  firstRetryMs: 1000,
  longestRetryMs: 120_000,
  settleMs: 30_000,
  actionLimitMs: 600_000,
}

const owner = { id: 'ana', identityProviderId: 'site-a', name: 'ana', roles: ['user'] }
const QUIET_TURNS = 4

/** Time that passes only when the test says so. */
export class TestClock implements EngineClock {
  time = 1_700_000_000_000
  #alarms: { at: number; run: () => void }[] = []
  now = () => this.time
  random = () => 0.5
  after = (ms: number, run: () => void) => {
    const alarm = { at: this.time + ms, run }
    this.#alarms.push(alarm)
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm)
    }
  }

  /** @returns whether there was an alarm up to that moment */
  ring(until: number): boolean {
    this.#alarms.sort((a, b) => a.at - b.at)
    const next = this.#alarms[0]
    if (!next || next.at > until) return false
    this.#alarms.shift()
    this.time = Math.max(this.time, next.at)
    next.run()
    return true
  }
}

/** An engine over a real store with time and cloud of the test, which can be killed at any moment. */
export class EngineBench {
  readonly clock = new TestClock()
  readonly store: Store
  readonly cloud: CloudConnector
  engine: Engine
  #pending = 0
  #life = 0

  private constructor(store: Store, cloud: CloudConnector) {
    this.store = store
    this.cloud = cloud
    this.engine = this.#createEngine()
  }

  static async open(cloud: CloudConnector): Promise<EngineBench> {
    const bench = new EngineBench(await openSqliteStore(':memory:'), cloud)
    await bench.engine.start()
    return bench
  }

  /** The process dies: what was under way is never heard of again. Another takes over. */
  async kill(): Promise<void> {
    this.#life += 1
    this.#pending = 0
    this.engine = this.#createEngine()
    await this.engine.start()
    await this.settle()
  }

  async create(): Promise<Order> {
    const order = await this.store.write((db) =>
      insertOrder(
        db,
        {
          id: randomUUID(),
          kind: 'compute',
          provider: 'site-a',
          cloudName: 'cloud',
          requester: 'site-a',
          owner,
          name: 'vm',
          request: {},
          dependsOn: [],
        },
        this.clock.now(),
      ),
    )
    this.engine.wake(order)
    return order
  }

  /** What a user's request does: an event on the order as it is. @returns whether the state allowed it */
  async ask(id: string, event: OrderEvent): Promise<boolean> {
    const after = await this.store.write(async (db) => {
      const order = await findOrder(db, id)
      const to = order && nextState(order.state, event)
      return order && to
        ? applyStep(db, order, { to, faultMessage: null, dueInMs: 0 }, this.clock.now())
        : undefined
    })
    if (after) this.engine.wake(after)
    return after !== undefined
  }

  async order(id: string): Promise<Order> {
    const order = await findOrder(this.store.db, id)
    if (!order) throw new Error(`order ${id} is lost`)
    return order
  }

  /** Waits until everything that can happen without time passing has happened. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      if (this.#pending > 0) quiet = -1
    }
  }

  async pass(ms: number): Promise<void> {
    const until = this.clock.now() + ms
    await this.settle()
    while (this.clock.ring(until)) await this.settle()
    this.clock.time = until
  }

  async close(): Promise<void> {
    await this.engine.stop()
    await this.store.close()
  }

  #createEngine(): Engine {
    const life = this.#life
    const track = <Result>(run: () => Promise<Result>): Promise<Result> => {
      if (life !== this.#life) return new Promise<Result>(() => {})
      this.#pending += 1
      return this.#ofThisLife(life, run())
    }
    const { cloud, store } = this
    return createEngine({
      store: { ...store, write: (unit) => track(() => store.write(unit)) },
      connector: {
        requestInstance: (order) => track(() => cloud.requestInstance(order)),
        getInstance: (order) => track(() => cloud.getInstance(order)),
        deleteInstance: (order) => track(() => cloud.deleteInstance(order)),
        act: (order, method) => track(() => cloud.act(order, method)),
      },
      timing: () => timing,
      concurrency: () => 4,
      clock: this.clock,
      log: pino({ level: 'silent' }),
    })
  }

  #ofThisLife<Result>(life: number, work: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const settled = (settle: () => void) => {
        if (life !== this.#life) return
        this.#pending -= 1
        settle()
      }
      work.then(
        (result) => settled(() => resolve(result)),
        (error) => settled(() => reject(error)),
      )
    })
  }
}
