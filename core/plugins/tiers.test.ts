import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LaunchedGuest, Launcher } from '@fogbow/sandbox'
import { createTiers, type TierParts } from './tiers.ts'

/** Launchers that only write down what they are asked. */
function world(changes: Partial<TierParts> = {}) {
  const done: string[] = []
  const launcher = (level: Launcher['level'], name: string = level): Launcher => ({
    level,
    async launch() {
      done.push(`launch ${name}`)
      return {} as LaunchedGuest
    },
    async close() {
      done.push(`close ${name}`)
    },
  })
  const tiers = createTiers({
    worker: Object.assign(launcher('worker'), { zombies: 0 }),
    createProcess: ({ level }) => launcher(level),
    async detect() {
      done.push('detect')
      return { level: 'process+ns', missing: [] }
    },
    withSpares(inner) {
      done.push(`spares of ${inner.level}`)
      return launcher(inner.level, `spare ${inner.level}`)
    },
    platform: 'linux',
    cores: 2,
    ...changes,
  })
  return { tiers, done }
}

const limits = { memoryMiB: 64 }

test('the machine is looked at once, when the first process is needed', async () => {
  const { tiers, done } = world()
  await tiers.worker.launch(limits)
  assert.deepEqual(done, ['launch worker'])
  assert.equal(tiers.process?.level, 'process')
  await Promise.all([tiers.process?.launch(limits), tiers.machine()])
  assert.equal(tiers.process?.level, 'process+ns')
  assert.equal(done.filter((step) => step === 'detect').length, 1)
})

test('spares are made when the site is ready, of what is in use, and of the rest with its first use', async () => {
  const { tiers, done } = world()
  await tiers.worker.launch(limits)
  tiers.keepSpares()
  await tiers.process?.launch(limits)
  await tiers.worker.launch(limits)
  assert.deepEqual(done, [
    'launch worker',
    'spares of worker',
    'spares of process',
    'launch spare process',
    'launch spare worker',
  ])
})

test('everything that waits is ended with the site', async () => {
  const { tiers, done } = world()
  await tiers.worker.launch(limits)
  await tiers.process?.launch(limits)
  tiers.keepSpares()
  done.length = 0
  await tiers.close()
  assert.deepEqual(done.sort(), [
    'close process+ns',
    'close spare process+ns',
    'close spare worker',
    'close worker',
  ])
})

test('where processes cannot be isolated, nothing is tried and the reason is told', async () => {
  const { tiers, done } = world({ platform: 'darwin' })
  assert.equal(tiers.process, undefined)
  const { level, missing } = await tiers.machine()
  assert.equal(level, 'worker')
  assert.match(missing.join(), /Linux only, and this is darwin/)
  assert.deepEqual(done, [])
})

test('processes that do not hold are not used, and the first reason is theirs', async () => {
  const refusal = 'processes can reach files'
  const { tiers } = world({ detect: async () => ({ level: 'process', missing: ['x'], refusal }) })
  assert.deepEqual(await tiers.machine(), { level: 'worker', missing: [refusal, 'x'] })
})

test('a site with one core bears one thread that cannot be stopped', () => {
  assert.deepEqual(
    [1, 2, 8].map((cores) => world({ cores }).tiers.zombieLimit),
    [1, 1, 7],
  )
})
