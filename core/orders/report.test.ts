import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OrderReport } from './member-connector.ts'
import type { Order } from './order.ts'
import { factsOf, isOutdated, mirroredState } from './report.ts'
import { type OrderState, orderStates } from './states.ts'

const order = (more: Partial<Order>) => ({ kind: 'compute', attempts: 0, ...more }) as Order
const at = (state: OrderState, attempts = 0) => order({ state, attempts })

const table: [OrderState, OrderState, OrderState | undefined][] = [
  ['SELECTED', 'OPEN', 'PENDING'],
  ['SELECTED', 'FULFILLED', 'FULFILLED'],
  ['PENDING', 'SELECTED', undefined],
  ['PENDING', 'SPAWNING', 'SPAWNING'],
  ['PENDING', 'FAILED_ON_REQUEST', 'FAILED_ON_REQUEST'],
  ['PENDING', 'PAUSING', 'SPAWNING'],
  ['FULFILLED', 'OPEN', undefined],
  ['FULFILLED', 'PAUSING', undefined],
  ['FULFILLED', 'STOPPED', 'STOPPED'],
  ['FULFILLED', 'ASSIGNED_FOR_DELETION', undefined],
  ['FULFILLED', 'UNABLE_TO_CHECK_STATUS', 'UNABLE_TO_CHECK_STATUS'],
  ['UNABLE_TO_CHECK_STATUS', 'FULFILLED', 'FULFILLED'],
  ['FAILED_AFTER_SUCCESSFUL_REQUEST', 'FULFILLED', 'FULFILLED'],
  ['FAILED_ON_REQUEST', 'FULFILLED', undefined],
  ['ASSIGNED_FOR_DELETION', 'FULFILLED', undefined],
  ['CHECKING_DELETION', 'CHECKING_DELETION', undefined],
]

for (const [here, there, expected] of table) {
  test(`${there} over there moves ${here} to ${expected ?? 'no other state'}`, () => {
    assert.equal(mirroredState(at(here), there), expected)
  })
}

test('the end over there is the end here, whatever was going on', () => {
  for (const state of orderStates) {
    const expected = state === 'CLOSED' ? undefined : 'CLOSED'
    assert.equal(mirroredState(at(state), 'CLOSED'), expected)
  }
})

test('an action that the provider was not told yet is not undone by what it reports', () => {
  assert.equal(mirroredState(at('PAUSING'), 'FULFILLED'), undefined)
  assert.equal(mirroredState(at('PAUSING', 1), 'FULFILLED'), 'FULFILLED')
  assert.equal(mirroredState(at('PAUSING', 1), 'PAUSING'), undefined)
  assert.equal(mirroredState(at('PAUSING', 1), 'PAUSED'), 'PAUSED')
})

test('a word that no version knows says nothing', () => {
  assert.equal(mirroredState(at('FULFILLED'), 'SUBLIMATED'), undefined)
})

test('older is what has a smaller number, unless the provider counts in another way than before', () => {
  const isOlder = (known: number | null, generation: number) =>
    isOutdated(order({ generation: known }), { generation } as OrderReport)
  assert.equal(isOlder(null, 0), false)
  assert.equal(isOlder(4, 4), false)
  assert.equal(isOlder(4, 3), true)
  const time = 1_700_000_000_000
  assert.equal(isOlder(time, time - 1), true)
  assert.equal(isOlder(4, time), false)
  assert.equal(isOlder(time, 4), false)
})

test('what is shown to users has the form of its kind', () => {
  const facts = (more: object) =>
    factsOf(order({}), { orderId: 'o', generation: 1, state: 'FULFILLED', ...more }, 5)
  const instance = { state: 'READY', cloudState: 'active', vCPU: 1, ram: 1, disk: 1 }
  assert.deepEqual(facts({ instance, allocation: { vCPU: 1, ram: -1, disk: 0.5, x: 1 } }), {
    requestOutcome: 'known',
    generation: 1,
    observedAt: 5,
    instance,
    allocation: { vCPU: 1 },
  })
  assert.equal(facts({ instance: { ...instance, vCPU: 'many' } }).instance, undefined)
})
