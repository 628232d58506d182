import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watchLiveness } from './liveness.ts'
import { createManualClock } from './testing/manual-clock.ts'

function watch() {
  const clock = createManualClock()
  const seen: string[] = []
  const liveness = watchLiveness(
    clock,
    { pingAfterMs: 10_000, silenceMs: 5_000 },
    () => seen.push('ping'),
    () => seen.push('dead'),
  )
  return { clock, seen, liveness }
}

test('a server that stays silent is asked once and then counts as gone', () => {
  const { clock, seen } = watch()
  clock.advance(9_999)
  assert.deepEqual(seen, [])
  clock.advance(1)
  assert.deepEqual(seen, ['ping'])
  clock.advance(4_999)
  assert.deepEqual(seen, ['ping'])
  clock.advance(1)
  assert.deepEqual(seen, ['ping', 'dead'])
  assert.deepEqual(clock.pending(), [])
})

test('anything that is heard puts off the question, and answers it', () => {
  const { clock, seen, liveness } = watch()
  for (let n = 0; n < 10; n += 1) {
    clock.advance(9_000)
    liveness.heard()
  }
  assert.deepEqual(seen, [])
  clock.advance(10_000)
  assert.deepEqual(seen, ['ping'])
  liveness.heard()
  clock.advance(9_999)
  assert.deepEqual(seen, ['ping'])
  clock.advance(5_000)
  assert.deepEqual(seen, ['ping', 'ping'])
})

test('a clock that is set back neither hides a dead link nor breaks a living one', () => {
  const { clock, seen, liveness } = watch()
  clock.set(-3_600_000)
  clock.advance(10_000)
  clock.advance(10_000)
  assert.deepEqual(seen, ['ping'])
  clock.set(-3_600_000)
  liveness.heard()
  clock.advance(5_000)
  assert.deepEqual(seen, ['ping'])
  clock.advance(25_000)
  assert.deepEqual(seen, ['ping', 'ping', 'dead'])
})

test('nothing happens after the end', () => {
  const { clock, seen, liveness } = watch()
  liveness.stop()
  clock.advance(60_000)
  assert.deepEqual(seen, [])
})
