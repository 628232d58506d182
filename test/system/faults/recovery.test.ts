import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import type { Client } from '../support/client.ts'
import { SiteProcess } from '../support/site-process.ts'
import { emulatedCloud, siteSettings } from './site-settings.ts'

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-recovery-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function storeOf(folder: string): DatabaseSync {
  return new DatabaseSync(join(folder, 'data/site.db'))
}

/** Clouds that each hold an order in another state, until the site is started with clouds that work. */
const clouds: Record<string, object> = {
  hanging: { failureRates: { requestInstance: { hangBefore: 1 } } },
  deaf: { failureRates: { requestInstance: { unavailableAfter: 1 } } },
  narrow: { failureRates: { requestInstance: { hangBefore: 1 } } },
  building: { delaysMs: { create: 60_000 } },
  silent: { failureRates: { getInstance: { unavailableBefore: 1 } } },
  pausing: { delaysMs: { action: 60_000 } },
  undeletable: { failureRates: { deleteInstance: { unavailableBefore: 1 } } },
  deleting: { delaysMs: { delete: 3000 } },
  full: { quota: { instances: 0 } },
  fine: {},
}

function manyClouds(settingsOf: (name: string) => object): string {
  const plugins = Object.keys(clouds).map((name) => [
    name,
    { package: emulatedCloud, config: settingsOf(name) },
  ])
  const entries = Object.keys(clouds).map((name) => [
    name,
    { plugin: name, mapper: 'account', concurrency: name === 'narrow' ? 1 : 64 },
  ])
  return siteSettings({
    plugins: Object.fromEntries(plugins),
    clouds: Object.fromEntries(entries),
    orders: { firstRetryMs: 100, longestRetryMs: 500, settleMs: 300, longestCheckMs: 500 },
  })
}

const small = { imageId: 'tiny', vCPU: 1, ram: 512 }
const create = (client: Client, cloudName: string, more = {}) =>
  client.create('/ras/computes', { ...small, cloudName, ...more })

async function statesOf(client: Client, id: string): Promise<string[]> {
  const { body } = await client.get(`/ras/computes/${id}/history`)
  return (body as { state: string }[]).map((event) => event.state)
}

async function untilState(client: Client, id: string, state: string): Promise<void> {
  const giveUpAt = Date.now() + 20_000
  for (;;) {
    const states = await statesOf(client, id)
    if (states.at(-1) === state) return
    assert.ok(Date.now() < giveUpAt, `${states} does not end with ${state}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('an order that is in any state when the process dies goes on after it, with one instance', async (t) => {
  const folder = newFolder(t)
  const first = await SiteProcess.start({
    folder,
    config: manyClouds((name) => clouds[name] ?? {}),
  })
  t.after(() => first.kill())
  const client = await first.admin()
  const selected = await create(client, 'hanging', { requirements: { gpu: '1' } })
  const unanswered = await create(client, 'deaf')
  const blocking = await create(client, 'narrow')
  const spawning = await create(client, 'building')
  const unseen = await create(client, 'silent')
  const paused = await create(client, 'pausing')
  const assigned = await create(client, 'undeletable')
  const checked = await create(client, 'deleting')
  const failed = await create(client, 'full')
  const ready = await create(client, 'fine')
  await untilState(client, blocking, 'SELECTED')
  const open = await create(client, 'narrow')
  for (const id of [paused, assigned, checked, ready]) await untilState(client, id, 'FULFILLED')
  assert.equal((await client.post(`/ras/computes/${paused}/pause`)).status, 200)
  for (const id of [assigned, checked]) await client.delete(`/ras/computes/${id}`)
  const expected: [string, string, string][] = [
    [selected, 'SELECTED', 'READY'],
    [unanswered, 'SELECTED', 'READY'],
    [open, 'OPEN', 'READY'],
    [spawning, 'SPAWNING', 'CREATING'],
    [unseen, 'UNABLE_TO_CHECK_STATUS', 'READY'],
    [paused, 'PAUSING', 'PAUSING'],
    [assigned, 'ASSIGNED_FOR_DELETION', 'GONE'],
    [checked, 'CHECKING_DELETION', 'GONE'],
    [failed, 'FAILED_ON_REQUEST', 'ERROR'],
    [ready, 'FULFILLED', 'READY'],
  ]
  for (const [id, state] of expected) await untilState(client, id, state)
  await first.kill()

  const second = await SiteProcess.start({ folder, config: manyClouds(() => ({})) })
  t.after(() => second.kill())
  const again = second.client()
  again.token = client.token
  for (const [id, , shown] of expected) await again.until(`/ras/computes/${id}`, shown)
  const view = (await again.get(`/ras/computes/${selected}`)).body as { vCPU: number }
  assert.equal(view.vCPU, 8, 'its requirements were not forgotten')
  assert.equal(await second.end(), 0)
  assertOneInstanceEach(folder, [blocking, ...expected.map(([id]) => id)])
})

/** No order has two instances, and none that lives has none. */
function assertOneInstanceEach(folder: string, ids: readonly string[]): void {
  const store = storeOf(folder)
  const orders = store.prepare('SELECT id, state, instance_id FROM orders').all()
  assert.deepEqual(new Set(orders.map((order) => order.id)), new Set(ids))
  const held = store
    .prepare("SELECT value FROM plugin_storage WHERE key LIKE 'instance/%'")
    .all()
    .map((row) => JSON.parse(String(row.value)) as Record<string, unknown>)
    .filter((instance) => instance.goneAt === undefined)
  store.close()
  for (const { id, state, instance_id } of orders) {
    const own = held.filter((instance) => instance.orderId === id)
    const lives = state !== 'CLOSED' && state !== 'FAILED_ON_REQUEST'
    assert.equal(own.length, lives ? 1 : 0, `${id} is ${state} with ${own.length} instances`)
    if (lives) assert.equal(own[0]?.instanceId, instance_id)
  }
}

test('a stop answers what is being asked, and ends with 0', async (t) => {
  const site = await SiteProcess.start({
    config: siteSettings({ plugins: { emulated: { config: { delaysMs: { call: 500 } } } } }),
  })
  t.after(() => site.stop())
  const client = await site.admin()
  const asked = client.get('/ras/images/site-a.test/emulated')
  const order = client.post('/ras/computes', small)
  await client.get('/healthz')
  const code = site.end()
  assert.equal((await asked).status, 200)
  assert.equal((await order).status, 201)
  assert.equal(await code, 0)
})

test('a stop does not wait for a cloud that never answers; its order goes on at the next start', async (t) => {
  const folder = newFolder(t)
  const hanging = siteSettings({
    plugins: { emulated: { config: { failureRates: { requestInstance: { hangAfter: 1 } } } } },
  })
  const first = await SiteProcess.start({ folder, config: hanging })
  t.after(() => first.kill())
  const client = await first.admin()
  const id = await client.create('/ras/computes', small)
  await untilState(client, id, 'SELECTED')
  const killer = setTimeout(() => void first.kill(), 20_000)
  assert.equal(await first.end(), 0)
  clearTimeout(killer)
  const second = await SiteProcess.start({ folder, config: siteSettings({}) })
  t.after(() => second.kill())
  const again = second.client()
  again.token = client.token
  await again.until(`/ras/computes/${id}`, 'READY')
  await second.end()
  assertOneInstanceEach(folder, [id])
})

test('a token, a revocation and the answer to a key outlive the process', async (t) => {
  const folder = newFolder(t)
  const config = siteSettings({})
  const first = await SiteProcess.start({ folder, config })
  t.after(() => first.kill())
  const client = await first.admin()
  const gone = await first.admin()
  await gone.delete('/as/tokens')
  const order = () => client.post('/ras/computes', small, { headers: { 'Idempotency-Key': 'k' } })
  const before = await order()
  await first.kill()
  const second = await SiteProcess.start({ folder, config })
  t.after(() => second.kill())
  const again = second.client()
  again.token = client.token
  const answer = await again.post('/ras/computes', small, { headers: { 'Idempotency-Key': 'k' } })
  assert.deepEqual([answer.status, answer.body], [before.status, before.body])
  const { body } = await again.get('/ras/computes/status')
  assert.equal((body as unknown[]).length, 1)
  again.token = gone.token
  assert.equal((await again.get('/ras/computes/status')).status, 401)
})

test('a copy of the store taken while it works can be started from', async (t) => {
  const site = await SiteProcess.start({ config: siteSettings({}) })
  t.after(() => site.stop())
  const client = await site.admin()
  const id = await client.create('/ras/computes', small)
  await client.until(`/ras/computes/${id}`, 'READY')
  const answer = await client.post('/ras/admin/backup')
  assert.equal(answer.status, 201)
  const folder = newFolder(t)
  mkdirSync(join(folder, 'data'))
  cpSync((answer.body as { path: string }).path, join(folder, 'data/site.db'))
  const copy = await SiteProcess.start({ folder, config: siteSettings({}) })
  t.after(() => copy.kill())
  const other = copy.client()
  other.token = client.token
  await other.until(`/ras/computes/${id}`, 'READY')
  assert.equal((await other.delete(`/ras/computes/${id}`)).status, 200)
  await other.until(`/ras/computes/${id}`, 'GONE')
})

test('what is forgotten after its time is old and over, and nothing else', async (t) => {
  const folder = newFolder(t)
  const config = siteSettings({ retention: { auditDays: 10, closedOrderDays: 10 } })
  const first = await SiteProcess.start({ folder, config })
  t.after(() => first.kill())
  const client = await first.admin()
  const ids: string[] = []
  for (let index = 0; index < 3; index += 1) ids.push(await client.create('/ras/computes', small))
  const [old, recent, alive] = ids as [string, string, string]
  for (const id of [old, recent]) {
    await client.until(`/ras/computes/${id}`, 'READY')
    await client.delete(`/ras/computes/${id}`)
    await client.until(`/ras/computes/${id}`, 'GONE')
  }
  await client.until(`/ras/computes/${alive}`, 'READY')
  assert.equal(await first.end(), 0)
  const longAgo = Date.now() - 11 * 86_400_000
  const store = storeOf(folder)
  const age = store.prepare('UPDATE orders SET state_since = ?, created_at = ? WHERE id = ?')
  for (const id of [old, alive]) age.run(longAgo, longAgo, id)
  store.prepare('UPDATE audit SET timestamp = ? WHERE order_id = ?').run(longAgo, old)
  store.close()

  const second = await SiteProcess.start({ folder, config })
  t.after(() => second.kill())
  const again = await second.admin()
  const auditOf = async (id: string) =>
    ((await again.get(`/ras/admin/audit?orderId=${id}`)).body as unknown[]).length
  while ((await auditOf(old)) > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.ok((await auditOf(recent)) > 0)
  await again.until(`/ras/computes/${alive}`, 'READY')
  assert.equal(await second.end(), 0)
  const after = storeOf(folder)
  const left = after.prepare('SELECT id FROM orders ORDER BY seq').all()
  assert.deepEqual(
    left.map((row) => row.id),
    [recent, alive],
  )
  after.close()
})

test('a cloud whose plugin is replaced while it is busy loses no instance and gets none twice', async (t) => {
  const folder = newFolder(t)
  const settings = (create: number) =>
    siteSettings({
      plugins: { emulated: { config: { delaysMs: { create, call: 5 } } } },
      orders: { firstRetryMs: 50, longestRetryMs: 200, firstHealthCheckMs: 50 },
    })
  const site = await SiteProcess.start({ folder, config: settings(0) })
  t.after(() => site.kill())
  const client = await site.admin()
  const ids: string[] = []
  let isReloading = true
  const ordering = (async () => {
    while (isReloading) ids.push(await client.create('/ras/computes', small))
  })()
  for (let round = 1; round <= 4; round += 1) {
    writeFileSync(join(folder, 'fogbow.config.ts'), settings(round))
    assert.equal((await client.post('/ras/admin/reload')).status, 200)
  }
  isReloading = false
  await ordering
  const quota = /quota of instances exceeded/
  for (const id of ids) {
    const view = await client.until(`/ras/computes/${id}`, 'READY', 'ERROR')
    if (view.state === 'ERROR') assert.match(String(view.faultMessage), quota)
    const states = await statesOf(client, id)
    assert.ok(!states.includes('FAILED_AFTER_SUCCESSFUL_REQUEST'), `${states}`)
  }
  assert.equal(await site.end(), 0)
  assertOneInstanceEach(folder, ids)
})
