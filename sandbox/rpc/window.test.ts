import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createReceivingWindow, createSendingWindow } from './window.ts'

const large = 'x'.repeat(300_000)

test('a sender whose receiver deals with nothing is held back, and goes on in order', () => {
  const sent: string[] = []
  const window = createSendingWindow((text) => sent.push(text))
  const texts = Array.from({ length: 10 }, (_, at) => `${at}${large}`)
  for (const text of texts) window.send(text)
  assert.deepEqual(sent, texts.slice(0, 2))
  window.confirm(600_002)
  assert.deepEqual(sent, texts.slice(0, 4))
  for (let round = 0; round < 3; round++) window.confirm(600_002)
  assert.deepEqual(sent, texts)
})

test('a text beyond the window is sent whole, and short ones do not overtake what waits', () => {
  const sent: number[] = []
  const window = createSendingWindow((text) => sent.push(text.length))
  window.send('x'.repeat(4_000_000))
  window.send(large)
  window.send('short')
  assert.deepEqual(sent, [4_000_000])
  window.confirm(4_000_000)
  assert.deepEqual(sent, [4_000_000, 300_000, 5])
})

test('a receiver confirms in portions, and not before everything else had its turn', async () => {
  const confirmed: number[] = []
  const received = createReceivingWindow((characters) => confirmed.push(characters))
  received(1000)
  await turn()
  assert.deepEqual(confirmed, [])
  received(300_000)
  received(300_000)
  assert.deepEqual(confirmed, [])
  await turn()
  assert.deepEqual(confirmed, [601_000])
})

test('a receiver tells a sender that does not wait from one that sends a text beyond the window', async () => {
  const received = createReceivingWindow(() => {})
  assert.equal(received(4_000_000), true)
  assert.equal(received(1), false)
  await turn()
  assert.equal(received(1), true)
})

test('what was sent is not kept, though something always waits', { timeout: 60_000 }, () => {
  const window = createSendingWindow(() => {})
  const before = process.memoryUsage().external + process.memoryUsage().heapUsed
  for (let at = 0; at < 50; at++) window.send(`${at}${large}`)
  for (let at = 0; at < 2000; at++) {
    window.send(Buffer.alloc(300_000, at).toString('latin1'))
    window.confirm(300_000)
  }
  const grown = process.memoryUsage().external + process.memoryUsage().heapUsed - before
  assert.ok(grown < 300_000_000, `${grown} bytes`)
})
