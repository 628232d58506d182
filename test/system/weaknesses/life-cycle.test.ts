import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ErrorCode, errorCatalogue, FogbowError } from '@fogbow/plugin-sdk'
import { orderHistory } from '../../../core/orders/order-store.ts'
import { EngineBench } from '../../../core/orders/testing/bench.ts'
import { ModelCloud } from '../../../core/orders/testing/model-cloud.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** A model of a cloud whose answers about instances can be made to fail in a certain way, and are counted. */
class AilingCloud extends ModelCloud {
  ailment: ErrorCode | undefined
  readonly asked = { getInstance: 0, deleteInstance: 0 }

  override async getInstance(order: Parameters<ModelCloud['getInstance']>[0]) {
    this.asked.getInstance += 1
    if (this.ailment) throw new FogbowError(this.ailment, 'connection refused')
    return super.getInstance(order)
  }

  override async deleteInstance(order: Parameters<ModelCloud['deleteInstance']>[0]) {
    this.asked.deleteInstance += 1
    return super.deleteInstance(order)
  }
}

async function running(t: { after(run: () => Promise<void>): void }) {
  const cloud = new AilingCloud()
  const bench = await EngineBench.open(cloud)
  t.after(() => bench.close())
  const { id } = await bench.create()
  await bench.pass(0)
  return { cloud, bench, id, state: async () => (await bench.order(id)).state }
}

test('1: a cloud that fails for a while does not fail the orders whose instances live', async (t) => {
  const { cloud, bench, id, state } = await running(t)
  assert.equal(await state(), 'FULFILLED')
  const young = await bench.create()
  for (const outage of [10_000, MINUTE_MS, 60 * MINUTE_MS]) {
    cloud.weather = 'down'
    await bench.pass(outage)
    cloud.weather = 'fine'
    await bench.pass(70 * MINUTE_MS)
    assert.equal(await state(), 'FULFILLED')
    assert.equal((await bench.order(young.id)).state, 'FULFILLED')
  }
  assert.deepEqual(new Set(cloud.made), new Set([id, young.id]))
  assert.equal(cloud.made.length, 2)
})

test('2: no kind of failed answer is taken for a failed instance', async (t) => {
  const { cloud, bench, id, state } = await running(t)
  const notAboutInstances = Object.keys(errorCatalogue).filter(
    (code) => code !== 'instance_not_found',
  ) as ErrorCode[]
  for (const code of notAboutInstances) {
    cloud.ailment = code
    await bench.pass(70 * MINUTE_MS)
    assert.equal(await state(), 'UNABLE_TO_CHECK_STATUS', code)
    assert.equal((await bench.order(id)).faultMessage, 'connection refused', code)
    cloud.ailment = undefined
    await bench.pass(5 * MINUTE_MS)
    assert.equal(await state(), 'FULFILLED', code)
    assert.equal((await bench.order(id)).faultMessage, null, code)
  }
})

test('3: an order whose state cannot be checked waits as long as it takes, with pauses that grow', async (t) => {
  const { cloud, bench, state } = await running(t)
  cloud.ailment = 'timeout'
  await bench.pass(70 * MINUTE_MS)
  cloud.asked.getInstance = 0
  await bench.pass(DAY_MS)
  assert.equal(await state(), 'UNABLE_TO_CHECK_STATUS')
  const everyTwoMinutes = DAY_MS / (2 * MINUTE_MS)
  assert.ok(cloud.asked.getInstance <= everyTwoMinutes * 1.3, `${cloud.asked.getInstance} looks`)
  assert.ok(cloud.asked.getInstance >= everyTwoMinutes * 0.7, `${cloud.asked.getInstance} looks`)
  cloud.ailment = undefined
  await bench.pass(3 * MINUTE_MS)
  assert.equal(await state(), 'FULFILLED')
})

test('8: an order whose request was under way when the site died is asked for again, without a second instance', async (t) => {
  for (const weather of ['down', 'deaf'] as const) {
    const cloud = new AilingCloud()
    const bench = await EngineBench.open(cloud)
    t.after(() => bench.close())
    cloud.weather = weather
    const { id } = await bench.create()
    await bench.pass(0)
    assert.equal((await bench.order(id)).state, 'SELECTED')
    cloud.weather = 'fine'
    await bench.kill()
    await bench.pass(MINUTE_MS)
    assert.equal((await bench.order(id)).state, 'FULFILLED')
    assert.deepEqual(cloud.made, [id])
  }
})

test('14: a deletion that the cloud refuses is repeated with growing pauses, and the user is told why', async (t) => {
  const { cloud, bench, id, state } = await running(t)
  cloud.weather = 'refusing'
  await bench.ask(id, 'delete')
  await bench.pass(DAY_MS)
  assert.equal(await state(), 'ASSIGNED_FOR_DELETION')
  const { deleteInstance } = cloud.asked
  assert.ok(deleteInstance < 1000, `${deleteInstance} requests in a day`)
  assert.match((await bench.order(id)).faultMessage ?? '', /Not deleted yet, trying again: in use/)
  cloud.weather = 'fine'
  await bench.pass(3 * MINUTE_MS)
  assert.equal(await state(), 'CLOSED')
})

test('23: what a cloud does at once is seen at once: no order waits for the next round of a poll', async (t) => {
  const { bench, id, state } = await running(t)
  const begin = bench.clock.now()
  assert.equal(await state(), 'FULFILLED')
  await bench.ask(id, 'pause')
  await bench.pass(0)
  assert.equal(await state(), 'PAUSED')
  await bench.ask(id, 'delete')
  await bench.pass(0)
  assert.equal(await state(), 'CLOSED')
  assert.equal(bench.clock.now(), begin)
})

test('24: looking at an instance that does not change leaves no record', async (t) => {
  const { cloud, bench, id } = await running(t)
  const before = await orderHistory(bench.store.db, id)
  cloud.asked.getInstance = 0
  await bench.pass(7 * DAY_MS)
  assert.ok(cloud.asked.getInstance > 100)
  assert.deepEqual(await orderHistory(bench.store.db, id), before)
  assert.deepEqual(await bench.store.db.selectFrom('audit').selectAll().execute(), [])
})
