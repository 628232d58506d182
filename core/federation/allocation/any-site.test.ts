import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { TestClock } from '../../orders/testing/bench.ts'
import { MemoryNetwork } from './testing/memory-network.ts'
import { pass, SiteBench, settle } from './testing/site-bench.ts'

let clock: TestClock
let network: MemoryNetwork
let sites: SiteBench[]
let a: SiteBench
let b: SiteBench
let c: SiteBench
beforeEach(async () => {
  clock = new TestClock()
  network = new MemoryNetwork(clock)
  sites = []
  for (const id of ['site-a', 'site-b', 'site-c'])
    sites.push(await SiteBench.open(id, network, clock))
  ;[a, b, c] = sites as [SiteBench, SiteBench, SiteBench]
})
afterEach(async () => {
  for (const site of sites) await site.close()
})

const wait = (ms: number) => pass(network, clock, ms)

async function create(more: object = {}): Promise<string> {
  const body = { imageId: 'i', provider: 'any', ...more }
  const { id } = await a.operations.createOrder(a.as('ana'), 'compute', body)
  await settle(network)
  return id
}

test('an order that may go anywhere goes where the plugin says first', async () => {
  const id = await create()
  assert.equal((await a.order(id))?.provider, 'site-a')
  assert.equal((await a.order(id))?.state, 'FULFILLED')
  a.ranker.methods['placement.rankProviders'] = () => ({ ranked: ['site-c', 'site-b'] })
  const other = await create({ cloudName: 'two' })
  const order = await a.order(other)
  assert.deepEqual([order?.provider, order?.cloudName], ['site-c', 'two'])
  assert.equal(order?.state, 'FULFILLED')
  assert.equal(b.cloud.made.length, 0)
})

test('an order that is refused goes on to the next site, and keeps what was considered and why', async () => {
  a.cloud.weather = 'refusing'
  b.cloud.weather = 'refusing'
  const id = await create()
  await wait(10_000)
  const order = await a.order(id)
  assert.equal(order?.provider, 'site-c')
  assert.equal(order?.state, 'FULFILLED')
  assert.deepEqual(
    order?.considered?.map(({ provider, outcome, reason }) => [provider, outcome, reason]),
    [
      ['site-a', 'refused', 'no room'],
      ['site-b', 'refused', 'no room'],
      ['site-c', 'chosen', undefined],
    ],
  )
  const shown = await a.operations.getOrder(a.as('ana'), 'compute', id)
  assert.deepEqual(
    (shown.considered as { provider: string; reason: string | null }[]).map((site) => [
      site.provider,
      site.reason,
    ]),
    [
      ['site-a', 'no room'],
      ['site-b', 'no room'],
      ['site-c', null],
    ],
    'and its user can see it',
  )
  b.cloud.weather = 'fine'
  await wait(200_000)
  assert.equal((await b.order(id))?.state, 'CLOSED', 'what was left there is gone')
  assert.equal(c.cloud.made.length, 1)
})

test('a site that dies while it moves an order moves it after that', async () => {
  a.ranker.methods['placement.rankProviders'] = (_request: never, candidates: never[]) => ({
    ranked: candidates.map(({ provider }) => provider).filter((site) => site !== 'site-a'),
  })
  b.cloud.weather = 'refusing'
  network.roads.set('site-b site-a', 'cut')
  const id = await create()
  for (const ms of [1, 2000, 30_000]) {
    await wait(ms)
    await a.kill()
  }
  b.cloud.weather = 'fine'
  await wait(60_000)
  network.roads.clear()
  await wait(200_000)
  const order = await a.order(id)
  assert.deepEqual([order?.provider, order?.state], ['site-c', 'FULFILLED'])
  assert.equal((await b.order(id))?.state, 'CLOSED')
  assert.equal(b.cloud.made.length + c.cloud.made.length, 1)
})

test('a site that may have done it is waited for, and no other is asked', async () => {
  a.cloud.weather = 'refusing'
  network.roads.set('site-a site-b', 'one way')
  network.roads.set('site-b site-a', 'cut')
  const id = await create()
  await wait(600_000)
  assert.equal((await a.order(id))?.provider, 'site-b')
  assert.equal(c.cloud.made.length, 0)
  network.roads.clear()
  await wait(200_000)
  assert.equal((await a.order(id))?.state, 'FULFILLED')
  assert.equal(b.cloud.made.length, 1)
})

test('an order that every site refuses has failed, and says what each said', async () => {
  for (const site of sites) site.cloud.weather = 'refusing'
  const id = await create()
  await wait(10_000)
  const order = await a.order(id)
  assert.equal(order?.state, 'FAILED_ON_REQUEST')
  assert.match(order?.faultMessage ?? '', /site-a: no room; site-b: no room; site-c: no room/)
  for (const site of sites) site.cloud.weather = 'fine'
  await a.operations.deleteOrder(a.as('ana'), 'compute', id)
  await wait(200_000)
  for (const site of sites) assert.equal((await site.order(id))?.state, 'CLOSED', site.id)
})

test('while the plugin is away a refused order waits, and goes on when it is back', async () => {
  a.cloud.weather = 'refusing'
  const rank = a.ranker.methods['placement.rankProviders']
  let calls = 0
  a.ranker.methods['placement.rankProviders'] = (_request: never, candidates: never[]) => {
    calls += 1
    if (calls > 1) throw new Error('away')
    return { ranked: candidates.map(({ provider }) => provider) }
  }
  const id = await create()
  await wait(10_000)
  assert.equal((await a.order(id))?.state, 'SELECTED')
  assert.match((await a.order(id))?.faultMessage ?? '', /which site is next is not known yet/)
  a.ranker.methods['placement.rankProviders'] = rank as never
  await wait(200_000)
  assert.deepEqual((await a.order(id))?.provider, 'site-b')
  assert.deepEqual((await a.order(id))?.state, 'FULFILLED')
})

test('what an order refers to decides where it goes', async () => {
  const body = { provider: 'site-b', cloudName: 'two' }
  const { id: network1 } = await a.operations.createOrder(a.as('ana'), 'network', body)
  await settle(network)
  const id = await create({ networkIds: [network1] })
  const order = await a.order(id)
  assert.deepEqual([order?.provider, order?.cloudName], ['site-b', 'two'])
  assert.equal(order?.considered, null)
})

test('a site may send everywhere what names no provider', async () => {
  Object.assign(a.config, { placement: { plugin: 'ranker', default: 'any' } })
  a.cloud.weather = 'refusing'
  const id = await create({ provider: undefined })
  await wait(1000)
  assert.equal((await a.order(id))?.provider, 'site-b')
})

test('an order that is refused here after a restart goes on to the next site, and an instance made before is kept', async () => {
  a.cloud.weather = 'down'
  const moving = await create()
  a.cloud.weather = 'deaf'
  const staying = await create()
  await wait(100)
  await a.kill()
  a.cloud.weather = 'refusing'
  await wait(200_000)
  const [moved, stayed] = [await a.order(moving), await a.order(staying)]
  assert.deepEqual([moved?.provider, moved?.state], ['site-b', 'FULFILLED'])
  assert.deepEqual([stayed?.provider, stayed?.state], ['site-a', 'FULFILLED'])
  assert.deepEqual([a.cloud.made, b.cloud.made], [[staying], [moving]])
})
