import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { pairedTransports } from '../fixtures/paired-transport.ts'
import { createOutbox } from './outbox.ts'

test('messages pushed where the stack ends do not hold up those that follow', async () => {
  const [near] = pairedTransports()
  const outbox = createOutbox(near)
  const deeper = (): void => {
    try {
      deeper()
    } finally {
      try {
        outbox.push('[3,1]')
      } catch {}
    }
  }
  assert.throws(deeper, RangeError)
  await turn()
  outbox.push('[3,2]')
  await turn()
  assert.match(near.sent.at(-1) ?? '', /\[3,2\]\]$/)
})
