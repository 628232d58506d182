import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type ConfigSource, loadConfig, resolveReference } from './load.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fogbow-config-'))
})
after(() => rm(folder, { recursive: true }))

const minimal = {
  site: { id: 'site-a.test' },
  plugins: { all: { package: '@vendor/all' } },
  aaa: {
    tokenGenerator: 'all',
    federationIdentity: 'all',
    authentication: 'all',
    authorization: 'all',
  },
  clouds: { one: { plugin: 'all', mapper: 'all' } },
}

const withPlugin = (more: object) => ({
  ...minimal,
  plugins: { all: { package: '@vendor/all', ...more } },
})

async function write(config: unknown, name = 'fogbow.config.json'): Promise<string> {
  const file = join(await mkdtemp(join(folder, 'site-')), name)
  await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config))
  return file
}

function load(file: string, more: Partial<ConfigSource> = {}) {
  return loadConfig({ file, env: {}, cwd: folder, ...more })
}

async function problemOf(config: unknown, name?: string): Promise<{ file: string; said: string }> {
  const file = await write(config, name)
  try {
    await load(file)
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error)
    assert.equal(error.code, 'configuration_error')
    assert.equal(error.message.split('\n').length, 1, 'one line')
    return { file, said: error.message }
  }
  throw new Error('the configuration was taken')
}

test('an almost empty configuration is completed with defaults', async () => {
  const { config } = await load(await write(minimal))
  assert.equal(config.http.host, '127.0.0.1')
  assert.equal(config.http.port, 8080)
  assert.equal(config.plugins.all?.limits.memoryMiB, 256)
  assert.equal(config.plugins.all?.limits.callsInFlight, 64)
  assert.equal(config.isolation.spares, 1)
  assert.deepEqual(config.plugins.all?.grants, { network: [], addresses: [], storageMiB: 64 })
  assert.deepEqual(config.network, {})
  assert.equal(config.clouds.one?.concurrency, 64)
  assert.equal(config.orders.longestRetryMs, 120_000)
  assert.deepEqual(config.members.list, [])
})

test('each mistake is one line with the file and the key', async () => {
  const mistakes: [string, object, RegExp][] = [
    ['typo', { ...minimal, htpp: {} }, /: htpp is not a known key/],
    ['typo inside', { ...minimal, http: { prot: 1 } }, /: http\.prot is not a known key/],
    ['wrong type', { ...minimal, http: { port: 'x' } }, /: http\.port must be integer/],
    [
      'public address with a path',
      { ...minimal, http: { publicUrl: 'https://x.example/a' } },
      /: http\.publicUrl/,
    ],
    [
      'return address with a query',
      { ...minimal, http: { loginReturnUrls: ['https://x.example/a?b'] } },
      /: http\.loginReturnUrls\[0\]/,
    ],
    ['out of range', { ...minimal, http: { port: 70000 } }, /: http\.port must be <= 65535/],
    ['missing', { ...minimal, site: {} }, /: site\.id is required/],
    ['no clouds', { ...minimal, clouds: {} }, /: clouds must NOT have fewer than 1/],
    [
      'a limit out of range',
      { ...minimal, plugins: { all: { package: 'x', limits: { memoryMiB: 1 } } } },
      /: plugins\.all\.limits\.memoryMiB must be >= 32/,
    ],
    [
      'a limit under its older place',
      { ...minimal, plugins: { all: { package: 'x', memoryMiB: 64 } } },
      /: plugins\.all\.memoryMiB is not a known key/,
    ],
    [
      'an isolation that is none',
      { ...minimal, plugins: { all: { package: 'x', isolation: 'thread' } } },
      /: plugins\.all\.isolation must be one of worker, process, process\+ns/,
    ],
    [
      'a review of no bundle',
      { ...minimal, isolation: { reviewed: { 'some-package': '1.2.3' } } },
      /: isolation\.reviewed\.some-package must match pattern/,
    ],
    ['unknown level', { ...minimal, log: { level: 'loud' } }, /: log\.level must be one of trace/],
    [
      'no such plugin',
      { ...minimal, clouds: { one: { plugin: 'alll', mapper: 'all' } } },
      /: clouds\.one\.plugin no plugin is named 'alll'; plugins are all/,
    ],
    [
      'no such plugin for AAA',
      { ...minimal, aaa: { ...minimal.aaa, authorization: 'nobody' } },
      /: aaa\.authorization no plugin is named 'nobody'/,
    ],
    [
      'no such kind',
      { ...minimal, clouds: { one: { plugin: 'all', mapper: 'all', kinds: { disk: 'all' } } } },
      /: clouds\.one\.kinds\.disk is no plugin kind; kinds are .*volume/,
    ],
    [
      'a grant that is no pattern',
      withPlugin({ grants: { network: ['*', 'ftp://a.example'] } }),
      /: plugins\.all\.grants\.network\[1\] 'ftp:\/\/a\.example': the scheme must be one of https,/,
    ],
    [
      'a range that is none',
      withPlugin({ grants: { addresses: ['10.0.0.1'] } }),
      /: plugins\.all\.grants\.addresses\[0\] '10\.0\.0\.1': must be an address range such as/,
    ],
    [
      'an exemption from the proxy that is none',
      { ...minimal, network: { noProxy: ['http://x'] } },
      /: network\.noProxy\[0\] 'http:\/\/x': must be a name, \*\.domain,/,
    ],
    [
      'a name server by its name',
      withPlugin({ network: { dnsServers: ['192.0.2.53:5353', '[::1]:53', 'ns.example'] } }),
      /: plugins\.all\.network\.dnsServers\[2\] 'ns\.example': must be an address/,
    ],
    [
      'credentials in the address of the proxy',
      { ...minimal, network: { proxy: 'http://user:hunter2@proxy.example' } },
      /: network\.proxy must match pattern/,
    ],
    [
      'a secret in clear',
      { ...minimal, plugins: { all: { package: 'x', secrets: { key: 'hunter2' } } } },
      /: plugins\.all\.secrets\.key must match pattern/,
    ],
  ]
  for (const [what, config, expected] of mistakes) {
    const { file, said } = await problemOf(config)
    assert.match(said, expected, what)
    assert.ok(said.startsWith(file), `${what}: ${said} names the file`)
    assert.ok(!said.includes('hunter2'), 'a secret is not repeated')
  }
})

test('a file that cannot be read as a configuration is named', async () => {
  const broken = await problemOf('export default {', 'fogbow.config.ts')
  assert.ok(broken.said.includes(broken.file))
  const empty = await problemOf('', 'fogbow.config.json')
  assert.match(empty.said, /the file is empty/)
  await assert.rejects(load(join(folder, 'nowhere.ts')), {
    code: 'configuration_error',
    message: /nowhere\.ts/,
  })
})

test('without any file, what to do is said', async () => {
  await assert.rejects(loadConfig({ env: {}, cwd: folder }), {
    code: 'configuration_error',
    message: /no fogbow\.config\.ts in .* or above; FOGBOW_CONFIG names one/,
  })
})

test('a file is found upwards from the working directory', async () => {
  const file = await write(minimal)
  const { file: found } = await loadConfig({ env: {}, cwd: join(file, '..') })
  assert.equal(found, file)
})

test('the environment overrides port, data directory and file', async () => {
  const file = await write({ ...minimal, dataDir: './there' })
  const plain = await load(file)
  assert.equal(plain.dataDir, join(file, '../there'))
  const env = { PORT: '0', FOGBOW_DATA_DIR: 'here', FOGBOW_CONFIG: file }
  const changed = await loadConfig({ env, cwd: folder })
  assert.equal(changed.file, file)
  assert.equal(changed.config.http.port, 0)
  assert.equal(changed.dataDir, join(folder, 'here'))
})

test('a PORT that is none is refused by name', async () => {
  const file = await write(minimal)
  for (const PORT of ['http', '-1', '65536', '80.5']) {
    await assert.rejects(load(file, { env: { PORT } }), {
      code: 'configuration_error',
      message: new RegExp(`^PORT: '${PORT}' is no port number`),
    })
  }
})

test('reading again sees what the file says now', async () => {
  const file = await write(`export default ${JSON.stringify(minimal)}`, 'fogbow.config.ts')
  assert.equal((await load(file)).config.site.id, 'site-a.test')
  const other = { ...minimal, site: { id: 'site-b.test' } }
  await writeFile(file, `export default ${JSON.stringify(other)}`)
  assert.equal((await load(file)).config.site.id, 'site-b.test')
})

test('a reference to a file starts at the configuration, or at the data directory', () => {
  const at = { folder: '/etc/fogbow', dataDir: '/var/fogbow' }
  assert.equal(resolveReference('file:key', at), 'file:/etc/fogbow/key')
  assert.equal(resolveReference('file:/abs/key', at), 'file:/abs/key')
  assert.equal(resolveReference('file:{dataDir}/key', at), 'file:/var/fogbow/key')
  assert.equal(resolveReference('env:KEY', at), 'env:KEY')
})
