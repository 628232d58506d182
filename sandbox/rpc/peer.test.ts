import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { FogbowError } from '@fogbow/plugin-sdk'
import { pairedTransports } from '../fixtures/paired-transport.ts'
import { createPeer, type PeerOptions } from './peer.ts'

function pair(
  serve: PeerOptions['serve'],
  near: Partial<PeerOptions> = {},
  far: Partial<PeerOptions> = {},
) {
  const [nearEnd, farEnd] = pairedTransports()
  const limits = {
    credit: 64,
    waiting: 64,
    served: 64,
    messageLength: 100_000,
    frameLength: 400_000,
  }
  const caller = createPeer({ ...limits, transport: nearEnd, serve: () => 'nothing', ...near })
  const callee = createPeer({ ...limits, transport: farEnd, serve, ...far })
  return { caller, callee, nearEnd, farEnd }
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)]
}

const echo: PeerOptions['serve'] = (_method, args) => args[0]

test('calls go both ways and answers come back to their callers', async () => {
  const { caller, callee } = pair((method, args) => `${method}:${args.join()}`)
  const answers = await Promise.all([
    caller.call('a', [1]).answer,
    caller.call('b', [2, 3]).answer,
    callee.call('c', []).answer,
  ])
  assert.deepEqual(answers, ['a:1', 'b:2,3', 'nothing'])
})

test('an answer of nothing arrives as undefined', async () => {
  const { caller } = pair(() => undefined)
  assert.equal(await caller.call('a', []).answer, undefined)
})

test('calls of one turn travel in one frame and in the order in which they were made', async () => {
  const seen: unknown[] = []
  const { caller, nearEnd, farEnd } = pair((_method, args) => seen.push(args[0]))
  await Promise.all(Array.from({ length: 50 }, (_, at) => caller.call('note', [at]).answer))
  assert.deepEqual(
    seen,
    Array.from({ length: 50 }, (_, at) => at),
  )
  assert.equal(nearEnd.sent.length, 1)
  assert.equal(farEnd.sent.length, 1)
})

test('a frame holds at most 64 messages', async () => {
  const { caller, nearEnd } = pair(echo, { credit: 200 }, { served: 200 })
  await Promise.all(Array.from({ length: 150 }, (_, at) => caller.call('echo', [at]).answer))
  assert.deepEqual(
    nearEnd.sent.map((frame) => JSON.parse(frame).length),
    [64, 64, 22],
  )
})

test('a large message travels alone and overtakes nothing', async () => {
  const seen: number[] = []
  const { caller, nearEnd } = pair((_method, args) => seen.push((args[0] as string).length))
  const calls = ['small', 'x'.repeat(5000), 'small'].map(
    (text) => caller.call('note', [text]).answer,
  )
  await Promise.all(calls)
  assert.deepEqual(seen, [5, 5000, 5])
  assert.equal(nearEnd.sent.length, 3)
})

test('an error keeps its code, message and details, and loses its stack', async () => {
  const { caller, farEnd } = pair(() => {
    throw new FogbowError('quota_exceeded', 'no more', { details: { field: 'vCPU' } })
  })
  await assert.rejects(caller.call('a', []).answer, {
    code: 'quota_exceeded',
    message: 'no more',
    details: { field: 'vCPU' },
  })
  assert.deepEqual(JSON.parse(farEnd.sent[0] ?? '')[0][2], {
    code: 'quota_exceeded',
    message: 'no more',
    details: { field: 'vCPU' },
  })
})

test('an error of 50 MB arrives as a short one', async () => {
  const { caller, farEnd } = pair(() => {
    throw new Error('x'.repeat(50_000_000))
  })
  await assert.rejects(caller.call('a', []).answer, { code: 'internal_error' })
  assert.ok((farEnd.sent[0] ?? '').length < 2000)
})

test('an answer that JSON cannot express is an error of that call alone', async () => {
  const { caller } = pair((_method, args) => (args[0] === 'loop' ? { n: 1n } : 'fine'))
  const [bad, good] = await Promise.allSettled([
    caller.call('a', ['loop']).answer,
    caller.call('a', ['ok']).answer,
  ])
  assert.equal(bad.status, 'rejected')
  assert.deepEqual(good, { status: 'fulfilled', value: 'fine' })
})

const unlucky = ['{"constructor":1}', '[{"a":{"__proto__":1}}]', JSON.stringify(nested(70))]
for (const text of unlucky) {
  test(`an unlucky value costs one call and not the channel: ${text.slice(0, 40)}`, async () => {
    const value: unknown = JSON.parse(text)
    const { caller } = pair((_method, args) => (args[0] === 'answer' ? value : 'fine'))
    await assert.rejects(caller.call('a', [value]).answer, { code: 'invalid_parameter' })
    await assert.rejects(caller.call('a', ['answer']).answer, { code: 'plugin_failure' })
    assert.equal(await caller.call('a', ['other']).answer, 'fine')
    assert.equal(caller.counts.inFlight, 0)
  })
}

test('an event with a key that names a part of the language is dropped', () => {
  const events: unknown[] = []
  const { nearEnd } = pair(echo, { onEvent: (_name, data) => events.push(data) })
  nearEnd.receive(
    '[[5,"x",{"__proto__":{"admin":true}}],[5,"x",{"\\u0070rototype":1}],[5,"x",{"fine":1}]]',
  )
  assert.deepEqual(events, [{ fine: 1 }])
})

test('arguments that are too long are refused before they are sent', async () => {
  const { caller, nearEnd } = pair(echo, { messageLength: 1000 })
  await assert.rejects(caller.call('a', ['x'.repeat(2000)]).answer, { code: 'payload_too_large' })
  assert.equal(nearEnd.sent.length, 0)
})

test('calls beyond the credit wait, and those beyond the queue are refused', async () => {
  const release: (() => void)[] = []
  const hold = () => new Promise<void>((resolve) => release.push(resolve))
  const { caller } = pair(hold, { credit: 2, waiting: 3 })
  const calls = Array.from({ length: 6 }, () => caller.call('hold', []).answer)
  const refused = assert.rejects(calls[5] as Promise<unknown>, { code: 'too_many_requests' })
  await turn()
  await turn()
  assert.equal(release.length, 2)
  assert.equal(caller.counts.waiting, 3)
  await refused
  while (caller.counts.inFlight > 0) {
    for (const end of release.splice(0)) end()
    await turn()
  }
  await Promise.all(calls.slice(0, 5))
})

test('a caller that ignores the credit is refused by the other side', async () => {
  const { caller } = pair(() => new Promise(() => {}), { credit: 100 }, { served: 10 })
  const calls = Array.from({ length: 11 }, () => caller.call('hold', []).answer)
  await assert.rejects(calls[10] as Promise<unknown>, { code: 'too_many_requests' })
})

test('credit that is granted later lets waiting calls go', async () => {
  const { caller, callee } = pair(echo, { credit: 0 }, { served: 0 })
  const call = caller.call('echo', ['late']).answer
  assert.equal(caller.counts.waiting, 1)
  callee.grant(1)
  assert.equal(await call, 'late')
})

test('an abandoned call is rejected at once, cancelled at the other side and its late answer is dropped', async () => {
  let cancelled = 0
  let answer: (value: string) => void = () => {}
  const { caller } = pair((_method, _args, call) => {
    call.onCancel(() => cancelled++)
    return new Promise((resolve) => {
      answer = resolve
    })
  })
  const call = caller.call('slow', [])
  await turn()
  await turn()
  call.abandon(new FogbowError('timeout', 'too late'))
  await assert.rejects(call.answer, { code: 'timeout', message: 'too late' })
  while (caller.counts.inFlight > 0) await turn()
  answer('late')
  await turn()
  assert.equal(cancelled, 1)
  assert.equal(caller.counts.unknownReplies, 0)
})

test('an abandoned call that still waited is never sent', async () => {
  const { caller, nearEnd } = pair(echo, { credit: 0 })
  const call = caller.call('never', [])
  call.abandon(new FogbowError('timeout', 'too late'))
  await assert.rejects(call.answer, { code: 'timeout' })
  await turn()
  assert.equal(nearEnd.sent.length, 0)
})

test('answers to calls that nobody made are dropped and counted', async () => {
  const { caller, nearEnd } = pair(echo)
  nearEnd.receive('[[1,77,"surprise"],[2,78,{"code":"timeout","message":"x"}]]')
  assert.equal(caller.counts.unknownReplies, 2)
  assert.equal(await caller.call('echo', ['still alive']).answer, 'still alive')
})

test('a call id that is used twice ends the channel', async () => {
  let ended: boolean | undefined
  const { callee, farEnd } = pair(
    () => new Promise(() => {}),
    {},
    { onEnd: (_error, protocol) => (ended = protocol) },
  )
  farEnd.receive('[[0,1,"a",[],0],[0,1,"a",[],0]]')
  assert.equal(ended, true)
  await assert.rejects(callee.call('x', []).answer, { code: 'plugin_failure' })
})

test('every pending and waiting call is rejected once when the channel dies', async () => {
  let cancelled = 0
  const hold: PeerOptions['serve'] = (_method, _args, call) => {
    call.onCancel(() => cancelled++)
    return new Promise(() => {})
  }
  const { caller, callee, nearEnd, farEnd } = pair(hold, { credit: 1 })
  const calls = [caller.call('a', []).answer, caller.call('b', []).answer]
  const settled = Promise.allSettled(calls)
  await turn()
  await turn()
  nearEnd.die('the other side is gone')
  farEnd.die('the other side is gone')
  for (const result of await settled) {
    assert.equal(result.status === 'rejected' && result.reason.message, 'the other side is gone')
  }
  assert.equal(cancelled, 1)
  assert.equal(callee.counts.served, 0)
  await assert.rejects(caller.call('c', []).answer, { message: 'the other side is gone' })
})

const violations: [name: string, frame: unknown][] = [
  ['an object in place of a text', [[0, 1, 'a', []]]],
  ['what is not JSON', '[[0,1'],
  ['what is no list', '{"a":1}'],
  ['a message that is no list', '[1]'],
  ['an unknown type', '[[9,1]]'],
  ['a call without arguments', '[[0,1,"a"]]'],
  ['an id that is no number', '[[1,"1",true]]'],
  ['an error without a code', '[[2,1,{"message":"x"}]]'],
  [
    'deep nesting of a long frame',
    `[[5,"${'x'.repeat(262_144)}",${'['.repeat(70)}${']'.repeat(70)}]]`,
  ],
  [
    'nesting hidden behind a text with quotes',
    `[[5,"${'x'.repeat(262_144)}\\"\\\\",${'['.repeat(70)}${']'.repeat(70)}]]`,
  ],
  ['a frame that is too long', `[[5,"x","${'y'.repeat(500_000)}"]]`],
]
for (const [name, frame] of violations) {
  test(`${name} ends the channel`, async () => {
    const { caller, nearEnd } = pair(() => new Promise(() => {}))
    const pending = assert.rejects(caller.call('a', []).answer, /protocol violated/)
    nearEnd.receive(frame)
    await pending
  })
}

test('the words constructor and prototype are fine as values', async () => {
  const { caller } = pair(echo)
  const value = { kind: 'constructor', list: ['__proto__', 'prototype', '\\u0041 "quoted" [[['] }
  assert.deepEqual(await caller.call('echo', [value]).answer, value)
})

test('a million tiny frames cost no memory', () => {
  const { caller, nearEnd } = pair(echo)
  for (let count = 0; count < 1_000_000; count++) nearEnd.receive('[[1,5]]')
  assert.equal(caller.counts.unknownReplies, 1_000_000)
  assert.equal(caller.counts.inFlight, 0)
})

test('activity is told when the first call begins and when the last one ends', async () => {
  const told: boolean[] = []
  const { caller } = pair(echo, { onActivity: (active) => told.push(active) })
  await Promise.all([caller.call('echo', [1]).answer, caller.call('echo', [2]).answer])
  assert.deepEqual(told, [true, false])
})

test('an answer of more lists than the other side has time for costs one call and not the channel', async () => {
  const many = Array.from({ length: 120_000 }, () => [])
  const { caller } = pair(
    (_method, args) => (args[0] === 'many' ? many : 'fine'),
    { messageLength: 1_000_000, frameLength: 1_000_000 },
    { messageLength: 1_000_000, frameLength: 1_000_000 },
  )
  await assert.rejects(caller.call('a', ['many']).answer, { code: 'plugin_failure' })
  assert.equal(await caller.call('a', ['few']).answer, 'fine')
})

test('a frame of more lists than may be in one ends the channel', () => {
  let ended: boolean | undefined
  const { nearEnd } = pair(echo, {
    frameLength: 1_000_000,
    onEnd: (_error, protocol) => (ended = protocol),
  })
  nearEnd.receive(`[${'[],'.repeat(120_000)}[]]`)
  assert.equal(ended, true)
})
