import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { FogbowError, type PluginManifest } from '@fogbow/plugin-sdk'
import type { InstalledPlugin, Registry } from '@fogbow/registry'
import { defaultLimits, type Launcher, workerLauncher } from '@fogbow/sandbox'
import { createVendorSchemas } from '@fogbow/sandbox/gate'
import { pino } from 'pino'
import type { LoadedConfig, PluginConfig } from '../config/index.ts'
import { openSqliteStore, type Store } from '../store/index.ts'
import { createPluginHost, type PluginHost } from './plugin-host.ts'
import type { PluginObserver } from './start-plugin.ts'
import { createTiers, type MachineIsolation } from './tiers.ts'

let store: Store
before(async () => {
  store = await openSqliteStore(':memory:')
})
after(() => store.close())
const schemas = createVendorSchemas()
after(() => schemas.close())

const manifest: PluginManifest = {
  sdk: '^0.1.0',
  kinds: ['image'],
  entry: './index.js',
  config: {
    type: 'object',
    additionalProperties: false,
    properties: { greeting: { type: 'string', default: 'hello' }, url: { type: 'string' } },
  },
  capabilities: { network: ['{config.url.host}', 'other.example'], secrets: ['key'] },
}

/** A plugin whose only image tells its settings, its secret and when it was made. */
const code = `module.exports.default = {
  create: ({ config, secrets, clock }) => {
    const madeAt = String(Math.random())
    return { image: {
      getAllImages: async () => [{ id: config.greeting, name: madeAt }],
      getImage: async (id) => ({ id, name: await secrets.get('key') }),
    } }
  },
}`

/** A registry in which this plugin was installed, and nothing else can be. */
function registryWith(changes: Partial<PluginManifest> = {}, text = code): Registry {
  const bundle = { code: text, hash: createHash('sha256').update(text).digest('hex') }
  const plugin = {
    name: '@vendor/greeting',
    version: '1.2.3',
    hash: bundle.hash,
    manifest: { ...manifest, ...changes },
    source: '/nowhere',
  } as InstalledPlugin
  const refuse = async () => {
    throw new FogbowError('configuration_error', 'cannot be installed')
  }
  return {
    install: refuse,
    list: async () => [plugin],
    find: async (name) => (name === plugin.name ? plugin : undefined),
    load: async () => ({ plugin, bundle }),
    remove: refuse,
  }
}

interface Setting {
  registry?: Registry
  /** Of threads. */
  launcher?: Launcher
  /** Of processes; by default threads stand in for them. */
  processes?: Launcher
  machine?: MachineIsolation
  zombies?: number
  secrets?: Record<string, string>
  observer?: Partial<PluginObserver>
}

const plainProcesses: MachineIsolation = { level: 'process', missing: ['namespaces'] }

/** Says that it is a process, and is a thread: here the policy is tested, not the wall. */
function processInName(worker: Launcher = workerLauncher()): Launcher {
  return { level: 'process', launch: (limits) => worker.launch(limits) }
}

function open(t: TestContext, setting: Setting = {}): PluginHost {
  const worker = setting.launcher ?? workerLauncher()
  const tiers = createTiers({
    worker: {
      level: 'worker',
      zombies: setting.zombies ?? 0,
      launch: (limits) => worker.launch(limits),
    },
    createProcess: () => setting.processes ?? processInName(),
    detect: async () => setting.machine ?? plainProcesses,
    withSpares: (launcher) => launcher,
    platform: 'linux',
    cores: 2,
  })
  const host = createPluginHost({
    registry: setting.registry ?? registryWith(),
    store,
    log: pino({ level: 'silent' }),
    tiers,
    schemas,
    officialFolder: '/nowhere-official',
    observer: { onCall() {}, onTraffic() {}, onLogLine() {}, ...setting.observer },
    now: () => 1_000_000,
    readSecret: async (reference, key) => {
      const value = setting.secrets?.[reference]
      if (value === undefined) throw new FogbowError('configuration_error', `${key}: is not there`)
      return value
    },
  })
  t.after(() => host.stop())
  return host
}

interface Written {
  package?: string
  config?: object
  secrets?: Record<string, string>
  network?: string[]
  limits?: Partial<PluginConfig['limits']>
  isolation?: 'worker' | 'process' | 'process+ns'
}

/** Threads for all, unless something else is said. */
function configuration(
  plugins: Record<string, Written>,
  minimumIsolation = 'worker',
  site: object = {},
): LoadedConfig {
  const complete = Object.entries(plugins).map(([name, { network, limits, ...written }]) => [
    name,
    {
      package: '@vendor/greeting',
      config: {},
      secrets: {},
      grants: { network: network ?? [], addresses: [], storageMiB: 64 },
      network: {},
      limits: { ...defaultLimits, memoryMiB: 64, ...limits },
      ...(minimumIsolation === 'worker' && { isolation: 'worker' }),
      ...written,
    },
  ])
  const config = {
    plugins: Object.fromEntries(complete),
    minimumIsolation,
    isolation: { spares: 0, reviewed: {} },
    network: {},
    aaa: {},
    ...site,
  }
  return { config, file: '/etc/site.ts', folder: '/etc', dataDir: '/data' } as LoadedConfig
}

const images = async (host: PluginHost, name = 'one') =>
  (await host.get(name).call('image.getAllImages', [{}])) as { id: string; name: string }[]

async function whyNot(host: PluginHost, written: Written, level?: string) {
  await host.apply(configuration({ one: written }, level))
  const { state, reason } = host.get('one').health()
  assert.notEqual(state, 'ready')
  return reason?.message
}

test('a plugin runs with its settings completed, its secrets, and what it may reach', async (t) => {
  const host = open(t, { secrets: { 'env:KEY': 'the value' } })
  const config = { greeting: 'hi', url: 'https://cloud.example:5000/v3' }
  const network = ['*']
  await host.apply(
    configuration({ one: { config, network, secrets: { key: 'env:KEY' } }, two: {} }),
  )
  assert.equal((await images(host))[0]?.id, config.greeting)
  assert.equal((await images(host, 'two'))[0]?.id, 'hello')
  const image = await host.get('one').call('image.getImage', ['i', {}])
  assert.deepEqual(image, { id: 'i', name: 'the value' })
  const plugin = host.get('one')
  assert.deepEqual(plugin.capabilities.network, ['cloud.example:5000', 'other.example'])
  assert.deepEqual(host.get('two').capabilities.network, [])
  assert.equal(plugin.version, '1.2.3')
  assert.deepEqual([...plugin.offered].sort(), ['image.getAllImages', 'image.getImage'])
})

test('applying again keeps what did not change, replaces what did, and ends what is named no more', async (t) => {
  const host = open(t)
  await host.apply(configuration({ one: {}, two: {} }))
  const [one, two] = [await images(host), await images(host, 'two')]
  const old = host.get('two')
  await host.apply(configuration({ one: {}, two: { config: { greeting: 'bye' } } }))
  assert.deepEqual(await images(host), one)
  assert.notDeepEqual(await images(host, 'two'), two)
  assert.equal(old.health().state, 'stopped')
  const gone = host.get('one')
  await host.apply(configuration({ two: { config: { greeting: 'bye' } } }))
  assert.equal(gone.health().state, 'stopped')
  assert.throws(() => host.get('one'), { code: 'configuration_error' })
  assert.equal(host.list().length, 1)
})

test('what keeps a plugin from running is said with its key, and it runs once that is put right', async (t) => {
  const host = open(t, { secrets: {} })
  const reasons: [Written, RegExp][] = [
    [{ package: '@vendor/absent' }, /^plugins\.one\.package: '@vendor\/absent' is not installed/],
    [{ package: './absent' }, /^plugins\.one: cannot be installed/],
    [{ config: { greting: 'x' } }, /^plugins\.one\.config\.greting is not a known key/],
    [
      { secrets: { kay: 'env:KEY' } },
      /^plugins\.one\.secrets\.kay is no secret of .* asks for key$/,
    ],
    [{ secrets: { key: 'env:KEY' } }, /^plugins\.one\.secrets\.key: is not there/],
  ]
  for (const [written, expected] of reasons)
    assert.match((await whyNot(host, written)) ?? '', expected)
  await host.apply(configuration({ one: {} }))
  assert.equal(host.get('one').health().state, 'ready')
})

/** Counts what it starts. */
function counting(inner: Launcher): Launcher & { launched: number } {
  const counted = {
    level: inner.level,
    launched: 0,
    launch(limits: { memoryMiB: number }) {
      counted.launched += 1
      return inner.launch(limits)
    },
  }
  return counted
}

test('a plugin is not even begun where it cannot be isolated as the configuration asks', async (t) => {
  const [launcher, processes] = [counting(workerLauncher()), counting(processInName())]
  const host = open(t, { launcher, processes })
  assert.match(
    (await whyNot(host, {}, 'process+ns')) ?? '',
    /^minimumIsolation: plugin 'one' can only be isolated as 'process' here, not as 'process\+ns'; missing: namespaces/,
  )
  assert.equal(launcher.launched + processes.launched, 0)
})

test('a plugin runs at the level of its policy, and shows how and why', async (t) => {
  const [launcher, processes] = [counting(workerLauncher()), counting(processInName())]
  const host = open(t, { launcher, processes })
  await host.apply(configuration({ one: {} }, 'process'))
  assert.equal((await images(host))[0]?.id, 'hello')
  assert.deepEqual([launcher.launched, processes.launched], [0, 1])
  const { isolation, limits, bundleHash } = host.get('one')
  assert.equal(host.get('one').health().level, 'process')
  assert.deepEqual([isolation?.wanted, isolation?.missing], ['process', ['namespaces']])
  assert.equal(limits?.memoryMiB, 64)
  assert.match(bundleHash, /^[0-9a-f]{64}$/)
})

test('what a plugin does is told to the metrics', async (t) => {
  const calls: string[] = []
  const onCall: PluginObserver['onCall'] = (plugin, { method, outcome }) =>
    calls.push(`${plugin} ${method} ${outcome}`)
  const host = open(t, { observer: { onCall } })
  await host.apply(configuration({ one: {} }))
  await images(host)
  await assert.rejects(host.get('one').call('image.getImage', ['i', {}]))
  assert.deepEqual(calls, ['one image.getAllImages ok', 'one image.getImage configuration_error'])
})

test('settings that a schema of a vendor takes for ever to check stop that plugin alone, by key', async (t) => {
  const greeting = { type: 'string', pattern: '^(a|a)*(a|a)*(a|a)*(a|a)*$' } as const
  const config = { type: 'object', properties: { greeting } }
  const host = open(t, { registry: registryWith({ config }) })
  const problem = await whyNot(host, { config: { greeting: `${'a'.repeat(10_000)}!` } })
  assert.match(
    problem ?? '',
    /^plugins\.one\.config\.greeting takes more than \d+ ms to check \(schema of @vendor\/greeting 1\.2\.3\)$/,
  )
})

test('limits come from the configuration', async (t) => {
  const host = open(t)
  await host.apply(configuration({ one: { limits: { callsInFlight: 1, callsWaiting: 0 } } }))
  const answers = await Promise.allSettled([images(host), images(host)])
  assert.deepEqual(
    answers.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
})

const looping = `module.exports.default = {
  create: () => ({ image: {
    getAllImages: async () => [],
    getImage: async () => { for (;;); },
  } }),
}`

/** Threads that say, when they are stopped, that they go on. */
function undying(): Launcher {
  const worker = workerLauncher()
  return {
    level: 'worker',
    async launch(limits) {
      const guest = await worker.launch(limits)
      const kill = async () => {
        await guest.kill()
        return 'zombie' as const
      }
      return { ...guest, kill }
    },
  }
}

test('a plugin whose thread cannot be stopped goes on in a process, also after a restart of the site, until somebody or its code changes that', async (t) => {
  const launcher = undying()
  const registry = registryWith({}, looping)
  const first = open(t, { launcher, registry })
  const looper = configuration({ looper: {} })
  const level = (host: PluginHost) => host.get('looper').health().level
  await first.apply(looper)
  assert.equal(level(first), 'worker')
  await assert.rejects(first.get('looper').call('image.getImage', ['i', {}]))
  while (level(first) !== 'process' || first.get('looper').health().state !== 'ready')
    await new Promise(setImmediate)
  const { isolation, lastFailure } = first.get('looper')
  assert.equal(isolation?.wanted, 'worker')
  assert.match(isolation?.moved?.reason ?? '', /held its thread/)
  assert.equal(lastFailure?.at, 1_000_000)
  await first.restart('looper')
  assert.equal(level(first), 'process')
  await first.stop()

  const second = open(t, { registry })
  await second.apply(looper)
  assert.equal(level(second), 'process')
  assert.match(second.get('looper').isolation?.moved?.reason ?? '', /held its thread/)
  await second.restart('looper')
  assert.equal(level(second), 'process')
  await second.restart('looper', { originalIsolation: true })
  assert.equal(level(second), 'worker')
  assert.equal(second.get('looper').isolation?.moved, undefined)
})

test('a plugin that was moved gets a thread again with another bundle', async (t) => {
  const old = open(t, { launcher: undying(), registry: registryWith({}, looping) })
  const looper = configuration({ changed: {} })
  await old.apply(looper)
  await assert.rejects(old.get('changed').call('image.getImage', ['i', {}]))
  await old.stop()
  const next = open(t)
  await next.apply(looper)
  assert.equal(next.get('changed').health().level, 'worker')
})

test('a plugin that hangs while it is created is starting, and holds nothing up for long', async (t) => {
  const endless = `module.exports.default = { create: () => new Promise(() => {}) }`
  const host = open(t, { registry: registryWith({}, endless) })
  await host.apply(configuration({ one: { limits: { loadTimeoutMs: 600_000 } } }))
  assert.equal(host.get('one').health().state, 'starting')
  await assert.rejects(host.get('one').call('image.getAllImages', [{}]), {
    code: 'unavailable_provider',
    message: /'one' is starting/,
  })
})

test('what authenticates is waited for, since nobody can be served without it', async (t) => {
  const endless = `module.exports.default = { create: () => new Promise(() => {}) }`
  const host = open(t, { registry: registryWith({}, endless) })
  const aaa = { authentication: 'one' }
  const settings = configuration({ one: { limits: { loadTimeoutMs: 3000 } } }, 'worker', { aaa })
  await host.apply(settings)
  assert.match(host.get('one').health().reason?.message ?? '', /did not load within 3000 ms/)
})

test('a site on which too many threads cannot be stopped says that it has to be restarted', (t) => {
  assert.equal(open(t).alarm(), undefined)
  assert.match(open(t, { zombies: 1 }).alarm() ?? '', /1 thread of a plugin .*: restart the site/)
})

test('asking for a restart of what could not be loaded loads it anew, or says why not', async (t) => {
  const secrets: Record<string, string> = {}
  const host = open(t, { secrets })
  await host.apply(configuration({ one: { secrets: { key: 'env:KEY' } } }))
  await assert.rejects(host.restart('one'), { message: /plugins\.one\.secrets\.key: is not there/ })
  secrets['env:KEY'] = 'here now'
  await host.restart('one')
  assert.equal(host.get('one').health().state, 'ready')
  await assert.rejects(host.restart('two'), { code: 'not_found' })
})

test('a plugin that offers less than its manifest is out of service, and says what is missing', async (t) => {
  const host = open(t, { registry: registryWith({ kinds: ['image', 'quota'] }) })
  assert.match((await whyNot(host, {})) ?? '', /offers no quota\.getUserQuota/)
})

test('however often and fast it is applied, each plugin runs once, with what was said last', async (t) => {
  const worker = workerLauncher()
  let alive = 0
  const launcher: Launcher = {
    level: worker.level,
    async launch(limits) {
      const guest = await worker.launch(limits)
      alive += 1
      void guest.exited.then(() => {
        alive -= 1
      })
      return guest
    },
  }
  const host = open(t, { launcher })
  const greetings = ['a', 'b', 'c']
  await Promise.all(
    greetings.map((greeting) => host.apply(configuration({ one: { config: { greeting } } }))),
  )
  assert.equal((await images(host))[0]?.id, 'c')
  assert.equal(alive, 1)
})
