import { pino } from 'pino'
import {
  createAaaPipeline,
  createAudit,
  createLogInLimits,
  createLogInRecords,
  createLogIns,
  createLoginsElsewhere,
  createPendingLogins,
  loadRevocations,
} from '../../../aaa/index.ts'
import { createLocalClouds, type LocalClouds } from '../../../clouds/index.ts'
import type { SiteConfig } from '../../../config/index.ts'
import { noMarketplace } from '../../../marketplace/testing/no-marketplace.ts'
import {
  createOperations,
  createProviders,
  createSiteAnySite,
  type MemberOperations,
  type Operations,
  placingElsewhere,
  type RequestContext,
} from '../../../operations/index.ts'
import {
  aaaMethods,
  benchConfig,
  cloudMethods,
} from '../../../operations/testing/operations-bench.ts'
import { createEngine, type Engine, findOrder, type Order } from '../../../orders/index.ts'
import { type TestClock, timing } from '../../../orders/testing/bench.ts'
import { ModelCloud } from '../../../orders/testing/model-cloud.ts'
import {
  type StandInPlugin,
  standInPlugin,
  standInPlugins,
} from '../../../plugins/testing/stand-in-plugins.ts'
import { openSqliteStore, type Store } from '../../../store/index.ts'
import type { Federation } from '../../contract.ts'
import { createAllocation } from '../create-allocation.ts'

const QUIET_TURNS = 8
const log = pino({ level: 'silent' })

/** How sites reach each other. */
export interface Way {
  /** A site of that id starts, or starts again. */
  join(id: string, store: Store): Federation
  /** The site dies. */
  leave(id: string): void
  /** Counts everything that happens, so that a test can tell whether something still does. */
  events: number
  /** Work under way at the sites. */
  busy: number
}

/** Everything of a site but its edges and real plugins, in one process with others, which can be killed at any moment. */
export class SiteBench {
  readonly id: string
  readonly cloud = new ModelCloud()
  readonly plugin: StandInPlugin
  readonly aaaPlugin: StandInPlugin
  readonly config: SiteConfig
  readonly store: Store
  /** Ranks sites as they are listed unless told otherwise. */
  readonly ranker = standInPlugin('ranker', {
    'placement.rankProviders': (_request: never, candidates: { provider: string }[]) => ({
      ranked: candidates.map(({ provider }) => provider),
    }),
  })
  /** Hears of each change of an order. */
  watch: (before: Order, after: Order) => void = () => {}
  operations!: Operations & MemberOperations
  engine!: Engine
  readonly #network: Way
  readonly #clock: TestClock
  #life = 0
  #stopTelling = () => {}

  static async open(id: string, network: Way, clock: TestClock): Promise<SiteBench> {
    const bench = new SiteBench(id, network, clock, await openSqliteStore(':memory:'))
    await bench.#start()
    return bench
  }

  private constructor(id: string, network: Way, clock: TestClock, store: Store) {
    this.id = id
    this.store = store
    this.#network = network
    this.#clock = clock
    this.plugin = standInPlugin('cloud', cloudMethods(this.cloud))
    this.aaaPlugin = standInPlugin('aaa', aaaMethods(id))
    this.config = {
      ...benchConfig(id, []),
      orders: { ...timing },
      placement: { plugin: 'ranker', default: 'local' },
    }
  }

  /** The process dies: what was under way is never heard of again. Another takes over. */
  async kill(): Promise<void> {
    this.#life += 1
    this.#stopTelling()
    this.#network.leave(this.id)
    await this.#start()
  }

  as(user: string, more: Partial<RequestContext> = {}): RequestContext {
    const { signal } = new AbortController()
    return { requestId: 'r', tokenValue: user, requester: this.id, signal, ...more }
  }

  async order(id: string): Promise<Order | undefined> {
    return findOrder(this.store.db, id)
  }

  async close(): Promise<void> {
    this.#life += 1
    this.#stopTelling()
    this.#network.leave(this.id)
    void this.engine.stop()
    await this.store.close()
  }

  async #start(): Promise<void> {
    const clock = this.#clock
    const { now } = clock
    const life = this.#life
    const config = () => this.config
    const store: Store = {
      ...this.store,
      write: (unit) => this.#ofThisLife(life, () => this.store.write(unit)),
    }
    const plugins = standInPlugins(this.plugin, this.aaaPlugin, this.ranker)
    const revocations = await loadRevocations(this.store, now)
    const aaa = createAaaPipeline({ plugins, config, revocations, now })
    const clouds = this.#mortal(
      life,
      createLocalClouds({
        config,
        plugins,
        aaa,
        instanceIdOf: async (id) => (await this.order(id))?.instanceId ?? undefined,
      }),
    )
    const siteId = () => this.id
    const federation = this.#network.join(this.id, store)
    const allocation = createAllocation({ federation, store, siteId, clock, log })
    const providers = createProviders(clouds, allocation.providers, {
      siteId,
      targets: () => this.config.members.targets,
    })
    const sites = federation.members
    const anySite = createSiteAnySite({
      aaa,
      clouds,
      store,
      plugins,
      providers,
      sites,
      config,
      clock,
    })
    this.engine = createEngine({
      store,
      connector: clouds,
      members: { siteId, connector: allocation.orders },
      placeElsewhere: placingElsewhere(anySite),
      timing: () => this.config.orders,
      concurrency: () => 16,
      clock,
      log,
      onTransition: (before, after) => {
        this.watch(before, after)
        allocation.changed(after)
      },
      onDelegation: (order) => allocation.changed(order),
    })
    this.operations = createOperations({
      marketplace: noMarketplace,
      aaa,
      audit: createAudit(this.store, log),
      elsewhere: createLoginsElsewhere({ plugins, pending: createPendingLogins(store, now) }),
      store,
      engine: this.engine,
      clouds,
      plugins,
      providers,
      anySite,
      config,
      dataDir: () => '/nowhere',
      reload: async () => {},
      now,
      version: '0.1.0',
      startedAt: 0,
      publicKey: 'AAAA',
      logIns: createLogIns({
        aaa,
        limits: createLogInLimits(store, now, () => 0),
        records: createLogInRecords(store, log),
        config,
        clock: clock,
      }),
    })
    const server = allocation.serve({ operations: this.operations, engine: this.engine })
    federation.serve((call) => server.answer(call))
    this.#stopTelling = allocation.stop
    await this.engine.start()
    await allocation.start()
    await federation.start()
  }

  async #ofThisLife<Result>(life: number, run: () => Promise<Result>): Promise<Result> {
    const never = new Promise<never>(() => {})
    if (life !== this.#life) return never
    this.#network.busy += 1
    try {
      const result = await run()
      return life === this.#life ? result : never
    } catch (error) {
      if (life !== this.#life) return never
      throw error
    } finally {
      this.#network.busy -= 1
    }
  }

  #mortal(life: number, clouds: LocalClouds): LocalClouds {
    return {
      ...clouds,
      requestInstance: (order) => this.#ofThisLife(life, () => clouds.requestInstance(order)),
      getInstance: (order) => this.#ofThisLife(life, () => clouds.getInstance(order)),
      deleteInstance: (order) => this.#ofThisLife(life, () => clouds.deleteInstance(order)),
      act: (order, method) => this.#ofThisLife(life, () => clouds.act(order, method)),
      takeSnapshot: (order, name) => this.#ofThisLife(life, () => clouds.takeSnapshot(order, name)),
      call: (...asked) => this.#ofThisLife(life, () => clouds.call(...asked)),
    }
  }
}

/** Waits until everything that can happen without time passing has happened. */
export async function settle(network: Way): Promise<void> {
  for (let quiet = 0, seen = -1; quiet < QUIET_TURNS; quiet += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    if (network.busy > 0 || network.events !== seen) quiet = -1
    seen = network.events
  }
}

export async function pass(network: Way, clock: TestClock, ms: number): Promise<void> {
  const until = clock.now() + ms
  await settle(network)
  while (clock.ring(until)) await settle(network)
  clock.time = until
}
