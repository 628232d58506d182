import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { FogbowError } from '@fogbow/plugin-sdk'
import { createManualClock } from '../fixtures/manual-clock.ts'
import type { ByteSink, HostCall } from '../sandbox.ts'
import { createDeadlines } from './deadlines.ts'
import { createStreamTable } from './host-streams.ts'
import { longestChunk } from './stream-ends.ts'

function createTable() {
  const clock = createManualClock()
  const table = createStreamTable(createDeadlines(clock), clock)
  const controller = new AbortController()
  const call: HostCall = {
    signal: controller.signal,
    streams: table.streamsFor(controller.signal),
  }
  const ask = async (method: string, ...args: unknown[]) =>
    table.methods[`stream.${method}`]?.(args, call)
  return { clock, table, streams: call.streams, ask, giveUp: () => controller.abort() }
}

/** A source that notes what is done to it; its chunks come when they are asked for. */
function notedSource(chunks: readonly Uint8Array[], failure?: Error) {
  const noted = { pulled: 0, returned: 0 }
  const source: AsyncIterableIterator<Uint8Array> = {
    async next() {
      const value = chunks[noted.pulled++]
      if (!value && failure) throw failure
      return value ? { done: false, value } : { done: true, value: undefined }
    },
    async return() {
      noted.returned++
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => source,
  }
  return { source, noted }
}

function notedSink() {
  const noted: string[] = []
  const sink: ByteSink = {
    write: async (chunk) => {
      await nextTurn()
      noted.push(Buffer.from(chunk).toString())
    },
    close: async () => void noted.push('closed'),
    abort: (reason) => void noted.push(`aborted: ${reason.message}`),
  }
  return { sink, noted }
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
const endless: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
}

test('a source is asked for one chunk by each read, and its end is told once', async () => {
  const { streams, ask } = createTable()
  const { source, noted } = notedSource([Buffer.from('one'), Buffer.from(''), Buffer.from('two')])
  const id = streams.offer(source)
  await nextTurn()
  assert.equal(noted.pulled, 0)
  assert.equal(await ask('read', id), base64('one'))
  await nextTurn()
  assert.equal(noted.pulled, 1)
  assert.equal(await ask('read', id), base64('two'))
  assert.equal(await ask('read', id), null)
  await assert.rejects(ask('read', id), { code: 'invalid_parameter' })
  assert.equal(noted.returned, 0)
})

test('a chunk that is too long is split, not refused', async () => {
  const { streams, ask } = createTable()
  const { source, noted } = notedSource([Buffer.alloc(longestChunk + 10, 'x')])
  const id = streams.offer(source)
  assert.equal(((await ask('read', id)) as string).length, Math.ceil(longestChunk / 3) * 4)
  assert.equal(await ask('read', id), base64('x'.repeat(10)))
  assert.equal(noted.pulled, 1)
})

test('an error of a source reaches the reader, and the stream is over', async () => {
  const { streams, ask } = createTable()
  const failure = new FogbowError('unavailable_provider', 'the cloud hung up')
  const id = streams.offer(notedSource([], failure).source)
  await assert.rejects(ask('read', id), failure)
  await assert.rejects(ask('read', id), { code: 'invalid_parameter' })
})

test('giving a stream up ends the read that is pending and returns the source', async () => {
  const { streams, ask } = createTable()
  let returned = 0
  const id = streams.offer({
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: async () => {
        returned++
        throw new Error('of no interest')
      },
    }),
  })
  const read = ask('read', id)
  await assert.rejects(ask('read', id), { code: 'invalid_parameter', message: /already/ })
  await ask('cancel', id)
  assert.equal(await read, null)
  assert.equal(returned, 1)
  await ask('cancel', id)
  assert.equal(returned, 1)
})

test('a sink is written one chunk at a time, and closed', async () => {
  const { streams, ask } = createTable()
  const { sink, noted } = notedSink()
  const id = streams.receive(sink)
  const first = ask('write', id, base64('one'))
  await assert.rejects(ask('write', id, base64('two')), { message: /already/ })
  await assert.rejects(ask('close', id), { message: /already/ })
  await first
  await ask('write', id, '')
  await ask('close', id)
  assert.deepEqual(noted, ['one', '', 'closed'])
  await assert.rejects(ask('write', id, base64('late')), { code: 'invalid_parameter' })
})

test('an error of a sink reaches the writer, and the stream is over', async () => {
  const { streams, ask } = createTable()
  const failure = new FogbowError('unavailable_provider', 'reset by peer')
  const id = streams.receive({ ...notedSink().sink, write: () => Promise.reject(failure) })
  await assert.rejects(ask('write', id, base64('x')), failure)
  await assert.rejects(ask('write', id, base64('x')), { code: 'invalid_parameter' })
})

test('an upload is taken once, and each write lasts until its chunk is taken', async () => {
  const { streams, ask } = createTable()
  const id = await ask('open')
  let written = 0
  const writing = (async () => {
    for (const text of ['one', 'two', 'three']) {
      await ask('write', id, base64(text))
      written++
    }
    await ask('close', id)
  })()
  await nextTurn()
  assert.equal(written, 0)
  const chunks = streams.take(id)[Symbol.asyncIterator]()
  assert.throws(() => streams.take(id), { code: 'invalid_parameter' })
  assert.deepEqual(Buffer.from((await chunks.next()).value).toString(), 'one')
  await nextTurn()
  assert.equal(written, 1)
  assert.deepEqual(Buffer.from((await chunks.next()).value).toString(), 'two')
  assert.deepEqual(Buffer.from((await chunks.next()).value).toString(), 'three')
  assert.equal((await chunks.next()).done, true)
  await writing
})

test('when the host reads no more of an upload, the plugin learns of it', async () => {
  const { streams, ask } = createTable()
  const id = await ask('open')
  const first = ask('write', id, base64('one'))
  for await (const chunk of streams.take(id)) {
    assert.equal(Buffer.from(chunk).toString(), 'one')
    break
  }
  await first
  await assert.rejects(ask('write', id, base64('two')), { code: 'invalid_parameter' })
})

test('a plugin that gives up its upload fails whoever reads it', async () => {
  const { streams, ask } = createTable()
  const id = await ask('open')
  const reading = streams.take(id)[Symbol.asyncIterator]().next()
  await ask('cancel', id)
  await assert.rejects(reading, { code: 'timeout' })
})

test('an upload that nobody takes ends after a minute, one that was taken does not', async () => {
  const { clock, streams, ask } = createTable()
  const abandoned = await ask('open')
  const taken = await ask('open')
  const writing = ask('write', abandoned, base64('x'))
  const chunks = streams.take(taken)[Symbol.asyncIterator]()
  clock.advance(60_000)
  await assert.rejects(writing, { code: 'timeout' })
  assert.throws(() => streams.take(abandoned), { code: 'invalid_parameter' })
  const next = chunks.next()
  await ask('write', taken, base64('y'))
  assert.equal((await next).done, false)
})

test('a stream that the host released ends for the reader and touches nothing', async () => {
  const { streams, ask } = createTable()
  const { sink, noted } = notedSink()
  const readable = streams.offer(endless)
  const writable = streams.receive(sink)
  const read = ask('read', readable)
  streams.release(readable)
  streams.release(writable)
  assert.equal(await read, null)
  await assert.rejects(ask('write', writable, base64('x')), { code: 'invalid_parameter' })
  assert.deepEqual(noted, [])
})

test('no more than 256 streams are open; what does not fit is ended, and a place is free again', async () => {
  const { streams, ask } = createTable()
  const ids: unknown[] = []
  for (let n = 0; n < 256; n++) ids.push(await ask('open'))
  const { source, noted } = notedSource([])
  const { sink, noted: sinkNoted } = notedSink()
  assert.throws(() => streams.offer(source), { code: 'too_many_requests' })
  assert.throws(() => streams.receive(sink), { code: 'too_many_requests' })
  await assert.rejects(ask('open'), { code: 'too_many_requests' })
  assert.equal(noted.returned, 1)
  assert.match(sinkNoted[0] ?? '', /^aborted/)
  await ask('cancel', ids[0])
  assert.equal(typeof streams.offer(endless), 'number')
})

test('when there is no room, the source that was left alone for longest makes some', async () => {
  const { clock, streams, ask } = createTable()
  const { source, noted } = notedSource([])
  const { source: other, noted: otherNoted } = notedSource([Buffer.from('x')])
  const read = streams.offer(endless)
  void ask('read', read)
  const forgotten = streams.offer(source)
  clock.advance(1000)
  const idle = streams.offer(other)
  const { sink, noted: sinkNoted } = notedSink()
  for (let n = 3; n < 256; n++) streams.receive(sink)
  assert.throws(() => streams.offer(endless), { code: 'too_many_requests' })
  clock.advance(29_000)
  assert.equal(typeof streams.offer(endless), 'number')
  assert.equal(noted.returned, 1)
  await assert.rejects(ask('read', forgotten), { code: 'invalid_parameter' })
  assert.throws(() => streams.offer(endless), { code: 'too_many_requests' })
  assert.equal(await ask('read', idle), base64('x'))
  assert.deepEqual([otherNoted.returned, sinkNoted], [0, []])
})

test('the end of the sandbox returns sources, aborts sinks and fails whoever reads an upload', async () => {
  const { table, streams, ask } = createTable()
  const { source, noted } = notedSource([])
  const { sink, noted: sinkNoted } = notedSink()
  streams.offer(source)
  const pending = ask('read', streams.offer(endless))
  streams.receive(sink)
  const upload = streams
    .take(await ask('open'))
    [Symbol.asyncIterator]()
    .next()
  table.end(new FogbowError('plugin_failure', 'it was stopped'))
  assert.equal(noted.returned, 1)
  assert.equal(await pending, null)
  assert.deepEqual(sinkNoted, ['aborted: it was stopped'])
  await assert.rejects(upload, { code: 'plugin_failure', message: 'it was stopped' })
  const late = notedSource([])
  assert.throws(() => streams.offer(late.source), { code: 'plugin_failure' })
  assert.equal(late.noted.returned, 1)
})

test('streams made for a call that was given up are ended: the plugin never learns of them', async () => {
  const { streams, ask, giveUp } = createTable()
  const { source, noted } = notedSource([])
  const { sink, noted: sinkNoted } = notedSink()
  const id = streams.offer(source)
  giveUp()
  streams.receive(sink)
  assert.equal(noted.returned, 1)
  assert.match(sinkNoted[0] ?? '', /^aborted/)
  await assert.rejects(ask('read', id), { code: 'invalid_parameter' })
})

const oversize = Buffer.alloc(longestChunk + 1).toString('base64')
const garbage: [what: string, chunk: unknown][] = [
  ['no text', 7],
  ['a list', ['eHg=']],
  ['an object', { toString: () => 'eHg=' }],
  ['nothing', undefined],
  ['other characters', '!!!!'],
  ['a text that is cut off', 'eHh4e'],
  ['padding in the middle', 'eA==eA=='],
  ['more than a chunk', oversize],
]
for (const [what, chunk] of garbage) {
  test(`a chunk that is ${what} is refused and reaches no sink`, async () => {
    const { streams, ask } = createTable()
    const { sink, noted } = notedSink()
    const id = streams.receive(sink)
    await assert.rejects(ask('write', id, chunk), { code: 'invalid_parameter' })
    assert.deepEqual(noted, [])
    await ask('write', id, base64('fine'))
    assert.deepEqual(noted, ['fine'])
  })
}

const strangers: [what: string, id: unknown][] = [
  ['absent', undefined],
  ['null', null],
  ['a text', '1'],
  ['a list', [1]],
  ['an object', { valueOf: () => 1 }],
  ['another number', 999],
  ['a fraction', 1.5],
  ['not a number', Number.NaN],
  ['the name of a part of the language', 'constructor'],
]
for (const [what, id] of strangers) {
  test(`a number of a stream that is ${what} is refused by every method`, async () => {
    const { streams, ask } = createTable()
    streams.offer(endless)
    await assert.rejects(ask('read', id), { code: 'invalid_parameter' })
    await assert.rejects(ask('write', id, base64('x')), { code: 'invalid_parameter' })
    await assert.rejects(ask('close', id), { code: 'invalid_parameter' })
    assert.equal(await ask('cancel', id), undefined)
    assert.throws(() => streams.take(id), { code: 'invalid_parameter' })
  })
}

test('a stream is used in its own direction only', async () => {
  const { streams, ask } = createTable()
  const readable = streams.offer(endless)
  const writable = streams.receive(notedSink().sink)
  await assert.rejects(ask('write', readable, base64('x')), { code: 'invalid_parameter' })
  await assert.rejects(ask('close', readable), { code: 'invalid_parameter' })
  await assert.rejects(ask('read', writable), { code: 'invalid_parameter' })
  assert.throws(() => streams.take(readable), { code: 'invalid_parameter' })
  assert.throws(() => streams.take(writable), { code: 'invalid_parameter' })
})
