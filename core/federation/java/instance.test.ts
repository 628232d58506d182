import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readInstance } from './instance.ts'

const compute = { vCPU: 1, ram: 2, disk: 3, cloudState: 'stopped', isReady: false }

test('an instance that is neither ready nor failed is what its state says, or unknown', () => {
  const states = [
    ['CREATING', 'CREATING'],
    ['BUSY', 'BUSY'],
    ['ERROR', 'FAILED'],
    ['INCONSISTENT', 'UNKNOWN'],
    ['constructor', 'UNKNOWN'],
    [undefined, 'UNKNOWN'],
  ]
  for (const [state, expected] of states)
    assert.equal(readInstance({ ...compute, state }, 'compute', {})?.state, expected)
})

test('networks that were ordered are left out, since they are shown from the order, and all others have a name', () => {
  const networks = [{ id: 'default' }, { id: 'order-1', name: 'mine' }, { name: 'no id' }, null]
  const instance = readInstance({ ...compute, networks }, 'compute', { networkIds: ['order-1'] })
  assert.deepEqual(instance?.networks, [{ id: 'default', name: 'default' }])
})

test('numbers and truths written as text are read', () => {
  const instance = readInstance({ ...compute, vCPU: '2.0', isReady: 'true' }, 'compute', {})
  assert.equal(instance?.vCPU, 2)
  assert.equal(instance?.state, 'READY')
})

test('an instance that cannot be one is refused by the name of its field', () => {
  assert.throws(() => readInstance({ ...compute, vCPU: -1 }, 'compute', {}), {
    code: 'invalid_parameter',
    message: /instance\.vCPU/,
  })
})
