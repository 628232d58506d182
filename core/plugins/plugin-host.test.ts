import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { FogbowError, type PluginManifest } from '@fogbow/plugin-sdk'
import type { InstalledPlugin, Registry } from '@fogbow/registry'
import { type Launcher, workerLauncher } from '@fogbow/sandbox'
import { pino } from 'pino'
import type { LoadedConfig, PluginConfig } from '../config/index.ts'
import { openSqliteStore, type Store } from '../store/index.ts'
import { createPluginHost, type PluginHost } from './plugin-host.ts'

let store: Store
before(async () => {
  store = await openSqliteStore(':memory:')
})
after(() => store.close())

const manifest: PluginManifest = {
  sdk: '^0.1.0',
  kinds: ['image'],
  entry: './index.js',
  config: {
    type: 'object',
    additionalProperties: false,
    properties: { greeting: { type: 'string', default: 'hello' } },
  },
  capabilities: { network: ['{config.greeting.host}', 'other.example'], secrets: ['key'] },
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
function registryWith(changes: Partial<PluginManifest> = {}): Registry {
  const plugin = {
    name: '@vendor/greeting',
    version: '1.2.3',
    manifest: { ...manifest, ...changes },
    source: '/nowhere',
  } as InstalledPlugin
  const bundle = { code, hash: createHash('sha256').update(code).digest('hex') }
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
  launcher?: Launcher
  secrets?: Record<string, string>
}

function open(t: TestContext, setting: Setting = {}): PluginHost {
  const host = createPluginHost({
    registry: setting.registry ?? registryWith(),
    store,
    log: pino({ level: 'silent' }),
    launcher: setting.launcher ?? workerLauncher(),
    readSecret: async (reference, key) => {
      const value = setting.secrets?.[reference]
      if (value === undefined) throw new FogbowError('configuration_error', `${key}: is not there`)
      return value
    },
  })
  t.after(() => host.stop())
  return host
}

function configuration(
  plugins: Record<string, Partial<PluginConfig>>,
  minimumIsolation = 'worker',
): LoadedConfig {
  const complete = Object.entries(plugins).map(([name, written]) => [
    name,
    {
      package: '@vendor/greeting',
      config: {},
      secrets: {},
      grants: { network: [] },
      memoryMiB: 64,
      ...written,
    },
  ])
  const config = { plugins: Object.fromEntries(complete), minimumIsolation }
  return { config, file: '/etc/site.ts', folder: '/etc', dataDir: '/data' } as LoadedConfig
}

const images = async (host: PluginHost, name = 'one') =>
  (await host.get(name).call('image.getAllImages', [{}])) as { id: string; name: string }[]

async function whyNot(host: PluginHost, written: Partial<PluginConfig>, level?: string) {
  await host.apply(configuration({ one: written }, level))
  const { state, reason } = host.get('one').health()
  assert.notEqual(state, 'ready')
  return reason?.message
}

test('a plugin runs with its settings completed, its secrets, and what it may reach', async (t) => {
  const host = open(t, { secrets: { 'env:KEY': 'the value' } })
  const config = { greeting: 'https://cloud.example:5000/v3' }
  const grants = { network: ['*'] }
  await host.apply(configuration({ one: { config, grants, secrets: { key: 'env:KEY' } }, two: {} }))
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
  const reasons: [Partial<PluginConfig>, RegExp][] = [
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

test('a plugin is not even begun where it cannot be isolated as the configuration asks', async (t) => {
  let launched = 0
  const worker = workerLauncher()
  const launcher: Launcher = {
    level: worker.level,
    launch() {
      launched += 1
      return worker.launch()
    },
  }
  const host = open(t, { launcher })
  assert.match(
    (await whyNot(host, {}, 'process')) ?? '',
    /^minimumIsolation: plugin 'one' can only be isolated as 'worker' here, not as 'process'/,
  )
  assert.equal(launched, 0)
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
    async launch() {
      const guest = await worker.launch()
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
