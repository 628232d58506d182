import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ErrorCode, FogbowError } from '@fogbow/plugin-sdk'
import type { MemberConnector, OrderReport } from '../member-connector.ts'
import type { Order } from '../order.ts'
import type { OrderState } from '../states.ts'
import { timing } from '../testing/bench.ts'
import { NOW, orderAt } from '../testing/order-at.ts'
import { memberProcessors, mirror } from './index.ts'
import type { Elsewhere } from './processor.ts'

const fresh = orderAt('site-b', {
  version: 3,
  requestOutcome: 'known',
  requestUntil: NOW,
  generation: 5,
})

/** A member that fails the test when it is asked something that was not expected. */
const untouched: MemberConnector = {
  createOrder: () => assert.fail('createOrder'),
  getOrder: () => assert.fail('getOrder'),
  getInstance: () => assert.fail('getInstance'),
  deleteOrder: () => assert.fail('deleteOrder'),
  actOnOrder: () => assert.fail('actOnOrder'),
  setDelegation: () => assert.fail('setDelegation'),
  tellsChanges: () => false,
}

function look(
  state: OrderState,
  member: Partial<MemberConnector> = {},
  order: Partial<Order> = {},
  elsewhere?: Elsewhere,
  isRead = false,
) {
  const processor = memberProcessors[state]
  assert.ok(processor, `${state} has a processor`)
  const bench = {
    connector: assert.fail as never,
    members: { ...untouched, ...member },
    isRead,
    timing,
    now: () => NOW,
    random: () => 0.5,
    placeElsewhere: elsewhere && (async () => elsewhere),
  }
  return processor({ ...fresh, state, ...order }, bench)
}

const says = (state: string, more: Partial<OrderReport> = {}) => {
  return async () => ({ orderId: 'order-1', generation: 6, state, ...more })
}
const fails =
  (code: ErrorCode, message = 'sorry', details = {}) =>
  async () => {
    throw new FogbowError(code, message, { details })
  }
const silent = ['unavailable_provider', 'timeout', 'internal_error', 'plugin_failure'] as const

test('a provider that took the order is followed from there on', async () => {
  const step = await look('SELECTED', { createOrder: says('OPEN', { cloudName: 'two' }) })
  assert.equal(step.to, 'PENDING')
  assert.equal(step.facts?.cloudName, 'two')
  assert.equal(step.facts?.requestOutcome, 'known')
})

test('only a refusal fails a request; silence and what was never begun are asked again', async () => {
  const refused = await look('SELECTED', { createOrder: fails('quota_exceeded', 'no room') })
  assert.equal(refused.to, 'FAILED_ON_REQUEST')
  assert.equal(refused.facts?.requestOutcome, 'never asked', 'nothing is there to be deleted')
  const late = fails('unacceptable_operation', 'too late', { expired: true })
  for (const createOrder of [late, ...silent.map((code) => fails(code))]) {
    const step = await look('SELECTED', { createOrder })
    assert.equal(step.to, undefined)
    assert.match(step.faultMessage ?? '', /site-b did not answer yet, trying again/)
    assert.ok((step.dueInMs ?? 0) > 0)
  }
})

test('a provider that asks for a pause is not asked again before it is over', async () => {
  const busy = fails('too_many_requests', 'not now', { retryAfterSeconds: 40 })
  const members = { createOrder: busy, getOrder: busy, deleteOrder: busy, actOnOrder: busy }
  for (const state of [
    'SELECTED',
    'FULFILLED',
    'PAUSING',
    'ASSIGNED_FOR_DELETION',
    'CHECKING_DELETION',
  ] as const)
    assert.equal((await look(state, members)).dueInMs, 44_000, state)
})

test('silence hides an instance and never fails it', async () => {
  for (const code of silent) {
    const step = await look('FULFILLED', { getOrder: fails(code) })
    assert.equal(step.to, 'UNABLE_TO_CHECK_STATUS', code)
    const pending = await look('PENDING', { getOrder: fails(code) })
    assert.equal(pending.to, undefined)
  }
})

test('a provider looks at its cloud for somebody who reads the order, and for nobody else', async () => {
  const instance = { state: 'READY', cloudState: 'active', vCPU: 1, ram: 1, disk: 1 }
  const member = { getOrder: says('FULFILLED'), getInstance: says('FULFILLED', { instance }) }
  const polled = await look('FULFILLED', member)
  assert.deepEqual([polled.facts?.instance, polled.facts?.observedAt], [undefined, undefined])
  const read = await look('FULFILLED', member, {}, undefined, true)
  assert.deepEqual([read.facts?.instance, read.facts?.observedAt], [instance, NOW])
})

test('an order that its provider does not have is lost, and looked for again', async () => {
  const step = await look('FULFILLED', { getOrder: fails('instance_not_found', 'none') })
  assert.equal(step.to, 'FAILED_AFTER_SUCCESSFUL_REQUEST')
  assert.match(step.faultMessage ?? '', /site-b does not have it any more: none/)
  assert.ok((step.dueInMs ?? 0) > 0)
})

test('a report that is older than what is known changes nothing', async () => {
  const step = await look('FULFILLED', { getOrder: says('SPAWNING', { generation: 4 }) })
  assert.equal(step.to, undefined)
  assert.equal(step.facts, undefined)
})

test('a provider that tells by itself is asked rarely', async () => {
  const getOrder = says('SPAWNING')
  const often = await look('SPAWNING', { getOrder })
  assert.equal(often.dueInMs, 100)
  const rarely = await look('SPAWNING', { getOrder, tellsChanges: () => true })
  assert.equal(rarely.dueInMs, 30_000)
})

test('a deletion that the provider was not told yet is asked for soon, whatever it tells meanwhile', () => {
  const order: Order = { ...fresh, state: 'ASSIGNED_FOR_DELETION', attempts: 3 }
  const members = { ...untouched, tellsChanges: () => true }
  const time = { timing, now: () => NOW, random: () => 1 }
  const bench = { connector: assert.fail as never, members, isRead: false, ...time }
  for (const generation of [4, 6]) {
    const step = mirror(order, { orderId: 'order-1', generation, state: 'FULFILLED' }, bench)
    assert.equal(step.to, undefined)
    assert.ok((step.dueInMs ?? Number.NaN) <= 1.2 * timing.longestRetryMs, `${step.dueInMs}`)
    assert.ok((step.dueInMs ?? Number.NaN) < timing.firstHealthCheckMs, `${step.dueInMs}`)
  }
})

test('an order that was never asked for, or refused, is closed without asking anybody', async () => {
  const step = await look('ASSIGNED_FOR_DELETION', {}, { requestOutcome: 'never asked' })
  assert.equal(step.to, 'CLOSED')
})

test('a request whose outcome nobody saw is settled before it is deleted', async () => {
  const unknown = { requestOutcome: 'unknown', generation: null } as const
  const taken = await look('ASSIGNED_FOR_DELETION', { createOrder: says('OPEN') }, unknown)
  assert.equal(taken.to, undefined)
  assert.equal(taken.facts?.requestOutcome, 'known')
  assert.equal(taken.dueInMs, 0)
  const never = fails('unacceptable_operation', 'too late', { expired: true })
  for (const createOrder of [never, fails('quota_exceeded')])
    assert.equal((await look('ASSIGNED_FOR_DELETION', { createOrder }, unknown)).to, 'CLOSED')
  const open = await look('ASSIGNED_FOR_DELETION', { createOrder: fails('timeout') }, unknown)
  assert.equal(open.to, undefined)
})

test('a deletion is done when the provider says so, and a refused one is asked for as a new one', async () => {
  const accepted = await look('ASSIGNED_FOR_DELETION', { deleteOrder: async () => {} })
  assert.equal(accepted.to, 'CHECKING_DELETION')
  const gone = await look('ASSIGNED_FOR_DELETION', { deleteOrder: fails('instance_not_found') })
  assert.equal(gone.to, 'CLOSED')
  const refused = await look('ASSIGNED_FOR_DELETION', { deleteOrder: fails('unauthorized') })
  assert.equal(refused.facts?.refusals, 1)
  const open = await look('ASSIGNED_FOR_DELETION', { deleteOrder: fails('timeout') })
  assert.equal(open.facts, undefined, 'the same one is asked for again')
  assert.equal((await look('CHECKING_DELETION', { getOrder: says('CLOSED') })).to, 'CLOSED')
  const waiting = await look('CHECKING_DELETION', { getOrder: says('CHECKING_DELETION') })
  assert.equal(waiting.to, undefined)
})

test('a provider that has forgotten a deletion is asked for it again', async () => {
  const keys: number[] = []
  const step = await look('CHECKING_DELETION', {
    getOrder: says('FULFILLED'),
    deleteOrder: async ({ refusals }) => void keys.push(refusals),
  })
  assert.deepEqual(keys, [1])
  assert.equal(step.facts?.refusals, 1)
  const failed = await look('CHECKING_DELETION', {
    getOrder: says('FULFILLED'),
    deleteOrder: fails('timeout'),
  })
  assert.match(failed.faultMessage ?? '', /Not deleted yet/)
})

test('an action is asked for until the provider takes it, and then watched', async () => {
  const asked: string[] = []
  const actOnOrder = async (_order: Order, action: string) => void asked.push(action)
  const step = await look('HIBERNATING', { actOnOrder })
  assert.deepEqual(asked, ['hibernate'])
  assert.equal(step.counts, true)
  const open = await look('HIBERNATING', { actOnOrder: fails('timeout') })
  assert.ok(!open.counts, 'it is not known to be taken')
  const watched = await look('HIBERNATING', { getOrder: says('HIBERNATED') }, { attempts: 1 })
  assert.equal(watched.to, 'HIBERNATED')
})

test('an action that is refused, or takes too long, leaves the order as its provider has it', async () => {
  const refused = await look('PAUSING', {
    actOnOrder: fails('unacceptable_operation', 'not now'),
    getOrder: says('FULFILLED'),
  })
  assert.equal(refused.to, 'FULFILLED')
  assert.equal(refused.faultMessage, 'not now')
  const late = { attempts: 1, stateSince: NOW - timing.actionLimitMs - 1 }
  const silentFor = await look('PAUSING', { getOrder: fails('timeout') }, late)
  assert.equal(silentFor.to, 'UNABLE_TO_CHECK_STATUS')
})

const considered = [{ provider: 'site-b', outcome: 'refused', reason: 'full', at: NOW }] as const
const next: Elsewhere = {
  to: 'next',
  place: { provider: 'site-c', cloudName: '' },
  considered,
}

test('an order that may go anywhere moves when it is refused, with nothing left behind', async () => {
  const anywhere = { considered: [] }
  const refused = await look('SELECTED', { createOrder: fails('quota_exceeded') }, anywhere, next)
  assert.equal(refused.to, 'OPEN')
  assert.equal(refused.facts?.provider, 'site-c')
  assert.equal(refused.facts?.requestOutcome, 'never asked')
  let deleted = 0
  const deleteOrder = async () => {
    deleted += 1
  }
  for (const state of ['FAILED_ON_REQUEST', 'CHECKING_DELETION', 'CLOSED']) {
    const getOrder = says(state)
    const step = await look('PENDING', { getOrder, deleteOrder }, anywhere, next)
    assert.equal(step.to, 'OPEN', state)
  }
  assert.equal(deleted, 3)
  const stuck = { getOrder: says('FAILED_ON_REQUEST'), deleteOrder: fails('timeout') }
  assert.equal((await look('PENDING', stuck, anywhere, next)).to, undefined)
})

test('an order whose user said where stays there when it is refused', async () => {
  const step = await look('SELECTED', { createOrder: fails('quota_exceeded') }, {}, next)
  assert.equal(step.to, 'FAILED_ON_REQUEST')
  assert.equal(step.facts?.considered, undefined)
})
