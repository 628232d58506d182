import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instanceStates } from '@fogbow/plugin-sdk'
import { memberProcessors, processors } from './processors/index.ts'
import {
  isBeingDeleted,
  isObserved,
  type OrderState,
  orderStates,
  shownAs,
  unsettledStates,
} from './states.ts'
import { eventOf, nextState, type OrderEvent, transitions } from './transitions.ts'

const table: [OrderState, OrderEvent, OrderState | undefined][] = [
  ['OPEN', 'select', 'SELECTED'],
  ['OPEN', 'ready', undefined],
  ['SELECTED', 'accepted', 'SPAWNING'],
  ['SELECTED', 'refused', 'FAILED_ON_REQUEST'],
  ['SELECTED', 'unreachable', undefined],
  ['SPAWNING', 'ready', 'FULFILLED'],
  ['SPAWNING', 'failed', 'FAILED_AFTER_SUCCESSFUL_REQUEST'],
  ['SPAWNING', 'unreachable', 'UNABLE_TO_CHECK_STATUS'],
  ['SPAWNING', 'creating', undefined],
  ['FULFILLED', 'ready', undefined],
  ['FULFILLED', 'busy', undefined],
  ['FULFILLED', 'gone', 'FAILED_AFTER_SUCCESSFUL_REQUEST'],
  ['FULFILLED', 'stopped', 'STOPPED'],
  ['FULFILLED', 'pause', 'PAUSING'],
  ['FULFILLED', 'resume', undefined],
  ['UNABLE_TO_CHECK_STATUS', 'unreachable', undefined],
  ['UNABLE_TO_CHECK_STATUS', 'ready', 'FULFILLED'],
  ['UNABLE_TO_CHECK_STATUS', 'creating', 'SPAWNING'],
  ['UNABLE_TO_CHECK_STATUS', 'paused', 'PAUSED'],
  ['FAILED_AFTER_SUCCESSFUL_REQUEST', 'ready', 'FULFILLED'],
  ['FAILED_AFTER_SUCCESSFUL_REQUEST', 'unreachable', undefined],
  ['FAILED_ON_REQUEST', 'ready', undefined],
  ['PAUSING', 'paused', 'PAUSED'],
  ['PAUSING', 'ready', undefined],
  ['PAUSING', 'pause', undefined],
  ['PAUSED', 'resume', 'RESUMING'],
  ['PAUSED', 'ready', 'FULFILLED'],
  ['HIBERNATING', 'hibernated', 'HIBERNATED'],
  ['STOPPING', 'stopped', 'STOPPED'],
  ['RESUMING', 'ready', 'FULFILLED'],
  ['RESUMING', 'paused', undefined],
  ['ASSIGNED_FOR_DELETION', 'deletionAccepted', 'CHECKING_DELETION'],
  ['ASSIGNED_FOR_DELETION', 'delete', undefined],
  ['CHECKING_DELETION', 'deleted', 'CLOSED'],
  ['CHECKING_DELETION', 'ready', undefined],
  ['CLOSED', 'delete', undefined],
]

for (const [from, event, to] of table) {
  test(`${event} moves ${from} to ${to ?? 'no other state'}`, () => {
    assert.equal(nextState(from, event), to)
  })
}

test('every state but the deletion states and CLOSED can be deleted', () => {
  for (const state of orderStates) {
    assert.equal(
      nextState(state, 'delete') === 'ASSIGNED_FOR_DELETION',
      !isBeingDeleted(state),
      state,
    )
  }
})

test('silence of a cloud never leads to a failed or deleted state', () => {
  for (const state of orderStates) {
    const next = nextState(state, 'unreachable')
    assert.ok(
      next === undefined || next === 'UNABLE_TO_CHECK_STATUS',
      `${state} would become ${next}`,
    )
  }
})

test('every state can be reached, and is shown to users', () => {
  const reached = new Set(Object.values(transitions).flatMap((row) => Object.values(row)))
  for (const state of orderStates) {
    assert.ok(
      state === 'OPEN' || state === 'PENDING' || reached.has(state),
      `${state} cannot be reached`,
    )
    assert.ok(shownAs[state], `${state} is shown as nothing`)
  }
})

test('an instance that is seen ready again brings its order back from every observed state that awaits nothing else', () => {
  const waiting: OrderState[] = ['PAUSING', 'HIBERNATING', 'STOPPING']
  for (const state of orderStates.filter(isObserved)) {
    if (waiting.includes(state) || state === 'FULFILLED') continue
    assert.equal(nextState(state, 'ready'), 'FULFILLED', state)
  }
})

test('whatever is unsettled after a start has a processor that takes it up', () => {
  for (const state of unsettledStates) {
    if (state !== 'PENDING') assert.ok(processors[state], `${state} would be stuck`)
    assert.ok(memberProcessors[state], `${state} would be stuck at another member`)
  }
})

test('every state that a plugin can report is either an event or says nothing', () => {
  const silent = instanceStates.filter((state) => eventOf(state) === undefined)
  assert.deepEqual(silent, ['DELETING', 'UNKNOWN'])
})
