import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type SiteOptions, SiteProcess, siteConfig } from '../support/site-process.ts'
import { emulatedCloud, siteSettings } from './site-settings.ts'

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'fogbow-faults-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

/** What a site says before it ends; fails when it runs. */
async function refusal(options: SiteOptions): Promise<string> {
  const site = SiteProcess.launch(options)
  const code = await site.says(/ is ready at /).then(
    () => 'it runs',
    () => site.process.exitCode,
  )
  await site.stop()
  assert.equal(code, 1, `exit code 1: ${site.output}`)
  const words = site.output.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
  assert.ok(words.length <= 2, `one or two lines: ${words.join('\n')}`)
  assert.doesNotMatch(words.join(), /\bat .*:\d+:\d+\)?$/m, 'no stack')
  return words.join('\n')
}

const wrongSettings: [string, Parameters<typeof siteSettings>[0], RegExp][] = [
  [
    'a key with a typo',
    { site: { id: 'a.test', biuld: 'x' } },
    /config\.ts: site\.biuld is not a known key/,
  ],
  ['a wrong type', { http: { port: 'http' } }, /config\.ts: http\.port must be integer/],
  [
    'a name that stands for no plugin',
    { clouds: { one: { plugin: 'emulatd', mapper: 'account' } } },
    /config\.ts: clouds\.one\.plugin no plugin is named 'emulatd'; plugins are identity, roles/,
  ],
  [
    'an identity package that is not installed',
    { plugins: { identity: { package: '@nobody/nothing' } } },
    /config\.ts: .*plugins\.identity\.package: '@nobody\/nothing' is not installed; install it with: fogbow plugin install/,
  ],
  [
    'settings that the schema of a plugin refuses',
    { plugins: { roles: { config: { adminRole: 7 } } } },
    /config\.ts: aaa\.authorization: .*plugins\.roles\.config\.adminRole must be string/,
  ],
  [
    'a secret that the identity plugin cannot do without',
    { plugins: { identity: { secrets: {} } } },
    /config\.ts: .*plugins\.identity\.secrets\.users is not configured/,
  ],
  [
    'a secret that a plugin does not ask for',
    { plugins: { identity: { secrets: { user: 'file:users.json' } } } },
    /config\.ts: .*plugins\.identity\.secrets\.user .*users/,
  ],
  [
    'a secret in an environment variable that is not set',
    { plugins: { identity: { secrets: { users: 'env:FOGBOW_TEST_UNSET' } } } },
    /config\.ts: .*plugins\.identity\.secrets\.users: the environment variable FOGBOW_TEST_UNSET is not set/,
  ],
  [
    'a secret in a file that is not there',
    { plugins: { identity: { secrets: { users: 'file:no-such-file' } } } },
    /config\.ts: .*plugins\.identity\.secrets\.users: cannot read .*no-such-file: ENOENT/,
  ],
  [
    'an isolation that cannot be had',
    { minimumIsolation: 'process', plugins: { identity: { isolation: 'worker' } } },
    /config\.ts: .*plugins\.identity\.isolation: 'worker' is weaker than minimumIsolation, which is 'process'/,
  ],
  [
    'a kind that the plugin does not offer',
    { aaa: { authorization: 'account' } },
    /config\.ts: aaa\.authorization: plugin 'account' \(.*\) offers federationToLocalMapper and no authorization/,
  ],
]

describe('a site does not start, and one line says why', { concurrency: 2 }, () => {
  for (const [what, changes, expected] of wrongSettings)
    test(what, async () => {
      assert.match(await refusal({ config: siteSettings(changes) }), expected)
    })

  test('a file that is no TypeScript', async () => {
    const said = await refusal({ config: 'export default { site: {' })
    assert.match(said, /^fogbow: .*fogbow\.config\.ts/)
  })

  test('a file that is not there', async () => {
    const said = await refusal({ env: { FOGBOW_CONFIG: join(folder, 'nowhere.ts') } })
    assert.match(said, /^fogbow: .*nowhere\.ts/)
  })

  test('a PORT that is none', async () => {
    assert.match(await refusal({ env: { PORT: 'eighty' } }), /PORT: 'eighty' is no port number/)
  })

  test('a port that is taken', async (t) => {
    const other = createServer().listen(0, '127.0.0.1')
    t.after(() => other.close())
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const said = await refusal({ config: siteConfig(), env: { PORT: String(port) } })
    assert.match(said, new RegExp(`Cannot listen at 127\\.0\\.0\\.1:${port}: another program`))
  })

  test('a plugin made for another version of the SDK', async () => {
    const source = join(folder, 'tomorrow')
    mkdirSync(source)
    writeFileSync(join(source, 'index.js'), 'export default { create: () => ({}) }')
    const fogbow = { sdk: '^99.0.0', kinds: ['authorization'], entry: './index.js' }
    const about = { name: 'tomorrow', version: '1.0.0', type: 'module', fogbow }
    writeFileSync(join(source, 'package.json'), JSON.stringify(about))
    const said = await refusal({
      config: siteSettings({ plugins: { roles: { package: source } } }),
    })
    assert.match(said, /plugins\.roles.*\^99\.0\.0/)
  })

  test('a store that is damaged', async () => {
    const data = join(folder, 'damaged/data')
    mkdirSync(data, { recursive: true })
    writeFileSync(join(data, 'site.db'), 'No database, but a text of some length. '.repeat(500))
    const said = await refusal({ config: siteConfig(), folder: join(data, '..') })
    assert.match(said, /^fogbow: Store .*site\.db: .*not a database/)
  })
})

test('a data directory serves one site, and the second one changes nothing in it', async () => {
  const site = await SiteProcess.start({ config: siteConfig() })
  try {
    const users = join(site.folder, 'data/users.json')
    const usersBefore = readFileSync(users, 'utf8')
    const said = await refusal({
      config: siteConfig(),
      folder: site.folder,
      env: { FOGBOW_ADMIN_PASSWORD: 'somebody-elses-password' },
    })
    assert.match(said, /site\.db: another process uses it; stop that site first, or give this one/)
    assert.equal(readFileSync(users, 'utf8'), usersBefore)
    const admin = await site.admin()
    assert.equal((await admin.get('/ras/computes/status')).status, 200)
  } finally {
    await site.stop()
  }
})

test('a cloud with a broken plugin is out of service alone, says why, and is back after a reload', async () => {
  const settings = (config: object) =>
    siteSettings({
      plugins: { second: { package: emulatedCloud, config } },
      clouds: { second: { plugin: 'second', mapper: 'account' } },
    })
  const site = await SiteProcess.start({ config: settings({ quotta: {} }) })
  try {
    const admin = await site.admin()
    const why = /plugins\.second\.config\.quotta is not a known key/
    const images = (cloud: string) => admin.get(`/ras/images/site-a.test/${cloud}`)
    assert.equal((await images('emulated')).status, 200)
    const refused = await images('second')
    assert.equal(refused.status, 503)
    assert.match((refused.body as { message: string }).message, why)
    const ready = await admin.get('/readyz')
    assert.equal(ready.status, 200, 'the site as a whole can take orders')
    assert.match(JSON.stringify(ready.body), why)
    assert.match((await admin.get('/')).body as string, why)
    const compute = (cloudName: string) =>
      admin.create('/ras/computes', { imageId: 'tiny', vCPU: 1, ram: 512, cloudName })
    const first = await compute('emulated')
    const second = await compute('second')
    await admin.until(`/ras/computes/${first}`, 'READY')

    writeFileSync(
      join(site.folder, 'fogbow.config.ts'),
      settings({}).replace('"second":', '"second" "'),
    )
    const unread = await admin.post('/ras/admin/reload')
    assert.equal(unread.status, 409)
    assert.match((unread.body as { message: string }).message, /fogbow\.config\.ts/)
    assert.equal((await images('emulated')).status, 200, 'a reload that fails changes nothing')

    writeFileSync(join(site.folder, 'fogbow.config.ts'), settings({}))
    assert.equal((await admin.post('/ras/admin/reload')).status, 200)
    assert.equal((await images('second')).status, 200)
    await admin.until(`/ras/computes/${second}`, 'READY')
    await admin.until(`/ras/computes/${first}`, 'READY')
    assert.deepEqual((await admin.get('/readyz')).body, { status: 'ready' })
  } finally {
    await site.stop()
  }
})
