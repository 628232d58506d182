import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type OrderState, orderHistory } from '../../orders/index.ts'
import { TestClock } from '../../orders/testing/bench.ts'
import type { Weather } from '../../orders/testing/model-cloud.ts'
import { MemoryNetwork, type Road } from './testing/memory-network.ts'
import { pass, SiteBench } from './testing/site-bench.ts'

type Act =
  | { do: 'create' }
  | { do: 'ask'; order: number; what: 'delete' | 'pause' | 'resume' | 'read' }
  | { do: 'road'; from: 0 | 1; road: Road }
  | { do: 'weather'; weather: Weather }
  | { do: 'slow'; looks: number }
  | { do: 'lose'; order: number }
  | { do: 'fail'; order: number }
  | { do: 'purge'; order: number }
  | { do: 'wait'; ms: number }
  | { do: 'kill'; site: 0 | 1 }

const index = fc.nat({ max: 2 })
const site = fc.constantFrom<0 | 1>(0, 1)
const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: 'create' } as const) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      order: index,
      what: fc.constantFrom<'delete' | 'pause' | 'resume' | 'read'>(
        'delete',
        'pause',
        'resume',
        'read',
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('road' as const),
      from: site,
      road: fc.constantFrom<Road>('open', 'cut', 'one way', 'echo', 'late'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('weather' as const),
      weather: fc.constantFrom<Weather>('fine', 'down', 'deaf', 'refusing'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('slow' as const), looks: fc.nat({ max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), order: index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), order: index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('purge' as const), order: index }) },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(fc.constant(0), fc.nat({ max: 2000 }), fc.nat({ max: 200_000 })),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('kill' as const), site }) },
)

const DAY_MS = 86_400_000
const atRest: OrderState[] = [
  'FULFILLED',
  'PAUSED',
  'STOPPED',
  'FAILED_ON_REQUEST',
  'FAILED_AFTER_SUCCESSFUL_REQUEST',
  'CLOSED',
]

interface Known {
  ids: string[]
  /** What somebody wanted to be gone, here or there. */
  deleted: Set<string>
  lost: Set<string>
}

class World {
  readonly clock = new TestClock()
  readonly network = new MemoryNetwork(this.clock)
  readonly known: Known = { ids: [], deleted: new Set(), lost: new Set() }
  home!: SiteBench
  away!: SiteBench

  static async open(): Promise<World> {
    const world = new World()
    world.home = await SiteBench.open('site-a', world.network, world.clock)
    world.away = await SiteBench.open('site-b', world.network, world.clock)
    return world
  }

  async act(act: Act): Promise<void> {
    const { known, network, away, home } = this
    const id = 'order' in act ? known.ids[act.order] : undefined
    if (act.do === 'create') await this.create()
    else if (act.do === 'road')
      network.roads.set(act.from === 0 ? 'site-a site-b' : 'site-b site-a', act.road)
    else if (act.do === 'weather') away.cloud.weather = act.weather
    else if (act.do === 'slow') away.cloud.looksUntilDone = act.looks
    else if (act.do === 'wait') await pass(network, this.clock, act.ms)
    else if (act.do === 'kill') await (act.site === 0 ? home : away).kill()
    else if (id) await this.onOrder(act, id)
  }

  async create(): Promise<void> {
    const body = { imageId: 'i', provider: 'site-b' }
    const { id } = await this.home.operations.createOrder(this.home.as('ana'), 'compute', body)
    this.known.ids.push(id)
  }

  async onOrder(act: Act, id: string): Promise<void> {
    const { known, away } = this
    const instance = away.cloud.instances.get(id)
    if (act.do === 'ask') await this.ask(id, act.what)
    else if (act.do === 'lose' && away.cloud.instances.delete(id)) known.lost.add(id)
    else if (act.do === 'fail' && instance && instance.state !== 'DELETING')
      instance.state = 'FAILED'
    else if (act.do === 'purge') await this.purge(id)
  }

  async ask(id: string, what: 'delete' | 'pause' | 'resume' | 'read'): Promise<void> {
    const { operations } = this.home
    const ana = this.home.as('ana')
    try {
      if (what === 'delete') await operations.deleteOrder(ana, 'compute', id)
      else if (what === 'read') await operations.getOrder(ana, 'compute', id)
      else await operations.actOnOrder(ana, 'compute', id, what)
      if (what === 'delete') this.known.deleted.add(id)
    } catch (error) {
      const code = (error as { code?: string }).code ?? String(error)
      assert.match(code, /^(unacceptable_operation|instance_not_found)$/)
    }
  }

  /** An administrator over there ends it. */
  async purge(id: string): Promise<void> {
    const { operations } = this.away
    const admin = this.away.as('root:admin')
    const deleted = operations.deleteOrder(admin, 'compute', id)
    await deleted.then(
      () => this.known.deleted.add(id),
      () => {},
    )
  }

  async quietDay(): Promise<void> {
    this.network.roads.clear()
    this.away.cloud.weather = 'fine'
    await pass(this.network, this.clock, DAY_MS)
  }

  async check(): Promise<void> {
    for (const id of this.known.ids) await this.checkOrder(id)
    for (const id of this.away.cloud.instances.keys())
      assert.ok(this.known.ids.includes(id), 'an instance that nobody owns')
    assert.equal(this.home.cloud.made.length, 0, 'an instance at the wrong site')
  }

  async checkOrder(id: string): Promise<void> {
    const { deleted, lost } = this.known
    const { cloud } = this.away
    const here = await this.home.order(id)
    const there = await this.away.order(id)
    assert.ok(here, 'an order was lost')
    assert.ok(atRest.includes(here.state), `order in ${here.state} after a quiet day`)
    assert.equal(
      here.state === 'CLOSED',
      deleted.has(id),
      `${here.state}, deleted: ${deleted.has(id)}`,
    )
    if (there) assert.equal(there.state, here.state, 'the sites do not agree')
    else assert.ok(here.state === 'CLOSED' || here.state === 'FAILED_ON_REQUEST', here.state)
    const isRunning = ['FULFILLED', 'PAUSED', 'STOPPED'].includes(here.state)
    if (isRunning) assert.ok(cloud.instances.has(id), `${here.state} without an instance`)
    if (here.state === 'CLOSED' || here.state === 'FAILED_ON_REQUEST')
      assert.ok(!cloud.instances.has(id), `${here.state}, but its instance is there`)
    await this.checkFailures(id)
    const made = cloud.made.filter((of) => of === id).length
    assert.ok(made <= 1 || lost.has(id), 'two instances were made')
  }

  /** What failed here has failed there: silence is no failure. */
  async checkFailures(id: string): Promise<void> {
    const there = (await orderHistory(this.away.store.db, id)).map(({ state }) => state)
    if (there.length === 0) return
    for (const { state, message } of await orderHistory(this.home.store.db, id)) {
      if (state.startsWith('FAILED')) assert.ok(there.includes(state), `${state}: ${message}`)
    }
  }

  async close(): Promise<void> {
    await this.home.close()
    await this.away.close()
  }
}

async function run(script: readonly Act[]): Promise<void> {
  const world = await World.open()
  await world.create()
  for (const act of script) await world.act(act)
  await world.quietDay()
  await world.check()
  await world.close()
}

test('whatever roads, sites and clouds do, two sites agree in the end, with one instance for each order and none left behind', async () => {
  const scripts = fc.array(acts, { minLength: 1, maxLength: 40, size: 'max' })
  await fc.assert(fc.asyncProperty(scripts, run), {
    numRuns: Number(process.env.FOGBOW_PROPERTY_RUNS ?? 60),
  })
})
