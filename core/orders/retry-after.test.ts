import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { EngineBench } from './testing/bench.ts'
import { ModelCloud } from './testing/model-cloud.ts'

/** With the time that is added so that not all come at once. */
const ASKED_MS = 44_000

test('an order waits for as long as its cloud asked for, and no longer', async () => {
  const cloud = new ModelCloud()
  const make = cloud.requestInstance.bind(cloud)
  let refusals = 0
  cloud.requestInstance = async (order) => {
    if (refusals > 0) return make(order)
    refusals += 1
    const details = { retryAfterSeconds: 40 }
    throw new FogbowError('too_many_requests', 'come back later', { details })
  }
  const bench = await EngineBench.open(cloud)
  const { id } = await bench.create()
  await bench.pass(ASKED_MS - 100)
  assert.deepEqual([refusals, cloud.calls], [1, 0], 'it was asked in between')
  assert.match(
    (await bench.order(id)).faultMessage ?? '',
    /Not created yet, trying again: come back/,
  )
  await bench.pass(1000)
  assert.equal((await bench.order(id)).state, 'FULFILLED')
  await bench.close()
})
