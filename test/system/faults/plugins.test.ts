import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Client } from '../support/client.ts'
import { SiteProcess } from '../support/site-process.ts'
import { contraryCloud, siteSettings } from './site-settings.ts'

const siteId = 'site-a.test'
const cloud = (plugin: string) => ({ plugin, mapper: 'account' })
/** In threads, where it can do most. */
const contrary = (config = {}) => ({
  package: contraryCloud,
  config,
  isolation: 'worker',
  limits: { memoryMiB: 64 },
})

const settings = siteSettings({
  plugins: {
    contrary: contrary(),
    fragile: contrary(),
    greedy: contrary({ whenRequested: 'grow' }),
    endless: contrary({ whenRequested: 'loop' }),
    throwing: contrary({ start: 'throwing' }),
    incomplete: contrary({ start: 'without a method' }),
    late: { ...contrary({ start: 'hanging' }), limits: { memoryMiB: 64, loadTimeoutMs: 600_000 } },
    stranger: { package: contraryCloud },
    hostile: { package: './hostile', config: { name: `${'a'.repeat(10_000)}!` } },
  },
  clouds: {
    contrary: cloud('contrary'),
    fragile: cloud('fragile'),
    greedy: cloud('greedy'),
    endless: cloud('endless'),
    throwing: cloud('throwing'),
    incomplete: cloud('incomplete'),
    late: cloud('late'),
    stranger: cloud('stranger'),
    hostile: cloud('hostile'),
  },
  orders: { firstRetryMs: 100, longestRetryMs: 500 },
})

interface Plugin {
  name: string
  state: string
  reason: string | null
}

/** Harmless code with a schema whose check of a long name never ends. */
function writeHostile(folder: string): void {
  const name = { type: 'string', pattern: '^(a|a)*(a|a)*(a|a)*(a|a)*$' }
  const config = { type: 'object', properties: { name } }
  const fogbow = { sdk: '^0.1.0', kinds: ['network'], entry: './index.js', config }
  const about = { name: 'hostile-cloud', version: '1.0.0', type: 'module', fogbow }
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify(about))
  writeFileSync(join(folder, 'index.js'), 'export default { create: () => ({}) }')
}

let folder: string
let site: SiteProcess
let admin: Client
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fogbow-faults-'))
  writeHostile(join(folder, 'hostile'))
  site = await SiteProcess.start({ folder, config: settings })
  admin = await site.admin()
})
after(async () => {
  await site.stop()
  rmSync(folder, { recursive: true, force: true })
})

const misdeed = (cloudName: string, name: string) =>
  admin.get(`/ras/images/${siteId}/${cloudName}/${encodeURIComponent(name)}`)

async function pluginOf(name: string): Promise<Plugin> {
  const { body } = await admin.get('/ras/admin/plugins')
  const plugin = (body as Plugin[]).find((candidate) => candidate.name === name)
  assert.ok(plugin, `${name} is listed`)
  return plugin
}

async function untilPlugin(name: string, ...states: string[]): Promise<Plugin> {
  const giveUpAt = Date.now() + 30_000
  for (;;) {
    const plugin = await pluginOf(name)
    if (states.includes(plugin.state)) return plugin
    assert.ok(Date.now() < giveUpAt, `${name} stays ${plugin.state}, not ${states}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function restartsOf(name: string): Promise<number> {
  const metrics = (await admin.get('/metrics')).body as string
  return Number(new RegExp(`plugin_restarts_total\\{plugin="${name}"\\} (\\d+)`).exec(metrics)?.[1])
}

/** Its next sandbox runs, or there will be none. */
async function untilRestarted(name: string, restarts: number): Promise<void> {
  while ((await restartsOf(name)) < restarts) {
    if ((await pluginOf(name)).state === 'quarantined') return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await untilPlugin(name, 'ready')
}

async function assertOthersWork(): Promise<void> {
  const answer = await admin.get(`/ras/images/${siteId}/emulated`)
  assert.equal(answer.status, 200)
}

test('a plugin that never answers costs its caller 504 after its time, and holds up nothing else', async () => {
  let isOver = false
  const hanging = misdeed('contrary', 'hang').finally(() => {
    isOver = true
  })
  assert.equal((await misdeed('contrary', 'well')).status, 200, 'the same plugin goes on')
  await assertOthersWork()
  assert.equal(isOver, false)
  const { status, body } = await hanging
  assert.equal(status, 504)
  const { code, message } = body as { code: string; message: string }
  assert.equal(code, 'timeout')
  assert.match(message, /Plugin 'contrary' did not answer image\.getImage within 30000 ms/)
})

describe('what a plugin throws or answers wrongly is an error of the catalogue', () => {
  const thrown: [string, number, RegExp][] = [
    ['throw', 502, /'contrary' failed in image\.getImage: Error: tripped over its own feet/],
    ['throw text', 502, /'contrary' failed in image\.getImage: .*just a text/],
    ['reject hugely', 502, /'contrary' failed in image\.getImage: /],
    ['recurse for ever', 502, /'contrary' .*image\.getImage/],
    ['refuse', 409, /^no more of that$/],
  ]
  for (const [name, status, expected] of thrown)
    test(name, async () => {
      const answer = await misdeed('contrary', name)
      const { message } = answer.body as { message: string }
      assert.equal(answer.status, status, message)
      assert.match(message, expected)
      assert.ok(message.length <= 1100, 'the message is bounded')
    })

  const rubbish = [
    'nothing',
    'null',
    'a text',
    'a number',
    'a list',
    'an empty object',
    'a wrong type',
    'a missing field',
    'an empty id',
    'an endless name',
    'no JSON',
    'a circle',
  ]
  for (const name of rubbish)
    test(`an answer that is ${name}`, async () => {
      const { status, body } = await misdeed('contrary', name)
      const { message } = body as { message: string }
      assert.equal(status, 502, message)
      assert.match(message, /'contrary'.*image\.getImage/)
      assert.ok(message.length <= 1100, 'the message is bounded')
    })

  test('what it throws later, when nobody waits for it, is in the log under its name', async () => {
    assert.equal((await misdeed('contrary', 'throw late')).status, 200)
    assert.match(await site.says(/("plugin":"contrary".*tripped when nobody looked)/), /contrary/)
    assert.match(await site.says(/("plugin":"contrary".*rejected when nobody looked)/), /contrary/)
  })

  test('and the plugin is still the same, running', async () => {
    assert.equal((await misdeed('contrary', 'well')).status, 200)
    assert.equal(await restartsOf('contrary'), 0)
  })
})

test('a plugin that ends itself is restarted with pauses, put aside after five times, and back when asked for', async () => {
  const ends = [
    ['loop', /held its thread/],
    ['grow', /memory/],
    ['grow', /memory/],
    ['grow slowly', /memory/],
    ['loop', /held its thread/],
  ] as const
  for (const [index, [name, expected]] of ends.entries()) {
    const answer = misdeed('fragile', name)
    await assertOthersWork()
    const { status, body } = await answer
    const { message } = body as { message: string }
    assert.equal(status, 502, message)
    assert.match(message, /'fragile'/)
    assert.match(message, expected, name)
    await untilRestarted('fragile', index + 1)
  }
  const plugin = await untilPlugin('fragile', 'quarantined')
  assert.match(plugin.reason ?? '', /held its thread/)
  const refused = await misdeed('fragile', 'well')
  assert.equal(refused.status, 503)
  assert.match(
    (refused.body as { message: string }).message,
    /Plugin 'fragile' is quarantined: .*held its thread/,
  )
  const metrics = (await admin.get('/metrics')).body as string
  assert.match(metrics, /fogbow_plugin_state\{plugin="fragile",state="quarantined"\} 1/)
  assert.match((await admin.get('/')).body as string, /fragile[\s\S]*quarantined/)

  const id = await admin.create('/ras/networks', { cloudName: 'fragile' })
  await admin.until(`/ras/networks/${id}`, 'DISPATCHED')
  assert.equal((await admin.post('/ras/admin/plugins/fragile/restart')).status, 200)
  await untilPlugin('fragile', 'ready')
  await admin.until(`/ras/networks/${id}`, 'READY')
  assert.equal((await misdeed('fragile', 'well')).status, 200)
})

for (const name of ['greedy', 'endless'])
  test(`an order outlives its ${name} plugin, which is stopped in the middle of the request`, async () => {
    const id = await admin.create('/ras/networks', { cloudName: name })
    const other = await admin.create('/ras/networks', { cloudName: 'emulated' })
    await admin.until(`/ras/networks/${other}`, 'READY')
    await admin.until(`/ras/networks/${id}`, 'READY')
    const { body } = await admin.get(`/ras/networks/${id}/history`)
    assert.deepEqual(
      (body as { state: string }[]).map((event) => event.state),
      ['OPEN', 'SELECTED', 'SPAWNING', 'FULFILLED'],
    )
    assert.equal(await restartsOf(name), 1)
  })

test('a plugin that hangs while it is created holds up neither the start nor the end of the site', async () => {
  await assertOthersWork()
  assert.equal((await pluginOf('late')).state, 'starting')
  const { status, body } = await misdeed('late', 'well')
  assert.equal(status, 503)
  assert.match((body as { message: string }).message, /Plugin 'late' is starting/)
  assert.match(JSON.stringify((await admin.get('/readyz')).body), /plugin 'late' is starting/)
})

test('settings that the schema of a vendor checks for ever stop that plugin alone, by key', async () => {
  const { state, reason } = await pluginOf('hostile')
  assert.equal(state, 'quarantined')
  assert.match(
    reason ?? '',
    /plugins\.hostile\.config\.name takes more than \d+ ms to check \(schema of hostile-cloud 1\.0\.0\)/,
  )
})

test('the code of a stranger runs in a process, and one that loops in it is killed and back', async () => {
  const level = (name: string) => admin.get(`/ras/admin/plugins/${name}`).then(({ body }) => body)
  assert.partialDeepStrictEqual(await level('stranger'), {
    isolationChoice: { wanted: 'process', why: 'nobody has reviewed its bundle', moved: null },
  })
  assert.match(((await level('stranger')) as { isolation: string }).isolation, /^process/)
  assert.equal(((await level('emulated')) as { isolation: string }).isolation, 'worker')
  assert.equal((await misdeed('stranger', 'loop')).status, 502)
  await untilRestarted('stranger', 1)
  assert.equal((await misdeed('stranger', 'well')).status, 200)
})

test('a plugin that throws while it is created, or offers less than its manifest, stops its cloud alone', async () => {
  await assertOthersWork()
  for (const [name, expected] of [
    ['throwing', /config\.start: is set to throwing/],
    [
      'incomplete',
      /Plugin 'incomplete' offers no image\.getImage, which the kind 'image' requires/,
    ],
  ] as const) {
    const { reason } = await untilPlugin(name, 'backing-off', 'quarantined')
    assert.match(reason ?? '', expected)
    const { status, body } = await misdeed(name, 'well')
    assert.equal(status, 503)
    assert.match((body as { message: string }).message, expected)
    const ready = await admin.get('/readyz')
    assert.equal(ready.status, 200)
    assert.match(JSON.stringify(ready.body), expected)
  }
})
