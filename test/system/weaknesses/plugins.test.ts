import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { loadConfig } from '../../../core/config/index.ts'
import { contraryCloud, emulatedCloud, siteSettings } from '../faults/site-settings.ts'
import { addUser } from '../rest/run-site.ts'
import type { Client } from '../support/client.ts'
import { SiteProcess } from '../support/site-process.ts'

const official = join(emulatedCloud, '..')
const cloud = (plugin: string, mapper = 'account') => ({ plugin, mapper })

/** Paths of this configuration start at its own folder, wherever the site is started. */
const initial = {
  plugins: {
    contrary: { package: './contrary', limits: { memoryMiB: 64 } },
    broken: { package: emulatedCloud, config: { imags: [] } },
    own: {
      package: join(official, 'per-user-account'),
      secrets: { accounts: 'file:./accounts.json' },
    },
  },
  clouds: {
    contrary: cloud('contrary'),
    broken: cloud('broken'),
    personal: cloud('emulated', 'own'),
  },
  members: { list: ['site-b.test'] },
}

let folder: string
let site: SiteProcess
let admin: Client
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fogbow-plugins-'))
  cpSync(contraryCloud, join(folder, 'contrary'), { recursive: true })
  writeFileSync(join(folder, 'accounts.json'), JSON.stringify({ ana: 'key-of-ana' }))
  site = await SiteProcess.start({ folder, config: siteSettings(initial) })
  admin = await site.admin()
})
after(async () => {
  await site.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Plugin {
  name: string
  package: string
  version: string
  kinds: string[]
  state: string
  isolation: string
  reason: string | null
  capabilities: { network: string[]; secrets: string[]; storage: boolean }
}

async function listed(): Promise<Plugin[]> {
  return (await admin.get('/ras/admin/plugins')).body as Plugin[]
}

const images = (name: string, client = admin) => client.get(`/ras/images/site-a.test/${name}`)

test('67: relative paths start at the configuration file, not where the site happens to be started', async () => {
  assert.equal((await images('contrary')).status, 200)
})

test('60: a plugin is added while the site runs, from a package that says what it is and wants', async () => {
  const more = {
    ...initial,
    plugins: { ...initial.plugins, added: { package: './contrary' } },
    clouds: { ...initial.clouds, added: cloud('added') },
  }
  writeFileSync(join(folder, 'fogbow.config.ts'), siteSettings(more))
  assert.equal((await admin.post('/ras/admin/reload')).status, 200)
  assert.equal((await images('added')).status, 200)
  const { isolation, ...plugin } = (await listed()).find(({ name }) => name === 'added') as Plugin
  assert.match(isolation, /^process/, 'it is the code of a stranger')
  assert.partialDeepStrictEqual(plugin, {
    name: 'added',
    package: 'contrary-cloud',
    version: '1.0.0',
    kinds: ['image', 'network'],
    state: 'ready',
    reason: null,
    capabilities: { network: [], addresses: [], secrets: ['key'], storage: true },
  })
})

test('61: a plugin that never gives its thread back holds up no order of another one', async () => {
  let isOver = false
  const loop = admin.get('/ras/images/site-a.test/contrary/loop').finally(() => {
    isOver = true
  })
  const id = await admin.create('/ras/volumes', { size: 1 })
  await admin.until(`/ras/volumes/${id}`, 'READY')
  assert.equal(isOver, false)
  assert.equal((await loop).status, 502)
})

test('62: a mistake in the settings of one cloud stops neither the site nor its other clouds', async () => {
  const refused = await images('broken')
  assert.equal(refused.status, 503)
  assert.match((refused.body as { message: string }).message, /plugins\.broken\.config\.imags/)
  assert.equal((await images('emulated')).status, 200)
})

test('63: plugins, clouds, accounts, members and rights can be seen and managed without a file on the host', async () => {
  const broken = (await listed()).find(({ name }) => name === 'broken')
  assert.equal(broken?.state, 'quarantined')
  assert.match(broken?.reason ?? '', /imags is not a known key/)
  const page = (await admin.get('/')).body as string
  for (const name of ['emulated', 'contrary', 'broken', 'personal', 'own', 'site-b.test'])
    assert.ok(page.includes(name), `${name} is on the front page`)
  assert.deepEqual((await admin.get('/ms/members')).body, {
    members: ['site-a.test', 'site-b.test'],
  })
  assert.equal((await admin.post('/ras/admin/plugins/contrary/restart')).status, 200)
  const policy = JSON.stringify({ roles: { guest: { rules: [] } } })
  assert.equal((await admin.put('/ras/admin/policy', { policy })).status, 200)
})

test('64: users can have an account of their own in a cloud, and nobody gets that of another', async () => {
  addUser(site, 'ana', [])
  addUser(site, 'bob', [])
  const [ana, bob] = [site.client(), site.client()]
  await ana.login('ana', 'a-password-of-a-user')
  await bob.login('bob', 'a-password-of-a-user')
  assert.equal((await images('personal', ana)).status, 200)
  const refused = await images('personal', bob)
  assert.equal(refused.status, 403)
  assert.match(
    (refused.body as { message: string }).message,
    /'bob' .* has no account in this cloud/,
  )
})

test('66: every setting has a default or is asked for by name, and numbers are numbers', async () => {
  const file = join(folder, 'small.json')
  const least = {
    site: { id: 'a.test' },
    plugins: { all: { package: './x' } },
    aaa: {
      tokenGenerator: 'all',
      federationIdentity: 'all',
      authentication: 'all',
      authorization: 'all',
    },
    clouds: { one: { plugin: 'all', mapper: 'all' } },
  }
  const load = (config: object) => {
    writeFileSync(file, JSON.stringify(config))
    return loadConfig({ file, cwd: folder, env: {} })
  }
  const { config } = await load(least)
  for (const [name, value] of Object.entries(config.orders))
    assert.ok(Number.isInteger(value), `orders.${name}`)
  for (const name of Object.keys(config.orders))
    await assert.rejects(load({ ...least, orders: { [name]: 'soon' } }), {
      code: 'configuration_error',
      message: new RegExp(`orders\\.${name} must be integer`),
    })
})

test('69: long user data and keys arrive whole, or are refused', async () => {
  const publicKey = `ssh-rsa ${'A'.repeat(4000)} ana@home`
  const content = Buffer.alloc(30_000, 'x').toString('base64')
  const userData = [
    { extraUserDataFileContent: content, extraUserDataFileType: 'SHELL_SCRIPT', tag: 'setup' },
  ]
  const compute = { imageId: 'tiny', vCPU: 1, ram: 512, publicKey, userData }
  const id = await admin.create('/ras/computes', compute)
  const view = await admin.until(`/ras/computes/${id}`, 'READY')
  assert.equal(view.publicKey, publicKey)
  assert.deepEqual(view.userData, userData)
  const tooLong = await admin.post('/ras/computes', { ...compute, publicKey: 'A'.repeat(16_385) })
  assert.equal(tooLong.status, 400)
  assert.equal((tooLong.body as { field: string }).field, 'compute.publicKey')
})

test('70: life, readiness and figures of the site can be asked for, and its log read by machines', async () => {
  assert.deepEqual((await admin.get('/healthz')).body, { status: 'alive' })
  const ready = await admin.get('/readyz')
  assert.equal(ready.status, 200)
  assert.equal((ready.body as { status: string }).status, 'ready')
  const metrics = (await admin.get('/metrics')).body as string
  for (const name of ['http_request_seconds', 'orders', 'order_transitions_total', 'plugin_state'])
    assert.match(metrics, new RegExp(`^fogbow_${name}`, 'm'))
  const lines = site.output.split('\n').filter((line) => line.startsWith('{'))
  assert.ok(lines.length > 0)
  for (const line of lines) assert.ok(JSON.parse(line).time, line)
})

test('74: the store can be copied at any time, and knows which changes of its form it has seen', async () => {
  const { path } = (await admin.post('/ras/admin/backup')).body as { path: string }
  const copy = new DatabaseSync(path, { readOnly: true })
  const migrations = copy.prepare('SELECT name FROM kysely_migration ORDER BY name').all()
  assert.match(String(migrations[0]?.name), /^0001-/)
  assert.equal(copy.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok')
  copy.close()
})
