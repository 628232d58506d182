import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { CloudConnector } from '../cloud-connector.ts'
import type { Order } from '../order.ts'
import type { OrderState } from '../states.ts'
import { timing } from '../testing/bench.ts'
import { NOW, orderAt } from '../testing/order-at.ts'
import { processors } from './index.ts'

const fresh = orderAt('site-a', {
  instanceId: 'vm-1',
  requestOutcome: 'known',
  requestUntil: NOW + 150_000,
})

/** A cloud that fails the test when it is asked something that was not expected. */
const untouched: CloudConnector = {
  requestInstance: () => assert.fail('requestInstance'),
  getInstance: () => assert.fail('getInstance'),
  deleteInstance: () => assert.fail('deleteInstance'),
  act: () => assert.fail('act'),
}

function look(state: OrderState, cloud: Partial<CloudConnector> = {}, order: Partial<Order> = {}) {
  const processor = processors[state]
  assert.ok(processor, `${state} has a processor`)
  const connector = { ...untouched, ...cloud }
  const bench = { connector, timing, now: () => NOW, random: () => 0.5 }
  return processor({ ...fresh, state, ...order }, bench)
}

const answers = (state: string, more = {}) => ({
  getInstance: async () => ({ state, cloudState: state.toLowerCase(), ...more }),
})
const fails =
  (code: ConstructorParameters<typeof FogbowError>[0], message = 'sorry') =>
  async () => {
    throw new FogbowError(code, message)
  }
const refusals = ['quota_exceeded', 'invalid_parameter', 'unacceptable_operation'] as const
const troubles = [
  'unavailable_provider',
  'timeout',
  'plugin_failure',
  'internal_error',
  'too_many_requests',
  'unauthenticated',
  'configuration_error',
] as const

test('the cloud is not asked before it is stored that it will be', async () => {
  const step = await look('OPEN')
  assert.equal(step.to, 'SELECTED')
  assert.deepEqual(step.facts, { requestOutcome: 'unknown', requestUntil: NOW + 150_000 })
})

test('an order that may go anywhere is let go by a cloud only once an earlier attempt can come to nothing', async () => {
  const elsewhere = { provider: 'site-b', cloudName: '' }
  const bench = {
    connector: { ...untouched, requestInstance: fails('quota_exceeded', 'no room') },
    timing,
    now: () => NOW,
    random: () => 0.5,
    placeElsewhere: async () => ({ to: 'next' as const, place: elsewhere, considered: [] }),
  }
  const order = { ...fresh, considered: [], requestOutcome: 'unknown' as const }
  const doubtful = await processors.SELECTED?.({ ...order, state: 'SELECTED', attempts: 1 }, bench)
  assert.equal(doubtful?.to, 'OPEN')
  assert.equal(doubtful?.facts?.provider, undefined, 'it stays where it is')
  assert.equal(doubtful?.facts?.requestUntil, NOW + timing.settleMs)
  const waiting = await processors.OPEN?.({ ...order, requestUntil: NOW + 7 }, bench)
  assert.deepEqual(waiting, { dueInMs: 7 })
  const sure = await processors.SELECTED?.({ ...order, state: 'SELECTED' }, bench)
  assert.deepEqual([sure?.to, sure?.facts?.provider], ['OPEN', 'site-b'])
})

test('a request covered by too old a note is noted anew before the cloud is asked', async () => {
  const step = await look('SELECTED', {}, { requestUntil: NOW + 1000 })
  assert.equal(step.to, undefined)
  assert.equal(step.facts?.requestUntil, NOW + 150_000)
  assert.equal(step.dueInMs, 0)
})

test('an accepted request keeps instance and allocation and looks at once', async () => {
  const requestInstance = async () => ({ instanceId: 'vm-9', allocation: { vCPU: 2 } })
  const step = await look('SELECTED', { requestInstance })
  assert.equal(step.to, 'SPAWNING')
  assert.deepEqual(step.facts, {
    instanceId: 'vm-9',
    requestOutcome: 'known',
    allocation: { vCPU: 2 },
  })
  assert.equal(step.dueInMs, 0)
})

test('only a refusal fails a request; after anything else it is repeated, later each time', async () => {
  for (const code of refusals) {
    const step = await look('SELECTED', { requestInstance: fails(code, 'no room') })
    assert.equal(step.to, 'FAILED_ON_REQUEST', code)
    assert.equal(step.faultMessage, 'no room')
    assert.equal(step.dueInMs, null)
  }
  for (const code of troubles) {
    const first = await look('SELECTED', { requestInstance: fails(code) })
    assert.equal(first.to, undefined, code)
    assert.equal(first.dueInMs, 1000)
    assert.match(first.faultMessage ?? '', /trying again: sorry/)
    const tenth = await look('SELECTED', { requestInstance: fails(code) }, { attempts: 9 })
    assert.equal(tenth.dueInMs, 120_000)
  }
})

test('who asks for a pause is not asked again before it is over, whatever was asked of him', async () => {
  const busy = (retryAfterSeconds: unknown) => async () => {
    const details = { retryAfterSeconds } as { retryAfterSeconds: number }
    throw new FogbowError('too_many_requests', 'not now', { details })
  }
  const pauses = async (seconds: unknown, attempts = 0) => {
    const fail = busy(seconds)
    const deaf = { getInstance: fail, act: fail }
    const inDoubt = { requestOutcome: 'unknown', requestUntil: NOW } as const
    const steps = await Promise.all([
      look('SELECTED', { requestInstance: fail }, { attempts }),
      look('SPAWNING', deaf, { attempts }),
      look('FULFILLED', deaf, { attempts }),
      look('PAUSING', deaf, { attempts }),
      look('ASSIGNED_FOR_DELETION', { deleteInstance: fail }, { attempts }),
      look('CHECKING_DELETION', deaf, { attempts }),
      look('CHECKING_DELETION', { deleteInstance: fail }, { ...inDoubt, attempts }),
    ])
    return [...new Set(steps.map(({ dueInMs }) => dueInMs))]
  }
  assert.deepEqual(await pauses(40), [44_000], 'and not all at the same moment')
  assert.deepEqual(await pauses(1, 5), [32_000], 'the own pause is longer')
  assert.deepEqual(await pauses(1e9), [3_960_000], 'an order is not put off for ever')
  for (const nonsense of [-5, 0, Number.NaN, '40', null, {}])
    assert.deepEqual(await pauses(nonsense), [1000], String(nonsense))
})

test('an instance puts its order where the cloud says it is, and is stored', async () => {
  const goals: [OrderState, string, OrderState | undefined][] = [
    ['SPAWNING', 'READY', 'FULFILLED'],
    ['SPAWNING', 'CREATING', undefined],
    ['SPAWNING', 'FAILED', 'FAILED_AFTER_SUCCESSFUL_REQUEST'],
    ['FULFILLED', 'STOPPED', 'STOPPED'],
    ['FULFILLED', 'BUSY', undefined],
    ['FULFILLED', 'UNKNOWN', undefined],
    ['UNABLE_TO_CHECK_STATUS', 'READY', 'FULFILLED'],
    ['UNABLE_TO_CHECK_STATUS', 'CREATING', 'SPAWNING'],
    ['FAILED_AFTER_SUCCESSFUL_REQUEST', 'READY', 'FULFILLED'],
    ['PAUSED', 'READY', 'FULFILLED'],
  ]
  for (const [state, reported, expected] of goals) {
    const step = await look(state, answers(reported))
    assert.equal(step.to, expected, `${state}, ${reported}`)
    assert.equal(step.facts?.observedAt, NOW)
    assert.equal(step.facts?.instance?.state, reported)
  }
})

test('a cloud that does not answer never fails an order; the reason is shown and it is asked again', async () => {
  for (const code of troubles) {
    const step = await look('FULFILLED', { getInstance: fails(code, 'connection refused') })
    assert.equal(step.to, 'UNABLE_TO_CHECK_STATUS', code)
    assert.equal(step.faultMessage, 'connection refused')
    const waiting = await look(
      'UNABLE_TO_CHECK_STATUS',
      { getInstance: fails(code) },
      { attempts: 3 },
    )
    assert.equal(waiting.to, undefined)
    assert.equal(waiting.dueInMs, 8000)
  }
})

test('a failed instance says why, in the words of the cloud or of its state', async () => {
  const said = await look('SPAWNING', answers('FAILED', { faultMessage: 'no host suits' }))
  assert.equal(said.faultMessage, 'no host suits')
  const silent = await look('SPAWNING', answers('FAILED'))
  assert.equal(silent.faultMessage, 'the cloud reports failed')
  const gone = await look('FULFILLED', { getInstance: fails('instance_not_found', 'no vm-1') })
  assert.equal(gone.to, 'FAILED_AFTER_SUCCESSFUL_REQUEST')
  assert.equal(gone.faultMessage, 'Gone from the cloud: no vm-1')
})

test('looks at something ready become rare, looks at something being created do not', async () => {
  const pauses = await Promise.all(
    [0, 1, 20].map(
      async (attempts) => (await look('FULFILLED', answers('READY'), { attempts })).dueInMs,
    ),
  )
  assert.deepEqual(pauses, [30_000, 60_000, 3_600_000])
  const spawning = await look('SPAWNING', answers('CREATING'), { attempts: 20 })
  assert.equal(spawning.dueInMs, 10_000)
})

test('an order that was never requested closes without any call to the cloud', async () => {
  const step = await look('ASSIGNED_FOR_DELETION', {}, { requestOutcome: 'never asked' })
  assert.equal(step.to, 'CLOSED')
})

test('deletion is asked for again, later each time, and says why it takes', async () => {
  const step = await look(
    'ASSIGNED_FOR_DELETION',
    { deleteInstance: fails('timeout') },
    { attempts: 2 },
  )
  assert.equal(step.to, undefined)
  assert.equal(step.dueInMs, 4000)
  assert.match(step.faultMessage ?? '', /Not deleted yet, trying again: sorry/)
  const refused = await look('ASSIGNED_FOR_DELETION', {
    deleteInstance: fails('unacceptable_operation', 'in use'),
  })
  assert.match(refused.faultMessage ?? '', /in use/)
})

test('deletion of something gone counts as accepted', async () => {
  for (const deleteInstance of [async () => {}, fails('instance_not_found')]) {
    const step = await look('ASSIGNED_FOR_DELETION', { deleteInstance })
    assert.equal(step.to, 'CHECKING_DELETION')
  }
})

test('what a cloud cannot make at all need not go away, but what it made has to', async () => {
  const fail = fails('not_implemented', 'no volumes here')
  const cloud = { deleteInstance: fail, getInstance: fail }
  const nothing = { instanceId: null, requestOutcome: 'unknown', requestUntil: NOW } as const
  assert.equal((await look('ASSIGNED_FOR_DELETION', cloud, nothing)).to, 'CHECKING_DELETION')
  assert.equal((await look('CHECKING_DELETION', cloud, nothing)).to, 'CLOSED')
  for (const state of ['ASSIGNED_FOR_DELETION', 'CHECKING_DELETION'] as const)
    assert.equal((await look(state, cloud)).to, undefined, state)
})

test("an order closes when its instance is seen to be gone, never on the cloud's word alone", async () => {
  const gone = await look('CHECKING_DELETION', { getInstance: fails('instance_not_found') })
  assert.equal(gone.to, 'CLOSED')
  for (const cloud of [answers('DELETING'), answers('READY'), { getInstance: fails('timeout') }]) {
    const step = await look('CHECKING_DELETION', cloud)
    assert.equal(step.to, undefined)
    assert.ok((step.dueInMs ?? 0) > 0)
  }
})

test('an instance that will not go is asked to again after some looks', async () => {
  let asked = 0
  const deleteInstance = async () => {
    asked += 1
  }
  for (let attempts = 0; attempts < 20; attempts += 1)
    await look('CHECKING_DELETION', { ...answers('READY'), deleteInstance }, { attempts })
  assert.equal(asked, 2)
})

test('while an unanswered request may still take effect its order does not close', async () => {
  const order = { requestOutcome: 'unknown', requestUntil: NOW + 5000 } as const
  const waiting = await look('CHECKING_DELETION', {}, order)
  assert.equal(waiting.to, undefined)
  assert.equal(waiting.dueInMs, 5000)
  let deleted = 0
  const cloud = {
    getInstance: fails('instance_not_found'),
    deleteInstance: async () => {
      deleted += 1
    },
  }
  const later = await look('CHECKING_DELETION', cloud, { ...order, requestUntil: NOW })
  assert.equal(later.to, 'CLOSED')
  assert.equal(deleted, 1, 'whatever was made meanwhile is deleted first')
})

test('a power action is asked for once and then watched until the cloud got there', async () => {
  const asked: string[] = []
  const act = async (_order: Order, method: string) => void asked.push(method)
  const step = await look('HIBERNATING', { act })
  assert.deepEqual(asked, ['hibernateInstance'])
  assert.equal(step.counts, true)
  assert.equal((await look('HIBERNATING', answers('BUSY'), { attempts: 1 })).to, undefined)
  assert.equal((await look('HIBERNATING', answers('HIBERNATED'), { attempts: 1 })).to, 'HIBERNATED')
})

test('an action that the cloud refuses leaves the order where the cloud reports it, with the reason', async () => {
  const act = fails('unacceptable_operation', 'cannot pause now')
  const step = await look('PAUSING', { act, ...answers('READY') })
  assert.equal(step.to, 'FULFILLED')
  assert.equal(step.faultMessage, 'cannot pause now')
})

test('an action whose outcome is open is asked for again, and given up after its limit', async () => {
  const again = await look('STOPPING', { act: fails('timeout') })
  assert.equal(again.to, undefined)
  assert.match(again.faultMessage ?? '', /Trying again: sorry/)
  const late = { stateSince: NOW - 600_001, attempts: 1 }
  const over = await look('STOPPING', answers('READY'), late)
  assert.equal(over.to, 'FULFILLED')
  assert.match(over.faultMessage ?? '', /did not finish STOPPING in time/)
  const unseen = await look('STOPPING', { getInstance: fails('timeout') }, late)
  assert.equal(unseen.to, 'UNABLE_TO_CHECK_STATUS')
})
