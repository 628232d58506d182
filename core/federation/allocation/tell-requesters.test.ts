import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import {
  applyStep,
  findOrder,
  insertOrder,
  type Order,
  type OrderState,
} from '../../orders/index.ts'
import { TestClock } from '../../orders/testing/bench.ts'
import { openSqliteStore, type Store } from '../../store/index.ts'
import { createTeller } from './tell-requesters.ts'

const log = { info: () => {}, warn: () => {}, error: () => {} }

let store: Store
let clock: TestClock
/** What was told, as `member: state`. */
let told: string[]
let answer: () => Promise<unknown>
beforeEach(async () => {
  store = await openSqliteStore(':memory:')
  clock = new TestClock()
  told = []
  answer = async () => undefined
})
afterEach(() => store.close())

function teller() {
  return createTeller({
    store,
    federation: {
      call: async (member, _method, params) => {
        told.push(`${member}: ${params.state}`)
        return answer()
      },
    },
    siteId: () => 'site-b',
    clock,
    log,
  })
}

async function add(requester = 'site-a'): Promise<Order> {
  const owner = { id: 'ana', identityProviderId: requester, name: 'Ana', roles: [] }
  const place = { provider: 'site-b', cloudName: 'one', dependsOn: [] }
  const order = { id: `of ${requester}`, kind: 'volume', name: 'v', request: {}, requester, owner }
  return store.write((db) => insertOrder(db, { ...order, ...place }, clock.now()))
}

async function move(order: Order, to: OrderState): Promise<Order> {
  const latest = (await findOrder(store.db, order.id)) ?? order
  return store.write((db) => applyStep(db, latest, { to, dueInMs: null }, clock.now()))
}

async function settle(ms = 0): Promise<void> {
  const until = clock.now() + ms
  do for (let turn = 0; turn < 5; turn += 1) await new Promise((next) => setImmediate(next))
  while (clock.ring(until))
  clock.time = until
}

const lost = async () => {
  throw new FogbowError('unavailable_provider', 'no answer')
}

test('who asked for an order is told of its changes, and nobody of what this site ordered itself', async () => {
  const { changed } = teller()
  changed(await move(await add(), 'FULFILLED'))
  changed(await move(await add('site-b'), 'FULFILLED'))
  await settle()
  assert.deepEqual(told, ['site-a: FULFILLED'])
})

test('what was not acknowledged is told again, in its newest state, until it is', async () => {
  const { changed } = teller()
  const order = await add()
  answer = lost
  changed(await move(order, 'SPAWNING'))
  await settle()
  changed(await move(order, 'FULFILLED'))
  await settle(60_000)
  const tries = told.length
  assert.ok(tries >= 4, `${tries} tries`)
  assert.deepEqual([...new Set(told.slice(1))], ['site-a: FULFILLED'])
  answer = async () => undefined
  await settle(600_000)
  const afterwards = told.length
  await settle(600_000)
  assert.equal(told.length, afterwards, 'it goes on although it was acknowledged')
})

test('the next process tells what this one could not, and only that', async () => {
  answer = lost
  const first = teller()
  first.changed(await move(await add(), 'FULFILLED'))
  await settle()
  first.stop()
  told = []
  answer = async () => undefined
  await teller().start()
  await settle()
  assert.deepEqual(told, ['site-a: FULFILLED'])
  await teller().start()
  await settle()
  assert.equal(told.length, 1)
})

test('a refusal ends it, but not one that says that it came too late', async () => {
  const { changed } = teller()
  const order = await add()
  answer = async () => {
    throw new FogbowError('unacceptable_operation', 'late', { details: { expired: true } })
  }
  changed(await move(order, 'SPAWNING'))
  await settle(10_000)
  assert.ok(told.length > 1)
  answer = async () => {
    throw new FogbowError('unauthorized', 'go away')
  }
  await settle(600_000)
  const before = told.length
  await settle(600_000)
  assert.equal(told.length, before)
})
