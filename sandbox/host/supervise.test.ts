import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { createManualClock } from '../fixtures/manual-clock.ts'
import { imageSpec, pluginSpec, testLauncher } from '../fixtures/plugin-spec.ts'
import type {
  KillOutcome,
  LaunchedGuest,
  Launcher,
  PluginHealth,
  SandboxSpec,
  SupervisedPlugin,
} from '../index.ts'
import { supervise } from './supervise.ts'

const launcher = testLauncher()

/** Fails in `create` as often as the host says. */
const flaky = (failing: { times: number }): SandboxSpec =>
  pluginSpec(
    `if (await host.storage.get('fail')) throw new Error('not yet')
     return { image: { getAllImages() { return [] }, getImage() {} } }`,
    { host: { 'storage.get': () => [failing.times-- > 0] } },
  )

/** A launcher whose guests die on demand, and stay as zombies if asked to. */
function mortal(outcome: KillOutcome = 'dead') {
  const deaths: ((reason: string) => void)[] = []
  const mortalLauncher: Launcher = {
    level: 'worker',
    async launch(limits) {
      const guest = await launcher.launch(limits)
      let die: (reason: string) => void = () => {}
      guest.transport.onClose((reason) => die(reason))
      deaths.push((reason) => die(reason))
      const transport: LaunchedGuest['transport'] = {
        ...guest.transport,
        onClose: (listener) => {
          die = listener
        },
      }
      return {
        ...guest,
        transport,
        kill: async () => ((await guest.kill()) === 'dead' ? outcome : 'zombie'),
      }
    },
  }
  return { launcher: mortalLauncher, die: (reason: string) => deaths.at(-1)?.(reason) }
}

function nextState(plugin: SupervisedPlugin, state: PluginHealth['state']): Promise<PluginHealth> {
  return nextHealth(plugin, (health) => health.state === state)
}

function nextHealth(
  plugin: SupervisedPlugin,
  isWanted: (health: PluginHealth) => boolean,
): Promise<PluginHealth> {
  if (isWanted(plugin.health())) return Promise.resolve(plugin.health())
  return new Promise((resolve) => plugin.onHealth((health) => isWanted(health) && resolve(health)))
}

const options = { launcher, random: () => 0.5 }

test('a plugin that starts is ready and can be called', async () => {
  const plugin = await supervise(imageSpec(''), options)
  assert.deepEqual(plugin.health(), { state: 'ready', level: 'worker' })
  assert.deepEqual(await plugin.call('image.getAllImages', [{}]), [])
  await plugin.stop()
  assert.equal(plugin.health().state, 'stopped')
  await assert.rejects(plugin.call('image.getAllImages', [{}]), {
    code: 'unavailable_provider',
    message: "Plugin 'sample' is stopped",
  })
})

test('a first start that fails is reported, waited for and repeated', async () => {
  const clock = createManualClock()
  const plugin = await supervise(flaky({ times: 1 }), { ...options, clock })
  const { state, reason, retryAt } = plugin.health()
  assert.deepEqual(
    { state, code: reason?.code, retryAt },
    { state: 'backing-off', code: 'plugin_failure', retryAt: clock.now() + 500 },
  )
  await assert.rejects(plugin.call('image.getAllImages', [{}]), {
    code: 'unavailable_provider',
    message: /^Plugin 'sample' is backing-off: .*not yet$/,
  })
  clock.advance(500)
  await nextState(plugin, 'ready')
  assert.deepEqual(await plugin.call('image.getAllImages', [{}]), [])
  assert.equal(plugin.stats().restarts, 1)
  await plugin.stop()
})

test('pauses double until the plugin is quarantined, and a restart by hand begins anew', async () => {
  const clock = createManualClock()
  const failing = { times: 5 }
  const plugin = await supervise(flaky(failing), { ...options, clock })
  const pauses: number[] = []
  while (plugin.health().state === 'backing-off') {
    const pauseMs = (plugin.health().retryAt ?? 0) - clock.now()
    pauses.push(pauseMs)
    const changed = new Promise<void>((resolve) =>
      plugin.onHealth(({ state }) => state !== 'starting' && resolve()),
    )
    clock.advance(pauseMs)
    await changed
  }
  assert.deepEqual(pauses, [500, 1000, 2000, 4000])
  assert.equal(plugin.health().state, 'quarantined')
  assert.match(plugin.health().reason?.message ?? '', /not yet/)
  assert.equal(clock.next, undefined)
  await plugin.restart()
  assert.deepEqual(plugin.health(), { state: 'ready', level: 'worker' })
  await plugin.stop()
})

test('failures that lie further apart than the window do not quarantine', async () => {
  const clock = createManualClock()
  const guests = mortal()
  const restarts = { failures: 2, windowMs: 1000 }
  const plugin = await supervise(imageSpec(''), {
    ...options,
    clock,
    launcher: guests.launcher,
    restarts,
  })
  for (let death = 0; death < 3; death++) {
    guests.die('gone')
    await nextState(plugin, 'backing-off')
    clock.advance(500)
    await nextState(plugin, 'ready')
    clock.advance(1000)
  }
  assert.equal(plugin.stats().restarts, 3)
  await plugin.stop()
})

test('a plugin that dies between calls is restarted, with the reason shown', async () => {
  const clock = createManualClock()
  const guests = mortal()
  const plugin = await supervise(imageSpec(''), { ...options, clock, launcher: guests.launcher })
  await plugin.call('image.getAllImages', [{}])
  guests.die('its heap was full')
  const health = await nextState(plugin, 'backing-off')
  assert.equal(health.reason?.message, "Plugin 'sample' ended: its heap was full")
  clock.advance(500)
  await nextState(plugin, 'ready')
  await plugin.call('image.getAllImages', [{}])
  assert.equal(plugin.stats().calls, 2)
  await plugin.stop()
})

test('a plugin whose thread cannot be stopped is quarantined at once', async () => {
  const guests = mortal('zombie')
  const plugin = await supervise(imageSpec(''), { ...options, launcher: guests.launcher })
  guests.die('gone')
  const health = await nextState(plugin, 'quarantined')
  assert.match(health.reason?.message ?? '', /cannot be stopped and holds a core/)
  await plugin.stop()
})

test('a plugin whose thread cannot be stopped goes on at once where it can be', async () => {
  const guests = mortal('zombie')
  const afterZombie: Launcher = { ...mortal().launcher, level: 'process' }
  const plugin = await supervise(imageSpec(''), {
    ...options,
    launcher: guests.launcher,
    afterZombie,
    clock: createManualClock(),
  })
  const states: string[] = []
  plugin.onHealth(({ state, level }) => states.push(`${state} ${level}`))
  guests.die('gone')
  const health = await nextHealth(
    plugin,
    ({ level, state }) => level === 'process' && state === 'ready',
  )
  assert.deepEqual(states, ['starting process', 'ready process'])
  assert.equal(health.moved?.from, 'worker')
  assert.match(health.moved?.reason ?? '', /cannot be stopped and holds a core/)
  assert.deepEqual(await plugin.call('image.getAllImages', [{}]), [])
  await plugin.restart()
  assert.equal(plugin.health().level, 'process')
  assert.equal(plugin.health().moved?.from, 'worker')
  await plugin.stop()
})

test('a plugin that leaves a zombie while it is loaded moves as well', async () => {
  const plugin = await supervise(flaky({ times: 1 }), {
    ...options,
    launcher: mortal('zombie').launcher,
    afterZombie: { ...mortal().launcher, level: 'process' },
  })
  const health = await nextState(plugin, 'ready')
  assert.equal(health.level, 'process')
  await plugin.stop()
})

test('a zombie at the level that it was moved to quarantines', async () => {
  const plugin = await supervise(flaky({ times: 2 }), {
    ...options,
    launcher: mortal('zombie').launcher,
    afterZombie: { ...mortal('zombie').launcher, level: 'process' },
  })
  const health = await nextState(plugin, 'quarantined')
  assert.equal(health.level, 'process')
  await plugin.stop()
})

test('a site does not wait longer for a slow start than it has patience', async () => {
  const clock = createManualClock()
  const gate = Promise.withResolvers<unknown>()
  const slow = pluginSpec(
    `await host.storage.get('wait'); return { image: { getAllImages() { return [] }, getImage() {} } }`,
    { host: { 'storage.get': () => gate.promise } },
  )
  const supervised = supervise(slow, { ...options, clock, startPatienceMs: 100 })
  clock.advance(100)
  const plugin = await supervised
  assert.equal(plugin.health().state, 'starting')
  await assert.rejects(plugin.call('image.getAllImages', [{}]), { code: 'unavailable_provider' })
  gate.resolve([null])
  await nextState(plugin, 'ready')
  await plugin.stop()
})

test('a launcher that cannot isolate is a reason like any other', async () => {
  const refusing: Launcher = {
    level: 'worker',
    launch: () => Promise.reject(new FogbowError('configuration_error', 'Threads can reach files')),
  }
  const plugin = await supervise(imageSpec(''), {
    ...options,
    launcher: refusing,
    clock: createManualClock(),
  })
  assert.equal(plugin.health().reason?.message, 'Threads can reach files')
  assert.equal(plugin.stats().calls, 0)
  await plugin.stop()
})

test('stopping while a start is under way leaves nothing running', async () => {
  const clock = createManualClock()
  const plugin = await supervise(flaky({ times: 1 }), { ...options, clock })
  clock.advance(500)
  assert.equal(plugin.health().state, 'starting')
  await plugin.stop()
  assert.equal(plugin.health().state, 'stopped')
})

test('stopping ends a plugin that hangs in its start, long before its time is over', async () => {
  const ends: Promise<string>[] = []
  const noting: Launcher = {
    level: 'worker',
    async launch(limits) {
      const guest = await launcher.launch(limits)
      ends.push(guest.exited)
      return guest
    },
  }
  const hanging = pluginSpec(`await host.storage.get('wait')`, {
    host: { 'storage.get': () => new Promise(() => {}) },
  })
  const clock = createManualClock()
  const supervised = supervise(hanging, { launcher: noting, clock, startPatienceMs: 100 })
  clock.advance(100)
  const plugin = await supervised
  await plugin.stop()
  assert.equal(plugin.health().state, 'stopped')
  assert.equal(ends.length, 1)
  await Promise.all(ends)
})

test('pauses are spread by a quarter either way', async () => {
  for (const [random, pauseMs] of [
    [0, 375],
    [1, 625],
  ] as const) {
    const clock = createManualClock()
    const plugin = await supervise(flaky({ times: 1 }), { launcher, clock, random: () => random })
    assert.equal((plugin.health().retryAt ?? 0) - clock.now(), pauseMs)
    await plugin.stop()
  }
})
