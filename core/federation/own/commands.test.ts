import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Carried } from '../testing/fake-network.ts'
import { fates } from '../testing/fates.ts'
import {
  ended,
  type FederatedSite,
  type FederatedSites,
  startFederatedSites,
} from '../testing/federated-sites.ts'

const HOUR_MS = 3_600_000

interface World extends FederatedSites {
  readonly a: FederatedSite
  readonly b: FederatedSite
}

async function inWorld(run: (world: World) => Promise<void>): Promise<void> {
  const world = await startFederatedSites(['site-a', 'site-b'])
  try {
    const [a, b] = world.sites as [FederatedSite, FederatedSite]
    await run({ ...world, a, b })
  } finally {
    await world.close()
  }
}

/** As the order engine does: asks under the same key until the outcome is known. */
async function askUntilKnown(world: World, name: string, settings: { lifetimeMs?: number } = {}) {
  for (let round = 0; round < 200; round += 1) {
    if (world.a.isDown) await world.a.restart()
    const call = ended(
      world.a.federation.call(
        'site-b',
        'make',
        { name },
        { key: `make/${name}`, timeoutMs: 20_000, ...settings },
      ),
    )
    await world.pass(60_000)
    if (world.b.isDown) await world.b.restart()
    const { outcome } = call
    if (!outcome) continue
    if ('result' in outcome) return outcome
    // What was never begun in time is asked anew, under another id.
    if (outcome.error.outcome === 'refused' && !outcome.error.details.expired) return outcome
  }
  throw new Error(`the outcome of ${name} is not known after 200 minutes`)
}

/** Also forgets what was set up to happen to them. */
async function restartBoth({ a, b }: World): Promise<void> {
  for (const one of [a, b]) {
    one.crash()
    await one.restart()
  }
}

const idsOf = ({ effects }: FederatedSite, name: string) =>
  new Set(effects.filter(({ params }) => params.name === name).map(({ id }) => id))

const lifetimes = { 'comes back in time': {}, 'comes back too late': { lifetimeMs: 5000 } }

for (const [when, settings] of Object.entries(lifetimes))
  test(`whichever of its steps a site dies at, and ${when}, a command takes effect under one id and its outcome gets known`, async () => {
    for (const victim of ['a', 'b'] as const) {
      let died = true
      for (let at = 1; died; at += 1)
        await inWorld(async (world) => {
          const where = `${victim} dies at step ${at}`
          world[victim].crash(at)
          assert.deepEqual(
            await askUntilKnown(world, 'x', settings),
            { result: { made: 'x' } },
            where,
          )
          died = world[victim].lives > 1
          assert.equal(idsOf(world.b, 'x').size, 1, where)
          assert.ok(world.b.effects.length <= (victim === 'b' ? 2 : 1), where)
          assert.ok(died || at > 6, `${victim} has only ${at} steps`)
          await restartBoth(world)
          await world.pass(HOUR_MS)
          assert.equal(world.a.federation.counts().pendingCommands, 0, where)
        })
    }
  })

type Act =
  | { do: 'ask'; name: number; lifetimeMs: number }
  | { do: 'push'; order: number; generation: number }
  | { do: 'crash'; site: 'a' | 'b'; steps: number }
  | { do: 'restart'; site: 'a' | 'b' }
  | { do: 'link'; site: 'a' | 'b'; online: boolean }
  | { do: 'wait'; ms: number }

const site = fc.constantFrom('a' as const, 'b' as const)
const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      name: fc.nat(3),
      lifetimeMs: fc.oneof(fc.constant(15 * 60_000), fc.nat(90_000)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('push' as const),
      order: fc.nat(2),
      generation: fc.nat(9),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      site,
      steps: fc.oneof(fc.nat(8), fc.nat(25)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart' as const), site }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('link' as const), site, online: fc.boolean() }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(120_000) }),
  },
)

async function play(world: World, script: readonly Act[]) {
  const asked = new Set<string>()
  let crashesOfB = 0
  for (const act of script) {
    const { a } = world
    if (act.do === 'wait') await world.pass(act.ms)
    else if (act.do === 'ask' && !a.isDown) {
      const name = `thing-${act.name}`
      asked.add(name)
      const settings = { key: `make/${name}`, lifetimeMs: act.lifetimeMs }
      ended(a.federation.call('site-b', 'make', { name }, settings))
      await world.pass(0)
    } else if (act.do === 'push' && !world.b.isDown) {
      const params = { orderId: `order-${act.order}`, generation: act.generation }
      ended(world.b.federation.call('site-a', 'changed', params))
    } else if (act.do === 'crash') {
      if (act.site === 'b' && !world.b.isDown) crashesOfB += 1
      world[act.site].crash(act.steps)
    } else if (act.do === 'restart' && world[act.site].isDown) await world[act.site].restart()
    else if (act.do === 'link') world[act.site].component.setOnline(act.online)
  }
  return { asked, crashesOfB }
}

test('through losses, delays, doubles and deaths every command takes effect once and gets known', async () => {
  const property = fc.asyncProperty(
    fc.array(acts, { minLength: 5, maxLength: 30 }),
    fc.infiniteStream(fates),
    async (script, weather) =>
      inWorld(async (world) => {
        world.network.fate = (_: Carried) => weather.next().value
        const { asked, crashesOfB } = await play(world, script)
        world.network.fate = () => ({ arrivals: [1] })
        await restartBoth(world)
        const outcomes = new Map<string, unknown>()
        for (const name of asked) outcomes.set(name, await askUntilKnown(world, name))
        await world.pass(2 * HOUR_MS)
        for (const [name, outcome] of outcomes) {
          assert.deepEqual(outcome, { result: { made: name } })
          assert.equal(idsOf(world.b, name).size, 1, `${name} took effect under several ids`)
        }
        const counts = Object.values(
          Object.groupBy(
            world.b.effects.filter(({ method }) => method === 'make'),
            ({ id }) => id,
          ),
        ).map((of) => of?.length ?? 0)
        const repeated = counts.filter((count) => count > 1)
        assert.ok(
          repeated.every((count) => count <= 2 + crashesOfB),
          `a command was carried out ${Math.max(...counts)} times, the site died ${crashesOfB} times`,
        )
        for (const one of [world.a, world.b])
          assert.equal(one.federation.counts().pendingCommands, 0)
      }),
  )
  await fc.assert(property, { numRuns: Number(process.env.FOGBOW_RUNS ?? 40) })
})

test('of the states of one order only the newest is tried again', async () => {
  await inWorld(async (world) => {
    const { a, b, pass } = world
    a.crash()
    for (let generation = 1; generation <= 50; generation += 1) {
      const params = { orderId: 'o', generation }
      ended(b.federation.call('site-a', 'changed', params, { timeoutMs: 600_000 }))
    }
    await pass(1000)
    const older = ended(b.federation.call('site-a', 'changed', { orderId: 'o', generation: 7 }))
    await pass(60_000)
    const rows = await b.store.db.selectFrom('outbox').select('generation').execute()
    assert.deepEqual(
      rows.map(({ generation }) => generation),
      [50],
    )
    await a.restart()
    await pass(120_000)
    assert.deepEqual(
      a.effects.map(({ params }) => params.generation),
      [50],
    )
    assert.equal(b.federation.counts().pendingCommands, 0)
    assert.equal(
      older.outcome && 'error' in older.outcome && older.outcome.error.code,
      'unavailable_provider',
    )
  })
})
