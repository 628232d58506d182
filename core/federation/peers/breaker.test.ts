import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { createManualClock, type ManualClock } from '../xmpp/testing/manual-clock.ts'
import { type Breaker, createBreaker } from './breaker.ts'

let clock: ManualClock
let breaker: Breaker
beforeEach(() => {
  clock = createManualClock()
  clock.chance = 1
  breaker = createBreaker(clock)
})

const fail = (times: number) => {
  for (let n = 0; n < times; n += 1) breaker.failed()
}

test('it opens after five failures in a row, not after five in all', () => {
  fail(4)
  assert.equal(breaker.succeeded(), false)
  fail(4)
  assert.equal(breaker.admit(), true)
  fail(1)
  assert.deepEqual([breaker.state, breaker.admit()], ['open', false])
})

test('half-open it lets one request through at a time, and closes when that one succeeds', () => {
  fail(5)
  clock.advance(2000)
  assert.equal(breaker.state, 'half-open')
  assert.deepEqual([breaker.admit(), breaker.admit()], [true, false])
  breaker.undecided()
  assert.deepEqual([breaker.admit(), breaker.admit()], [true, false])
  assert.equal(breaker.succeeded(), true)
  assert.deepEqual([breaker.state, breaker.admit(), breaker.admit()], ['closed', true, true])
})

test('each failure of a probe doubles the pause, up to a minute; failures that come late do not', () => {
  fail(5)
  for (const pause of [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
    fail(3)
    clock.advance(pause - 1)
    assert.equal(breaker.admit(), false, `${pause}`)
    clock.advance(1)
    assert.equal(breaker.admit(), true, `${pause}`)
    breaker.failed()
  }
})
