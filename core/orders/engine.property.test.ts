import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { orderHistory } from './order-store.ts'
import type { OrderState } from './states.ts'
import { EngineBench } from './testing/bench.ts'
import { ModelCloud, type Weather } from './testing/model-cloud.ts'
import { type OrderEvent, transitions } from './transitions.ts'

type Act =
  | { do: 'create' }
  | { do: 'ask'; order: number; event: OrderEvent }
  | { do: 'weather'; weather: Weather }
  | { do: 'slow'; looks: number }
  | { do: 'lose'; order: number }
  | { do: 'fail'; order: number }
  | { do: 'wait'; ms: number }
  | { do: 'kill' }

const index = fc.nat({ max: 7 })
const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: 'create' } as const) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      order: index,
      event: fc.constantFrom<OrderEvent>('delete', 'pause', 'hibernate', 'stop', 'resume'),
    }),
  },
  {
    weight: 4,
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
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.integer({ min: 0, max: 200_000 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'kill' } as const) },
)

const DAY_MS = 86_400_000
const atRest: OrderState[] = [
  'FULFILLED',
  'PAUSED',
  'HIBERNATED',
  'STOPPED',
  'FAILED_ON_REQUEST',
  'FAILED_AFTER_SUCCESSFUL_REQUEST',
  'CLOSED',
]

async function run(script: readonly Act[]): Promise<void> {
  const cloud = new ModelCloud()
  const bench = await EngineBench.open(cloud)
  const ids: string[] = []
  const deleted = new Set<string>()
  const lost = new Set<string>()
  for (const act of script) {
    const id = 'order' in act ? ids[act.order] : undefined
    if (act.do === 'create') ids.push((await bench.create()).id)
    else if (act.do === 'weather') cloud.weather = act.weather
    else if (act.do === 'slow') cloud.looksUntilDone = act.looks
    else if (act.do === 'wait') await bench.pass(act.ms)
    else if (act.do === 'kill') await bench.kill()
    else if (act.do === 'ask' && id) {
      if ((await bench.ask(id, act.event)) && act.event === 'delete') deleted.add(id)
    } else if (act.do === 'lose' && id) {
      if (cloud.instances.delete(id)) lost.add(id)
    } else if (act.do === 'fail' && id) {
      const instance = cloud.instances.get(id)
      if (instance && instance.state !== 'DELETING') instance.state = 'FAILED'
    }
  }
  cloud.weather = 'fine'
  await bench.pass(DAY_MS)
  await check(bench, cloud, ids, deleted, lost)
  await bench.close()
}

async function check(
  bench: EngineBench,
  cloud: ModelCloud,
  ids: string[],
  deleted: Set<string>,
  lost: Set<string>,
): Promise<void> {
  for (const id of ids) {
    const order = await bench.order(id)
    assert.ok(atRest.includes(order.state), `order in ${order.state} after a quiet day`)
    assert.equal(
      order.state === 'CLOSED',
      deleted.has(id),
      `${order.state}, deleted: ${deleted.has(id)}`,
    )
    const isRunning = ['FULFILLED', 'PAUSED', 'HIBERNATED', 'STOPPED'].includes(order.state)
    if (isRunning) assert.ok(cloud.instances.has(id), `${order.state} without an instance`)
    if (order.state === 'FAILED_ON_REQUEST') {
      assert.ok(!cloud.instances.has(id), 'called failed, but it runs')
    }
    if (order.state === 'CLOSED')
      assert.ok(!cloud.instances.has(id), 'closed, but its instance is still there')
    if (cloud.made.filter((made) => made === id).length > 1)
      assert.ok(lost.has(id), 'two instances were made')
    await checkHistory(bench, id)
  }
  for (const id of cloud.instances.keys())
    assert.ok(ids.includes(id), 'an instance that nobody owns')
}

async function checkHistory(bench: EngineBench, id: string): Promise<void> {
  const states = (await orderHistory(bench.store.db, id)).map((event) => event.state as OrderState)
  assert.equal(states[0], 'OPEN')
  for (let step = 1; step < states.length; step += 1) {
    const from = states[step - 1] as OrderState
    const to = states[step] as OrderState
    const allowed = [...Object.values(transitions[from]), ...(afterAnAction[from] ?? [])]
    assert.ok(allowed.includes(to), `${from} became ${to}`)
  }
}

/** An action that the cloud refuses or does not finish leaves the order wherever the cloud says. */
const reported: OrderState[] = [
  'FULFILLED',
  'SPAWNING',
  'PAUSED',
  'HIBERNATED',
  'STOPPED',
  'FAILED_AFTER_SUCCESSFUL_REQUEST',
  'UNABLE_TO_CHECK_STATUS',
]
const afterAnAction: Partial<Record<OrderState, OrderState[]>> = {
  PAUSING: reported,
  HIBERNATING: reported,
  STOPPING: reported,
  RESUMING: reported,
  ASSIGNED_FOR_DELETION: ['CHECKING_DELETION', 'CLOSED'],
}

test('whatever clouds, users and crashes do, no order is lost, none has two instances, and no instance is left behind', async () => {
  await fc.assert(fc.asyncProperty(fc.array(acts, { minLength: 1, maxLength: 40 }), run), {
    numRuns: Number(process.env.FOGBOW_PROPERTY_RUNS ?? 150),
  })
})
