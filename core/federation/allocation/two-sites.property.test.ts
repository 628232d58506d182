import { test } from 'node:test'
import fc from 'fast-check'
import { TestClock } from '../../orders/testing/bench.ts'
import type { Weather } from '../../orders/testing/model-cloud.ts'
import { fates } from '../testing/fates.ts'
import { MemoryNetwork, type Road } from './testing/memory-network.ts'
import { createSignedNetwork } from './testing/signed-network.ts'
import { TwoSites, type Wish } from './testing/two-sites.ts'

type Act =
  | { do: 'create'; provider: 'site-b' | 'any' }
  | { do: 'ask'; order: number; what: Wish }
  | { do: 'weather'; site: 0 | 1; weather: Weather }
  | { do: 'slow'; looks: number }
  | { do: 'strike'; order: number; how: 'lose' | 'fail' }
  | { do: 'purge'; order: number }
  | { do: 'wait'; ms: number }
  | { do: 'kill'; site: 0 | 1 }

const index = fc.nat({ max: 2 })
const site = fc.constantFrom<0 | 1>(0, 1)
const word = <Word extends string>(one: Word) => fc.constant(one)

function actsBeside<Other>(providers: readonly ('site-b' | 'any')[], other: fc.Arbitrary<Other>) {
  return fc.oneof(
    { weight: 5, arbitrary: other },
    {
      weight: 4,
      arbitrary: fc.record({ do: word('create'), provider: fc.constantFrom(...providers) }),
    },
    {
      weight: 7,
      arbitrary: fc.record({
        do: word('ask'),
        order: index,
        what: fc.constantFrom<Wish>('delete', 'pause', 'pause', 'resume', 'read', 'snapshot'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: word('weather'),
        site,
        weather: fc.constantFrom<Weather>('fine', 'down', 'deaf', 'refusing'),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: word('slow'), looks: fc.nat({ max: 5 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: word('strike'),
        order: index,
        how: fc.constantFrom('lose' as const, 'fail' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: word('purge'), order: index }) },
    {
      weight: 9,
      arbitrary: fc.record({
        do: word('wait'),
        ms: fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 2000 }), fc.nat({ max: 200_000 })),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: word('kill'), site }) },
  )
}

async function play(world: TwoSites, act: Act): Promise<void> {
  const { home, away } = world
  const id = 'order' in act ? world.ids[act.order] : undefined
  const siteOf = (index: 0 | 1) => (index === 0 ? home : away)
  if (act.do === 'create') await world.create({ provider: act.provider })
  else if (act.do === 'weather') siteOf(act.site).cloud.weather = act.weather
  else if (act.do === 'slow') away.cloud.looksUntilDone = act.looks
  else if (act.do === 'wait') await world.pass(act.ms)
  else if (act.do === 'kill') await siteOf(act.site).kill()
  else if (id === undefined) return
  else if (act.do === 'ask') await world.ask(id, act.what)
  else if (act.do === 'strike') world.strike(id, act.how)
  else await world.purge(id)
}

async function comeToRest(world: TwoSites, quietMs: number): Promise<void> {
  world.home.cloud.weather = 'fine'
  world.away.cloud.weather = 'fine'
  await world.pass(quietMs)
  await world.check()
  await world.close()
}

const runs = (otherwise: number) => Number(process.env.FOGBOW_PROPERTY_RUNS ?? otherwise)
const scriptOf = <Some>(acts: fc.Arbitrary<Some>) =>
  fc.array(acts, { minLength: 1, maxLength: 40, size: 'max' })

const roads = fc.record({
  do: word('road'),
  from: site,
  road: fc.constantFrom<Road>('open', 'cut', 'one way', 'echo', 'late', 'jumbled', 'jumbled'),
})

test('whatever roads, sites and clouds do, two sites agree in the end, with one instance for each order and none left behind', async () => {
  const acts = actsBeside(['site-b', 'site-b', 'any'], roads)
  const property = fc.asyncProperty(scriptOf(acts), async (script) => {
    const clock = new TestClock()
    const network = new MemoryNetwork(clock)
    const world = await new TwoSites(network, clock).open()
    await world.create()
    for (const act of script)
      if (act.do !== 'road') await play(world, act)
      else network.roads.set(act.from === 0 ? 'site-a site-b' : 'site-b site-a', act.road)
    network.roads.clear()
    await comeToRest(world, 86_400_000)
  })
  await fc.assert(property, { numRuns: runs(60) })
})

const seasons = fc.record({ do: word('season'), fates: fc.array(fates, { maxLength: 8 }) })

test('so they do when they speak our dialect over servers that lose, delay and double what they carry', async () => {
  const acts = actsBeside(['site-b', 'any'], seasons)
  const property = fc.asyncProperty(scriptOf(acts), async (script) => {
    const clock = new TestClock()
    const network = createSignedNetwork(['site-a', 'site-b'], 'own', clock)
    const world = await new TwoSites(network, clock).open()
    await world.create()
    for (const act of script)
      if (act.do !== 'season') await play(world, act)
      else {
        let at = 0
        network.servers.fate = () => act.fates[at++ % act.fates.length] ?? { arrivals: [1] }
      }
    network.servers.fate = () => ({ arrivals: [1] })
    await comeToRest(world, 4 * 3_600_000)
  })
  await fc.assert(property, { numRuns: runs(20) })
})
