import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createHome, type Home } from './fixtures/run-cli.ts'
import { type StubAnswers, type StubSite, startStubSite } from './fixtures/stub-site.ts'

let home: Home
let site: StubSite | undefined

before(async () => {
  home = await createHome({ FOGBOW_TOKEN: 'token' })
})
after(async () => {
  await site?.close()
  await home.remove()
})

async function run(answers: StubAnswers, args: string[]) {
  await site?.close()
  site = await startStubSite(answers)
  const result = await home.run(args, { env: { FOGBOW_URL: site.url } })
  return { ...result, url: site.url, requests: site.requests }
}

const view = {
  id: 'site.a',
  version: '0.1.0',
  members: ['site.a', 'site.b'],
  clouds: [
    { name: 'lab', isDefault: true, health: 'ready', plugins: { compute: 'emu', volume: 'emu' } },
  ],
  plugins: [{ name: 'emu', package: '@x/emu', version: '1.2.3', state: 'ready', reason: null }],
}

test('the status of a site shows its clouds and plugins, without a log-in', async () => {
  const { code, cells, requests, url } = await run(
    { 'GET /site.json': { body: view }, 'GET /readyz': {} },
    ['status'],
  )
  assert.equal(code, 0)
  assert.deepEqual(cells, [
    ['url', url],
    ['id', 'site.a'],
    ['version', '0.1.0'],
    ['members', 'site.a, site.b'],
    ['ready', 'true'],
    ['CLOUD', 'HEALTH', 'PLUGINS'],
    ['lab (default)', 'ready', 'emu'],
    ['PLUGIN', 'STATE', 'REASON'],
    ['emu (@x/emu 1.2.3)', 'ready'],
  ])
  for (const { headers } of requests) assert.equal(headers['fogbow-user-token'], undefined)
  assert.equal(requests[0]?.headers.accept, 'application/json')
})

test('the status of a site that is not ready ends with 1', async () => {
  const answers = { 'GET /site.json': { body: view }, 'GET /readyz': { status: 503 } }
  const { code, stdout, stderr } = await run(answers, ['status', '--json'])
  assert.equal(code, 1)
  assert.deepEqual(JSON.parse(stdout), { ...view, ready: false })
  assert.match(stderr, /is not ready/)
})

test('members are listed one per line', async () => {
  const answers = { 'GET /ms/members': { body: { members: ['site.a', 'site.b'] } } }
  assert.equal((await run(answers, ['members'])).stdout, 'site.a\nsite.b\n')
})

test('the audit is filtered by the site', async () => {
  const entry = { timestamp: 't', userId: 'ann', operation: 'create', resourceType: 'COMPUTE' }
  const { cells, requests } = await run(
    { 'GET /ras/admin/audit': { body: [{ ...entry, orderId: 'o-1', response: 'ok' }] } },
    ['audit', '--user', 'ann', '--order', 'o-1'],
  )
  assert.deepEqual(cells[1], ['t', 'ann', 'create', 'COMPUTE', 'o-1', 'ok'])
  assert.equal(requests[0]?.target, '/ras/admin/audit?userId=ann&orderId=o-1&limit=100')
})

test('a backup prints where it is', async () => {
  const answers = { 'POST /ras/admin/backup': { status: 201, body: { path: '/data/b.sqlite' } } }
  assert.equal((await run(answers, ['backup'])).stdout, '/data/b.sqlite\n')
})

test('who is no administrator is told who decides', async () => {
  const answers = { 'POST /ras/admin/backup': { status: 403, body: { message: 'Not for you' } } }
  const { code, stderr } = await run(answers, ['backup'])
  assert.equal(code, 1)
  assert.equal(stderr, 'error: Not for you\nan administrator of the site decides who may do this\n')
})

test('plugins of a running site are listed and restarted through its API', async () => {
  const plugin = { name: 'emu', package: '@x/emu', version: '1.2.3', kinds: ['compute', 'quota'] }
  const answers = {
    'GET /ras/admin/plugins': { body: [{ ...plugin, state: 'ready', isolation: 'worker' }] },
    'POST /ras/admin/plugins/emu/restart': {},
  }
  const { cells } = await run(answers, ['plugin', 'list'])
  assert.deepEqual(cells[1], ['emu', '@x/emu', '1.2.3', 'compute, quota', 'ready', 'worker'])
  assert.equal((await run(answers, ['plugin', 'restart', 'emu'])).code, 0)
})
