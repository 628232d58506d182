import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runOnTerminal } from '../../core/cli/fixtures/run-cli.ts'
import { marketConfig, runMarket } from './support/market-site.ts'
import { vendorCloud, vendorVersion } from './support/vendor-cloud.ts'

const config = {
  type: 'object',
  additionalProperties: false,
  required: ['endpoint'],
  properties: { endpoint: { type: 'string' }, retries: { type: 'integer' } },
}

const demanding = {
  config: {
    type: 'object',
    required: ['endpoint', 'zone'],
    properties: {
      endpoint: { type: 'string', description: 'URL of the cloud' },
      zone: { type: 'string' },
    },
  },
  capabilities: { secrets: ['password'] },
}

const site = runMarket({
  publish: [
    vendorVersion({ version: '1.0.0', config }),
    vendorVersion({ version: '1.1.0', config, license: 'GPL-3.0-only' }),
    vendorVersion({ name: '@vendor/other', version: '1.0.0', ...demanding }),
    vendorVersion({ name: '@fogb0w/plugin-emulated-cloud', version: '1.0.0' }),
  ],
})

test('whoever sits at a terminal is asked for missing settings and for what is new in rights', async () => {
  const { process, market } = site
  const env = { FOGBOW_URL: process.url, FOGBOW_TOKEN: market.client.token ?? '', NO_COLOR: '1' }
  const { code, screen } = await runOnTerminal(
    ['plugin', 'install', `${vendorCloud}@1.0.0`],
    { ...env, XDG_CONFIG_HOME: process.folder },
    [
      [/plugins\.vendor\.config\.endpoint: /, 'https://cloud.example'],
      [/Accept .*level community\? \[y\/N\] /, 'y'],
    ],
  )
  assert.equal(code, 0, screen)
  assert.equal(await market.answeredBy(), '1.0.0')
})

test('a setting is added to those before, and all of them are taken away at once', async () => {
  const added = await site.cli(['plugin', 'config', 'vendor', 'retries=3'])
  assert.equal(added.code, 0, added.stderr)
  const [present] = await site.market.get<{ settings: object }[]>('generations')
  const both = { endpoint: 'https://cloud.example', retries: 3 }
  assert.deepEqual(present?.settings, { vendor: { config: both } })
  const refused = await site.cli(['plugin', 'config', 'vendor', '--clear'])
  assert.equal(refused.code, 1, 'it cannot be without its endpoint')
  assert.match(refused.stderr, /config\.endpoint is required/)
  const nothing = await site.cli(['plugin', 'config', 'vendor'])
  assert.equal(nothing.code, 0, nothing.stderr)
  assert.match(nothing.stdout, /Nothing is missing; .*fogbow plugin reference vendor/)
})

test('config without settings asks at a terminal for what is missing, and lists it where nobody can be asked', async () => {
  const { process, market, cli } = site
  const absent = await cli(['plugin', 'config', 'other'])
  assert.equal(absent.code, 1)
  assert.match(absent.stderr, /There is no plugin 'other'/)
  await market.change({ action: 'install', source: '@vendor/other@1.0.0' })
  const file = join(process.folder, 'fogbow.config.ts')
  const named = { other: { package: '@vendor/other' } }
  writeFileSync(file, marketConfig({ registry: site.registry.url, plugins: named }))
  assert.equal((await cli(['reload'])).code, 0)
  assert.match((await market.plugin('other')).reason ?? '', /config\.endpoint is required/)

  const listed = await cli(['plugin', 'config', 'other'])
  assert.equal(listed.code, 1)
  assert.match(listed.stdout, /config\.endpoint +endpoint=… +URL of the cloud\n/)
  assert.match(listed.stdout, /secrets\.password +--secret password=env:NAME/)
  assert.match(listed.stderr, /does not start without config\.endpoint, config\.zone/)
  assert.match(listed.stderr, /config other endpoint=… zone=… --secret password=env:NAME/)
  const json = await cli(['plugin', 'config', 'other', '--json'])
  assert.equal(json.code, 1)
  const { missing, secrets } = JSON.parse(json.stdout)
  assert.deepEqual([missing, secrets], [['endpoint', 'zone'], ['password']])

  const password = join(process.folder, 'password-of-other')
  writeFileSync(password, 'of the cloud')
  const env = { FOGBOW_URL: process.url, FOGBOW_TOKEN: market.client.token ?? '', NO_COLOR: '1' }
  const asked = await runOnTerminal(
    ['plugin', 'config', 'other'],
    { ...env, XDG_CONFIG_HOME: process.folder },
    [
      [/plugins\.other\.config\.endpoint \(URL of the cloud\): /, 'https://cloud.example'],
      [/plugins\.other\.config\.zone: /, 'north'],
      [
        /plugins\.other\.secrets\.password \(env:NAME or file:path, never the secret\): /,
        `file:${password}`,
      ],
    ],
  )
  assert.equal(asked.code, 0, asked.screen)
  const [present] = await market.get<{ settings: Record<string, object> }[]>('generations')
  assert.deepEqual(present?.settings.other, {
    config: { endpoint: 'https://cloud.example', zone: 'north' },
    secrets: { password: `file:${password}` },
  })
  assert.equal((await cli(['plugin', 'config', 'other'])).code, 0)
})

test('a plan says everything that somebody should know before a yes, and prints it as JSON', async () => {
  const planned = await site.cli(['plugin', 'upgrade', vendorCloud, '--plan-only'])
  assert.match(planned.stdout, /@vendor\/cloud {2}1\.0\.0 → 1\.1\.0 {2}\(community\)/)
  assert.match(planned.stdout, /licence: MIT → GPL-3\.0-only/)
  assert.match(planned.stdout, /! license GPL-3\.0-only/)
  assert.match(planned.stdout, /absent {2}publisher: The policy names no publisher for it/)
  const json = await site.cli(['plugin', 'upgrade', vendorCloud, '--plan-only', '--json'])
  assert.deepEqual(JSON.parse(json.stdout).needsAcceptance, ['license GPL-3.0-only'])
})

test('a name that could be taken for a better-known one is warned of, in the search and in the plan', async () => {
  const found = await site.cli(['plugin', 'search', 'cloud'])
  assert.match(found.stdout, /looks like @fogbow\/plugin-emulated-cloud!/)
  const planned = await site.cli([
    'plugin',
    'install',
    '@fogb0w/plugin-emulated-cloud',
    '--plan-only',
  ])
  assert.match(planned.stdout, /warning name: It looks like @fogbow\/plugin-emulated-cloud/)
})

test('every list is JSON where that is asked for', async () => {
  const lists = ['list', 'plans', 'generations', 'drift', 'trials', 'revocations', 'refresh']
  for (const list of lists) {
    const { code, stdout, stderr } = await site.cli(['plugin', list, '--json'])
    assert.equal(code, 0, stderr)
    assert.ok(Array.isArray(JSON.parse(stdout)), `${list}: ${stdout}`)
  }
})
