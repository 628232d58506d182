import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer, Client } from '../support/client.ts'
import { clear, createWorld, ordersOf, requests, runSite, type World } from './run-site.ts'

const SITE = 'site-a.test'
let world: World

const site = runSite(undefined, async ({ admin }) => {
  world = await createWorld(admin)
})

let keys = 0
const newKey = () => `key ${++keys}`

const post = (path: string, body: unknown, key: string, client: Client = site.admin) =>
  client.post(path, body, { headers: { 'Idempotency-Key': key } })

const idOf = ({ body }: Answer) => (body as { id: string }).id

const rule = { direction: 'IN', protocol: 'TCP', portFrom: 22, portTo: 22, cidr: '0.0.0.0/0' }

interface Creation {
  path: string
  body: object
  /** What is asked for with the same key afterwards. */
  other: object
}

async function creations(): Promise<Creation[]> {
  const volume = await site.admin.create('/ras/volumes', requests.volume)
  const second = await site.admin.create('/ras/volumes', requests.volume)
  await site.admin.until(`/ras/volumes/${volume}`, 'READY')
  await site.admin.until(`/ras/volumes/${second}`, 'READY')
  const { compute: computeId, network, publicIp } = world
  return ['/ras', '/fns'].flatMap((base, index) => [
    { path: `${base}/computes`, body: requests.compute, other: { ...requests.compute, vCPU: 2 } },
    { path: `${base}/volumes`, body: requests.volume, other: { size: 9 } },
    { path: `${base}/networks`, body: requests.network, other: { cidr: '10.99.0.0/24' } },
    {
      path: `${base}/attachments`,
      body: { computeId, volumeId: index === 0 ? volume : second },
      other: { computeId, volumeId: world.volume },
    },
    { path: `${base}/publicIps`, body: { computeId }, other: { computeId: 'other' } },
    {
      path: `${base}/networks/${network}/securityRules`,
      body: rule,
      other: { ...rule, portTo: 23 },
    },
    {
      path: `${base}/publicIps/${publicIp}/securityRules`,
      body: rule,
      other: { ...rule, portTo: 23 },
    },
  ])
}

test('repeating a creation with its key gives the first answer, another body 422, and a killed site remembers', async () => {
  const before = new Set(await ordersOf(site.admin))
  const done: (Creation & { key: string; id: string })[] = []
  const cases = await creations()
  const extra = (await ordersOf(site.admin)).filter((id) => !before.has(id))
  for (const { path, body, other } of cases) {
    const key = newKey()
    const first = await post(path, body, key)
    assert.equal(first.status, 201, `${path}: ${JSON.stringify(first.body)}`)
    const again = await post(path, body, key)
    assert.deepEqual([again.status, again.body], [201, first.body], path)
    const conflict = await post(path, other, key)
    assert.equal(conflict.status, 422, path)
    assert.equal((conflict.body as { code: string }).code, 'idempotency_conflict')
    done.push({ path, body, other, key, id: idOf(first) })
  }
  const orders = await ordersOf(site.admin)
  await site.killAndRestart()
  for (const { path, body, other, key, id } of done) {
    const again = await post(path, body, key)
    assert.deepEqual([again.status, idOf(again)], [201, id], path)
    assert.equal((await post(path, other, key)).status, 422, path)
  }
  assert.deepEqual(await ordersOf(site.admin), orders)
  assert.equal(orders.length, before.size + extra.length + 10)
  const made = new Set(done.map(({ id }) => id))
  for (const path of ['attachments', 'publicIps', 'computes', 'networks']) {
    const list = (await site.admin.get(`/ras/${path}/status`)).body as { instanceId: string }[]
    const mine = list.map(({ instanceId }) => instanceId).filter((id) => made.has(id))
    for (const id of mine) await site.admin.until(`/ras/${path}/${id}`, 'READY')
    for (const id of mine) assert.equal((await site.admin.delete(`/ras/${path}/${id}`)).status, 200)
    for (const id of mine) await site.admin.until(`/ras/${path}/${id}`, 'GONE')
  }
})

test('twenty requests at once with one key make one order, of which all are told', async () => {
  const before = await ordersOf(site.admin)
  const key = newKey()
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => post('/ras/volumes', requests.volume, key)),
  )
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]))
  assert.equal(new Set(answers.map(idOf)).size, 1)
  assert.equal((await ordersOf(site.admin)).length, before.length + 1)
})

test('of two different requests at once with one key one is done and the other refused', async () => {
  const before = await ordersOf(site.admin)
  const key = newKey()
  const answers = await Promise.all(
    [1, 2, 1, 2, 1, 2].map((size) => post('/ras/volumes', { size }, key)),
  )
  const statuses = answers.map(({ status }) => status)
  assert.deepEqual(statuses.toSorted(), [201, 201, 201, 422, 422, 422])
  assert.equal((await ordersOf(site.admin)).length, before.length + 1)
})

test('the same request said differently is the same, under any path that takes it', async () => {
  const key = newKey()
  const first = await post('/ras/computes', { imageId: 'debian-12', ram: 512 }, key)
  const body = { compute: { memory: '512', imageId: 'debian-12', unknown: 1 } }
  const second = await post('/fns//computes/', body, key)
  assert.equal(second.status, 201)
  assert.equal(idOf(second), idOf(first))
})

test('a key belongs to its user: another one with the same key gets an order of his own', async () => {
  const ana = await site.user('ana')
  const key = newKey()
  const mine = await post('/ras/volumes', requests.volume, key)
  const theirs = await post('/ras/volumes', requests.volume, key, ana)
  assert.equal(theirs.status, 201)
  assert.notEqual(idOf(theirs), idOf(mine))
  await clear(ana)
})

test('a refused request does not use up its key', async () => {
  const key = newKey()
  assert.equal((await post('/ras/volumes', { size: 0 }, key)).status, 400)
  assert.equal((await post('/ras/volumes', { size: 1 }, key)).status, 201)
})

test('a key that no store could hold is refused with 400 that names the header', async () => {
  for (const key of ['', 'x'.repeat(256), 'caf\u00e9']) {
    const { status, body } = await post('/ras/volumes', requests.volume, key)
    assert.equal(status, 400, JSON.stringify(key))
    assert.match((body as { message: string }).message, /Idempotency-Key/)
  }
})

test('a power action or snapshot repeated with its key is done once and answers the same again', async () => {
  const id = await site.admin.create('/ras/computes', requests.compute)
  const path = `/ras/computes/${id}`
  await site.admin.until(path, 'READY')
  for (const [action, state] of [
    ['pause', 'PAUSED'],
    ['resume', 'READY'],
    ['hibernate', 'HIBERNATED'],
  ] as const) {
    const key = newKey()
    const first = await post(`${path}/${action}`, {}, key)
    assert.equal(first.status, 200)
    await site.admin.until(path, state)
    const again = await post(`${path}/${action}`, {}, key)
    assert.deepEqual([again.status, again.body], [200, undefined], action)
    assert.equal((await post(`${path}/stop`, {}, key)).status, 422)
  }
  const key = newKey()
  for (let time = 0; time < 2; time++) {
    assert.equal((await post(`${path}/snapshot`, { name: 'once' }, key)).status, 201)
  }
  assert.equal((await post(`${path}/snapshot`, { name: 'twice' }, key)).status, 422)
  const images = (await site.admin.get(`/ras/images/${SITE}/emulated`)).body as { name: string }[]
  assert.equal(images.filter(({ name }) => name === 'once').length, 1)
  assert.equal(images.filter(({ name }) => name === 'twice').length, 0)
})

test('what an administrator changes with a key is changed once', async () => {
  const key = newKey()
  const backup = await post('/ras/admin/backup', undefined, key)
  assert.equal(backup.status, 201)
  assert.deepEqual((await post('/ras/admin/backup', undefined, key)).body, backup.body)
  assert.equal((await post('/ras/admin/reload', undefined, key)).status, 422)

  const ben = await site.user('ben')
  const id = await ben.create('/ras/computes', requests.compute)
  await ben.until(`/ras/computes/${id}`, 'READY')
  const all = newKey()
  const path = `/ras/computes/stop/ben/${SITE}`
  const first = await post(path, undefined, all)
  assert.deepEqual(first.body, [{ id, outcome: 'done' }])
  await ben.until(`/ras/computes/${id}`, 'STOPPED')
  assert.deepEqual((await post(path, undefined, all)).body, first.body)
  await clear(ben)
})

test('every POST that needs a token is documented to take a key, and answers 422 for one used before', async () => {
  const { body } = await site.admin.get('/openapi.json')
  type Documented = { security: unknown[]; parameters: { name: string }[]; requestBody?: object }
  const { paths } = body as { paths: Record<string, Record<string, Documented>> }
  const key = newKey()
  assert.equal((await post('/ras/volumes', requests.volume, key)).status, 201)
  const keyed: string[] = []
  for (const [path, { post: operation }] of Object.entries(paths)) {
    if (!operation) continue
    const takesKey = operation.parameters.some(({ name }) => name === 'Idempotency-Key')
    assert.equal(takesKey, operation.security.length > 0, path)
    if (takesKey) keyed.push(path)
  }
  const change = { action: 'configure', instance: 'emulated', settings: { config: {} } }
  const plan = (await post('/ras/admin/marketplace/plans', change, newKey())).body as { id: string }
  const ids: Record<string, string> = {
    networks: world.network,
    publicIps: world.publicIp,
    admin: plan.id,
  }
  const bodies: Record<string, object> = {
    securityRules: rule,
    policy: { policy: '{}' },
    computes: requests.compute,
    networks: requests.network,
    publicIps: { computeId: world.compute },
    attachments: { computeId: world.compute, volumeId: world.volume },
    volumes: { size: 7 },
    plans: change,
    apply: { accept: [] },
    '{plugin}': { verdict: 'revert' },
    revocations: { package: 'bad', versions: '*', action: 'warn', reason: 'tested' },
    withdraw: { package: 'bad', versions: '*' },
  }
  for (const path of keyed) {
    if (path.startsWith('/fns/federatedNetworks')) continue
    const parts = path.split('/')
    const url = path
      .replace('{id}', ids[parts[2] ?? ''] ?? world.compute)
      .replace(/\{(name|plugin)\}/, 'emulated')
      .replace('{userId}/{providerId}', `nobody/${SITE}`)
    const { status, body: answer } = await post(url, bodies[parts.at(-1) ?? ''] ?? {}, key)
    assert.equal(status, 422, `${path}: ${JSON.stringify(answer)}`)
  }
})

test('reading is not remembered under a key', async () => {
  const key = newKey()
  const read = () =>
    site.admin.get('/ras/admin/audit?limit=1', { headers: { 'Idempotency-Key': key } })
  const first = (await read()).body as { id: number }[]
  const second = (await read()).body as { id: number }[]
  assert.notEqual(first[0]?.id, second[0]?.id)
})
