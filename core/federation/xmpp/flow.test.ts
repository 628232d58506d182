import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFlow } from './flow.ts'

const wide = { calls: 100, bytes: 10_000, waiting: 100 }

/** Enters and remembers who began, in order. */
function run(perPeer = wide, total = wide) {
  const flow = createFlow(perPeer, total)
  const begun: string[] = []
  const enter = (name: string, bytes = 1) =>
    flow.enter(name.slice(0, 1), bytes, () => begun.push(name))
  return { flow, begun, enter }
}

test('a peer has no more calls under way than allowed; the next begins when one leaves', () => {
  const { begun, enter } = run({ ...wide, calls: 2 })
  const leave = enter('a1')
  for (const name of ['a2', 'a3', 'a4', 'b1']) enter(name)
  assert.deepEqual(begun, ['a1', 'a2', 'b1'])
  leave?.()
  assert.deepEqual(begun, ['a1', 'a2', 'b1', 'a3'])
  leave?.()
  assert.equal(begun.length, 4)
})

test('bytes are bounded like calls, and a small call does not overtake a large one of the same peer', () => {
  const { begun, enter } = run({ ...wide, bytes: 100 })
  const leave = enter('a1', 60)
  enter('a2', 60)
  enter('a3', 10)
  enter('b1', 90)
  assert.deepEqual(begun, ['a1', 'b1'])
  leave?.()
  assert.deepEqual(begun, ['a1', 'b1', 'a2', 'a3'])
})

test('peers take turns when there is not room for all', () => {
  const { begun, enter } = run(wide, { ...wide, calls: 1 })
  let leave = enter('a0')
  const leaves = new Map(
    ['a1', 'a2', 'a3', 'b1', 'c1', 'c2'].map((name) => [name, enter(name)] as const),
  )
  for (let n = 0; n < 6; n += 1) {
    leave?.()
    leave = leaves.get(begun.at(-1) ?? '')
  }
  assert.deepEqual(begun, ['a0', 'a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
})

test('who waits for much room is not overtaken for ever by who needs little', () => {
  const { begun, enter } = run(wide, { ...wide, bytes: 100 })
  const first = enter('a1', 60)
  const second = enter('b1', 30)
  enter('c1', 90)
  second?.()
  enter('d1', 10)
  assert.deepEqual(begun, ['a1', 'b1'])
  first?.()
  assert.deepEqual(begun, ['a1', 'b1', 'c1', 'd1'])
})

test('more than may wait is turned away, for a peer and altogether', () => {
  const { begun, enter, flow } = run({ ...wide, calls: 1, waiting: 2 }, { ...wide, waiting: 3 })
  for (const name of ['a1', 'a2', 'a3', 'b1', 'b2']) assert.ok(enter(name), name)
  assert.equal(enter('a4'), undefined)
  assert.equal(enter('b3'), undefined)
  assert.deepEqual(begun, ['a1', 'b1'])
  assert.equal(flow.waiting, 3)
})

test('who gives up while waiting is never begun, and makes room in the queue', () => {
  const { begun, enter, flow } = run({ ...wide, calls: 1, waiting: 1 })
  const first = enter('a1')
  enter('a2')?.()
  assert.equal(flow.waiting, 0)
  enter('a3')
  first?.()
  assert.deepEqual(begun, ['a1', 'a3'])
})

test('a call that is over as soon as it begins lets the others follow', () => {
  const flow = createFlow({ ...wide, calls: 1 }, wide)
  const begun: number[] = []
  const leave = flow.enter('a', 1, () => {})
  for (let n = 0; n < 50; n += 1) {
    const done = flow.enter('a', 1, () => {
      begun.push(n)
      queueMicrotask(() => done?.())
    })
  }
  leave?.()
  return Promise.resolve()
    .then(async () => {
      for (let n = 0; n < 200; n += 1) await null
    })
    .then(() => {
      assert.equal(begun.length, 50)
      assert.equal(flow.underWay, 0)
    })
})

test('peers in turn, random entries and leaves: nothing is lost and no bound is passed', () => {
  let seed = 7
  const random = () => {
    seed = (seed * 16807) % 2147483647
    return seed / 2147483647
  }
  const perPeer = { calls: 3, bytes: 50, waiting: 20 }
  const total = { calls: 6, bytes: 120, waiting: 60 }
  const flow = createFlow(perPeer, total)
  const under = new Map<number, { peer: string; bytes: number; leave: () => void }>()
  let begun = 0
  let entered = 0
  const turnedAway: number[] = []
  for (let n = 0; n < 5000; n += 1) {
    if (random() < 0.6) {
      const peer = 'abcd'[Math.floor(random() * 4)] ?? 'a'
      const bytes = 1 + Math.floor(random() * 50)
      const entry = { peer, bytes, leave: () => {} }
      const leave = flow.enter(peer, bytes, () => {
        begun += 1
        under.set(n, entry)
      })
      if (leave) {
        entered += 1
        entry.leave = leave
      } else turnedAway.push(n)
    } else {
      const [key] = under.keys()
      const call = key === undefined ? undefined : under.get(key)
      if (key !== undefined) under.delete(key)
      call?.leave()
    }
    const sum = (peer?: string) => [...under.values()].filter((call) => !peer || call.peer === peer)
    for (const [calls, bound] of [
      [sum(), total],
      ...['a', 'b', 'c', 'd'].map((peer) => [sum(peer), perPeer] as const),
    ] as const) {
      assert.ok(calls.length <= bound.calls)
      assert.ok(calls.reduce((all, { bytes }) => all + bytes, 0) <= bound.bytes)
    }
  }
  while (under.size > 0)
    for (const [key, call] of under) {
      under.delete(key)
      call.leave()
    }
  assert.equal(begun, entered)
  assert.ok(turnedAway.length > 0)
  assert.equal(flow.underWay + flow.waiting, 0)
})
