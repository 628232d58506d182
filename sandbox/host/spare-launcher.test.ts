import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createManualClock } from '../fixtures/manual-clock.ts'
import { imageSpec } from '../fixtures/plugin-spec.ts'
import { runCode } from '../fixtures/run-code.ts'
import { inEachTier } from '../fixtures/tiers.ts'
import { type LaunchedGuest, type Launcher, startSandbox, withSpares } from '../index.ts'

const limits = { memoryMiB: 64 }

interface FakeGuest extends LaunchedGuest {
  up(): void
  die(): void
  killed: boolean
}

/** Guests that come up and die when told to. */
function fakes(failing: { times: number } = { times: 0 }) {
  const made: FakeGuest[] = []
  const launcher: Launcher = {
    level: 'process',
    async launch() {
      if (failing.times-- > 0) throw new Error('no more processes')
      const exit = Promise.withResolvers<string>()
      const guest: FakeGuest = {
        transport: { send() {}, onMessage() {}, onClose() {}, close() {} },
        ping: (onPong) => {
          guest.up = onPong
        },
        busyShare: () => 0,
        usage: async () => undefined,
        kill: async () => {
          guest.killed = true
          exit.resolve('killed')
          return 'dead'
        },
        exited: exit.promise,
        up: () => {},
        die: () => exit.resolve('gone'),
        killed: false,
      }
      made.push(guest)
      return guest
    },
  }
  return { launcher, made }
}

/** Lets the clock run until nothing is due, telling each guest made that it is up. */
async function settle(clock: ReturnType<typeof createManualClock>, made: FakeGuest[]) {
  for (let quiet = 0; quiet < 3; quiet++) {
    if (clock.next !== undefined && clock.next < 30_000) clock.advance(clock.next)
    await turn()
    for (const guest of made) guest.up()
    await turn()
  }
}

test('spares are made one at a time, when the one before is up, and then nothing is due', async () => {
  const clock = createManualClock()
  const { launcher, made } = fakes()
  const spares = withSpares(launcher, { count: 2, limits, clock })
  assert.equal(made.length, 0)
  clock.advance(500)
  await turn()
  assert.equal(made.length, 1)
  clock.advance(10_000)
  await turn()
  assert.equal(made.length, 1)
  made[0]?.up()
  clock.advance(500)
  await turn()
  assert.equal(made.length, 2)
  made[1]?.up()
  assert.equal(clock.next, undefined)
  await spares.close?.()
})

test('a spare leaves with the first plugin that takes it, and none is ever given twice', async () => {
  const clock = createManualClock()
  const { launcher, made } = fakes()
  const spares = withSpares(launcher, { count: 2, limits, clock })
  await settle(clock, made)
  const taken: LaunchedGuest[] = []
  for (let plugin = 0; plugin < 6; plugin++) {
    taken.push(await spares.launch(limits))
    await settle(clock, made)
  }
  assert.equal(new Set(taken).size, 6)
  assert.equal(taken[0], made[0])
  await spares.close?.()
  assert.equal(
    (taken as FakeGuest[]).some((guest) => guest.killed),
    false,
  )
})

test('while plugins start no spare is made', async () => {
  const clock = createManualClock()
  const { launcher, made } = fakes()
  const spares = withSpares(launcher, { count: 1, limits, clock })
  for (let plugin = 0; plugin < 10; plugin++) {
    clock.advance(400)
    await spares.launch(limits)
  }
  assert.equal(made.length, 10)
  clock.advance(500)
  await turn()
  assert.equal(made.length, 11)
  await spares.close?.()
})

test('a plugin that may use more than spares may is given a fresh guest', async () => {
  const clock = createManualClock()
  const { launcher, made } = fakes()
  const spares = withSpares(launcher, { count: 1, limits, clock })
  await settle(clock, made)
  assert.notEqual(await spares.launch({ memoryMiB: 65 }), made[0])
  assert.equal(await spares.launch({ memoryMiB: 32 }), made[0])
  await spares.close?.()
})

test('a spare that dies is not given out, and is replaced after a pause that doubles', async () => {
  const clock = createManualClock()
  const { launcher, made } = fakes()
  const spares = withSpares(launcher, { count: 1, limits, clock })
  await settle(clock, made)
  made[0]?.die()
  await turn()
  assert.equal(clock.next, 1500)
  clock.advance(1500)
  await turn()
  made[1]?.die()
  await turn()
  assert.equal(clock.next, 2500)
  const fresh = await spares.launch(limits)
  assert.equal(fresh, made[2])
  await spares.close?.()
})

test('a launcher that fails is tried again later, and its failure reaches only who needs a guest', async () => {
  const clock = createManualClock()
  const failing = { times: 2 }
  const { launcher, made } = fakes(failing)
  const spares = withSpares(launcher, { count: 1, limits, clock })
  clock.advance(500)
  await turn()
  assert.equal(clock.next, 1500)
  await assert.rejects(spares.launch(limits), /no more processes/)
  clock.advance(1500)
  await turn()
  assert.equal(made.length, 1)
  await spares.close?.()
})

test('a spare that does not come up is ended', async () => {
  const clock = createManualClock()
  const { launcher, made } = fakes()
  const spares = withSpares(launcher, { count: 1, limits, clock })
  clock.advance(500)
  await turn()
  clock.advance(30_000)
  assert.equal(made[0]?.killed, true)
  await spares.close?.()
})

test('closing ends what waits and what is being made', async () => {
  const clock = createManualClock()
  const { launcher, made } = fakes()
  const spares = withSpares(launcher, { count: 2, limits, clock })
  clock.advance(500)
  await turn()
  made[0]?.up()
  clock.advance(500)
  await turn()
  await spares.close?.()
  assert.deepEqual(
    made.map(({ killed }) => killed),
    [true, true],
  )
  assert.equal(clock.next, undefined)
})

await inEachTier((launcher) => {
  test('a plugin starts in a spare and runs as in a fresh guest', async (t) => {
    const clock = createManualClock()
    const up = Promise.withResolvers<void>()
    let launched = 0
    const counted: Launcher = {
      level: launcher.level,
      async launch(wanted) {
        launched++
        const guest = await launcher.launch(wanted)
        const ping = (onPong: () => void) =>
          guest.ping(() => {
            onPong()
            up.resolve()
          })
        return { ...guest, ping }
      },
    }
    const spares = withSpares(counted, { count: 1, limits: { memoryMiB: 256 }, clock })
    t.after(() => spares.close?.())
    clock.advance(500)
    await up.promise
    const spec = imageSpec('return [id, typeof globalThis.left]')
    const sandbox = await startSandbox(spec, { launcher: spares })
    assert.equal(launched, 1)
    assert.deepEqual(await runCode(sandbox), ['i-1', 'undefined'])
    await sandbox.stop()
  })
})
