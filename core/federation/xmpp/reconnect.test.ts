import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReconnect } from './reconnect.ts'
import { createManualClock } from './testing/manual-clock.ts'

const options = {
  firstMs: 500,
  longestMs: 10_000,
  firstRefusedMs: 60_000,
  longestRefusedMs: 600_000,
  stableMs: 10_000,
}

test('pauses double up to a limit', () => {
  const reconnect = createReconnect(createManualClock(), options)
  const pauses = Array.from({ length: 7 }, () => reconnect.pauseMs('unreachable'))
  assert.deepEqual(pauses, [500, 1000, 2000, 4000, 8000, 10_000, 10_000])
})

test('chance takes off up to half of a pause', () => {
  const clock = createManualClock()
  clock.chance = 0.999
  const pause = createReconnect(clock, options).pauseMs('closed')
  assert.ok(pause >= 250 && pause < 255, String(pause))
})

test('who is refused waits long, and longer each time', () => {
  for (const condition of ['conflict', 'not-authorized', 'host-unknown']) {
    const reconnect = createReconnect(createManualClock(), options)
    const pauses = Array.from({ length: 5 }, () => reconnect.pauseMs(condition))
    assert.deepEqual(pauses, [60_000, 120_000, 240_000, 480_000, 600_000])
  }
})

test('only a link that held for a while makes the first pause short again', () => {
  const clock = createManualClock()
  const reconnect = createReconnect(clock, options)
  for (let n = 0; n < 4; n += 1) reconnect.pauseMs('closed')
  reconnect.online()
  clock.advance(9_999)
  assert.equal(reconnect.pauseMs('closed'), 8_000)
  reconnect.online()
  clock.advance(10_000)
  assert.equal(reconnect.pauseMs('closed'), 500)
})
