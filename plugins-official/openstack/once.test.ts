import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { createFakeHost, type FakeHost } from '@fogbow/plugin-sdk/testing'
import { createOnce } from './once.ts'

const SETTLE_MS = 30_000

/** A cloud that makes something for each request that arrives. */
function cloudOf(host: FakeHost) {
  const made: string[] = []
  let cut = false
  return {
    made,
    once: createOnce(host, SETTLE_MS),
    find: async () => made[0],
    /** The request arrives, and the answer does not. */
    cutNext() {
      cut = true
    },
    async create() {
      await Promise.resolve()
      if (cut) {
        cut = false
        throw new FogbowError('unavailable_provider', 'the connection was cut')
      }
      made.push(`thing-${made.length}`)
      return made.at(-1) ?? ''
    },
  }
}

test('what is there already is not made again', async () => {
  const { once, find, create, made } = cloudOf(createFakeHost())
  assert.equal(await once.make('a', find, create), 'thing-0')
  assert.equal(await once.make('a', find, create), 'thing-0')
  assert.equal(made.length, 1)
})

test('calls at the same time make one thing and have the same answer', async () => {
  const { once, find, create, made } = cloudOf(createFakeHost())
  const answers = await Promise.all([1, 2, 3].map(() => once.make('a', find, create)))
  assert.deepEqual(answers, ['thing-0', 'thing-0', 'thing-0'])
  assert.equal(made.length, 1)
})

test('after a request without answer nothing is asked until the cloud must have carried it out', async () => {
  const host = createFakeHost()
  const cloud = cloudOf(host)
  cloud.cutNext()
  const again = (once = cloud.once) => once.make('a', cloud.find, cloud.create)
  await assert.rejects(again(), { code: 'unavailable_provider', message: /cut/ })
  await assert.rejects(again(), { code: 'unavailable_provider', message: /asked again in 30 s/ })
  await host.clock.advance(SETTLE_MS - 1)
  const restarted = createOnce(host.restarted(), SETTLE_MS)
  await assert.rejects(again(restarted), { message: /asked again in 1 s/ })
  await host.clock.advance(1)
  assert.equal(await again(restarted), 'thing-0')
})

test('what shows meanwhile is taken at once', async () => {
  const cloud = cloudOf(createFakeHost())
  cloud.cutNext()
  await assert.rejects(cloud.once.make('a', cloud.find, cloud.create))
  cloud.made.push('came late')
  assert.equal(await cloud.once.make('a', cloud.find, cloud.create), 'came late')
})

test('a service that failed inside is looked at again, and asked, at once', async () => {
  const host = createFakeHost()
  const { once, find, create } = cloudOf(host)
  const fail = (status: number) => async () => {
    throw new FogbowError('unavailable_provider', 'it failed', { details: { status } })
  }
  await assert.rejects(once.make('a', find, fail(500)), { message: 'it failed' })
  await assert.rejects(once.make('a', find, fail(503)), { message: 'it failed' })
  await assert.rejects(once.make('a', find, create), { message: /asked again in 30 s/ })
})

test('a refusal leaves no doubt, so that the next attempt does not wait', async () => {
  const host = createFakeHost()
  const { once, find, create } = cloudOf(host)
  const refuse = async () => {
    throw new FogbowError('quota_exceeded', 'too many')
  }
  await assert.rejects(once.make('a', find, refuse), { code: 'quota_exceeded' })
  assert.equal(await once.make('a', find, create), 'thing-0')
  assert.equal(host.entries.size, 0)
})
