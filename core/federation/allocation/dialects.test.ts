import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestClock } from '../../orders/testing/bench.ts'
import type { DialectName } from '../dialect.ts'
import { createSignedNetwork, type SignedNetwork } from './testing/signed-network.ts'
import { pass, SiteBench } from './testing/site-bench.ts'

interface Pair {
  a: SiteBench
  b: SiteBench
  network: SignedNetwork
  wait(ms: number): Promise<void>
}

/** Two sites that speak a dialect for real, with a site of the other end of the world between them. */
async function withSites(dialect: DialectName, run: (pair: Pair) => Promise<void>): Promise<void> {
  const clock = new TestClock()
  const network = createSignedNetwork(['site-a', 'site-b'], dialect, clock)
  const a = await SiteBench.open('site-a', network, clock)
  const b = await SiteBench.open('site-b', network, clock)
  try {
    await run({ a, b, network, wait: (ms) => pass(network, clock, ms) })
  } finally {
    await a.close()
    await b.close()
  }
}

/** An answer is awaited while time passes. */
async function whileTimePasses<Result>({ wait }: Pair, work: Promise<Result>): Promise<Result> {
  const settled = work.then(
    () => true,
    () => true,
  )
  while (!(await Promise.race([settled, wait(20).then(() => false)])));
  return work
}

for (const dialect of ['own', 'java'] as const) {
  test(`orders are made, shown, listed and deleted in dialect '${dialect}'`, () =>
    withSites(dialect, async (pair) => {
      const { a, b, wait } = pair
      const ana = a.as('ana')
      const body = { imageId: 'i', vCPU: 1, name: 'vm', provider: 'site-b' }
      const { id } = await a.operations.createOrder(ana, 'compute', body)
      await wait(20_000)
      assert.equal((await b.order(id))?.state, 'FULFILLED')
      assert.equal((await a.order(id))?.state, 'FULFILLED')
      const view = await whileTimePasses(pair, a.operations.getOrder(ana, 'compute', id))
      assert.equal(view.state, 'READY')
      assert.equal(view.vCPU, 2)
      assert.equal(view.cloudName, 'one')
      const { items } = await a.operations.listOrders(ana, 'compute', { provider: 'site-b' })
      assert.equal(items[0]?.state, 'READY')
      await a.operations.deleteOrder(ana, 'compute', id)
      await wait(30_000)
      assert.equal((await b.order(id))?.state, 'CLOSED')
      assert.equal((await a.order(id))?.state, 'CLOSED')
      assert.equal(b.cloud.instances.size, 0)
    }))

  test(`what is asked without ordering is answered in dialect '${dialect}', and errors keep their codes`, () =>
    withSites(dialect, async (pair) => {
      const { a, b } = pair
      Object.assign(b.plugin.methods, {
        'image.getAllImages': () => [{ id: 'i', name: 'image' }],
        'image.getImage': (id: string) => ({ id, name: 'image' }),
      })
      const { operations } = a
      const ana = a.as('ana')
      const clouds = await whileTimePasses(pair, operations.listClouds(ana, 'site-b'))
      assert.deepEqual(clouds, { clouds: ['one', 'two'] })
      const images = operations.listImages(ana, 'site-b', 'one')
      assert.deepEqual(await whileTimePasses(pair, images), [{ id: 'i', name: 'image' }])
      const image = operations.getImage(ana, 'site-b', 'one', 'i')
      assert.equal((await whileTimePasses(pair, image)).name, 'image')
      const none = operations.listImages(ana, 'site-b', 'three')
      await assert.rejects(whileTimePasses(pair, none), /three/)
    }))

  test(`sites that die meanwhile agree in the end in dialect '${dialect}'`, () =>
    withSites(dialect, async ({ a, b, wait }) => {
      const ana = a.as('ana')
      const ids: string[] = []
      for (let turn = 0; turn < 6; turn += 1) {
        const body = { imageId: 'i', provider: 'site-b' }
        ids.push((await a.operations.createOrder(ana, 'compute', body)).id)
        await wait(turn)
        await (turn % 2 ? a : b).kill()
        await wait(50)
      }
      await wait(600_000)
      for (const id of ids) {
        assert.equal((await a.order(id))?.state, 'FULFILLED')
        assert.equal((await b.order(id))?.state, 'FULFILLED')
      }
      assert.equal(b.cloud.made.length, ids.length)
    }))
}
