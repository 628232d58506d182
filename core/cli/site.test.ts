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
  plugins: [
    { name: 'emu', package: '@x/emu', version: '1.2.3', state: 'ready', isolation: 'worker' },
  ],
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
    ['PLUGIN', 'STATE', 'ISOLATION', 'REASON'],
    ['emu (@x/emu 1.2.3)', 'ready', 'worker'],
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

test('members are shown with how they fare, and who names them', async () => {
  const members = [
    { id: 'site.a', local: true, dialect: 'own', liveness: 'alive', sources: [] },
    {
      id: 'site.b',
      local: false,
      dialect: 'java',
      liveness: 'silent',
      latencyMs: 12.34,
      lastSeenAt: '2030-01-31T12:00:00.000Z',
      problem: 'it cannot be reached',
      sources: [
        { source: 'configuration', statement: 'none' },
        { source: 'meet.example', statement: 'verified', lastHeardAt: '2030-01-31T12:00:00.000Z' },
      ],
    },
  ]
  const answers = { 'GET /ms/members/status': { body: { members } } }
  const { cells } = await run(answers, ['members'])
  assert.deepEqual(cells, [
    ['MEMBER', 'DIALECT', 'LIVENESS', 'LATENCY', 'LAST SEEN', 'NAMED BY', 'PROBLEM'],
    ['site.a (this site)', 'own', 'alive'],
    [
      'site.b',
      'java',
      'silent',
      '12.3 ms',
      '2030-01-31T12:00:00.000Z',
      'configuration, meet.example (verified)',
      'it cannot be reached',
    ],
  ])
  const { stdout } = await run(answers, ['members', '--json'])
  assert.deepEqual(JSON.parse(stdout), { members })
})

test('members of a site of the original service are listed one per line', async () => {
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

test('one plugin is shown with its isolation, what it may reach, and what it uses', async () => {
  const plugin = {
    name: 'emu',
    state: 'ready',
    isolation: 'process',
    advice: 'To give it a thread again: fogbow plugin restart emu --original-isolation',
    isolationChoice: {
      wanted: 'worker',
      why: 'its bundle was reviewed',
      minimum: 'worker',
      missing: ['namespaces are switched off', 'prlimit is not installed'],
      moved: { reason: 'its thread did not end', at: '2030-01-01T00:00:00.000Z' },
    },
    capabilities: {
      network: ['cloud.example:443'],
      addresses: [],
      secrets: ['key'],
      storage: true,
    },
    storage: { usedBytes: 10, quotaBytes: 1000 },
    limits: { memoryMiB: 256 },
    usage: { calls: 7, errors: 1 },
  }
  const answers = { 'GET /ras/admin/plugins/emu': { body: plugin } }
  const { cells } = await run(answers, ['plugin', 'show', 'emu'])
  const shown = Object.fromEntries(cells)
  assert.equal(shown.isolation, 'process')
  assert.equal(shown.isolationWanted, 'worker, because its bundle was reviewed')
  assert.match(shown.isolationMissing ?? '', /switched off, prlimit is not installed/)
  assert.equal(shown.moved, '2030-01-01T00:00:00.000Z: its thread did not end')
  assert.match(shown.advice ?? '', /--original-isolation$/)
  assert.equal(shown.network, 'cloud.example:443')
  assert.match(shown.storage ?? '', /usedBytes=10/)
  assert.match(shown.usage ?? '', /calls=7/)
  const asJson = await run(answers, ['plugin', 'show', 'emu', '--json'])
  assert.deepEqual(JSON.parse(asJson.stdout), plugin)
})

test('a restart asks for the original isolation only when it is told to', async () => {
  const answers = { 'POST /ras/admin/plugins/emu/restart': {} }
  const asked = async (...more: string[]) => {
    const { requests } = await run(answers, ['plugin', 'restart', 'emu', ...more])
    return requests[0]?.body
  }
  assert.deepEqual(await asked(), { originalIsolation: false })
  assert.deepEqual(await asked('--original-isolation'), { originalIsolation: true })
})

test('the doctor asks the site, and lists what is missing', async () => {
  const body = { level: 'process', missing: ['user namespaces', 'prlimit'], zombies: 0 }
  const { stdout, url } = await run({ 'GET /ras/admin/isolation': { body } }, ['doctor'])
  assert.match(stdout, /level +process/)
  assert.match(stdout, /Missing for more:\n- user namespaces\n- prlimit/)
  assert.ok(stdout.includes(url))
})
