import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../fixtures/manual-clock.ts'
import { createDeadlines } from './deadlines.ts'

function start() {
  const clock = createManualClock()
  const deadlines = createDeadlines(clock)
  const reached: string[] = []
  const add = (name: string, ms: number) => deadlines.add(ms, () => reached.push(name))
  return { clock, deadlines, reached, add }
}

test('deadlines are reached in the order of their time, whatever that of their making', () => {
  const { clock, reached, add } = start()
  add('late', 300)
  add('early', 100)
  add('middle', 200)
  clock.advance(99)
  assert.deepEqual(reached, [])
  clock.advance(1)
  assert.deepEqual(reached, ['early'])
  clock.advance(1000)
  assert.deepEqual(reached, ['early', 'middle', 'late'])
  assert.equal(clock.next, undefined)
})

test('a deadline that is removed is not reached, and the timer is not set again for nothing', () => {
  const { clock, deadlines, reached, add } = start()
  deadlines.remove(add('gone', 100))
  assert.equal(clock.next, 100)
  clock.advance(100)
  assert.deepEqual(reached, [])
  assert.equal(clock.next, undefined)
})

test('many calls in a row share one timer', () => {
  const { clock, deadlines, reached, add } = start()
  for (let call = 0; call < 10; call++) {
    deadlines.remove(add(`call ${call}`, 100))
    clock.advance(10)
  }
  add('last', 100)
  clock.advance(99)
  assert.deepEqual(reached, [])
  clock.advance(1)
  assert.deepEqual(reached, ['last'])
})

test('nothing is due after the stop', () => {
  const { clock, deadlines, reached, add } = start()
  add('before', 100)
  deadlines.stop()
  add('after', 100)
  assert.equal(clock.next, undefined)
  clock.advance(1000)
  assert.deepEqual(reached, [])
})
