import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { contracts } from '@fogbow/plugin-sdk'
import { emulatedCloud, siteSettings } from '../faults/site-settings.ts'
import { runSite } from '../rest/run-site.ts'

const cloud = (plugin: string) => ({ plugin, mapper: 'account' })
const emulated = (config: object) => ({ package: emulatedCloud, config })
const small = { imageId: 'tiny', vCPU: 1, ram: 512 }
const statuses = '/ras/computes/status'

test('20: every call to a plugin has a time limit of two minutes at most', () => {
  const limits = Object.values(contracts).flatMap((contract) =>
    Object.entries(contract.methods).map(([name, { timeoutMs }]) => ({ name, timeoutMs })),
  )
  assert.ok(limits.length > 25)
  for (const { name, timeoutMs } of limits)
    assert.ok(Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= 120_000, name)
})

describe('clouds beside each other', () => {
  const site = runSite({
    config: siteSettings({
      plugins: {
        silent: emulated({ failureRates: { '*': { hangBefore: 1 } } }),
        blind: emulated({ failureRates: { getInstance: { hangBefore: 1 } } }),
        slow: emulated({ delaysMs: { call: 400 } }),
      },
      clouds: { silent: cloud('silent'), blind: cloud('blind'), slow: cloud('slow') },
      orders: { readTimeoutMs: 200 },
    }),
  })
  const create = (cloudName: string) => site.admin.create('/ras/computes', { ...small, cloudName })

  /** Sum over all series of one metric of a plugin. */
  async function figure(plugin: string, name: string): Promise<number> {
    const metrics = (await site.admin.get('/metrics')).body as string
    const series = new RegExp(`^fogbow_plugin_${name}{[^}]*plugin="${plugin}"[^}]*} (\\S+)$`, 'gm')
    return [...metrics.matchAll(series)].reduce((sum, [, value]) => sum + Number(value), 0)
  }

  async function stateOf(id: string): Promise<string | undefined> {
    const { status, body } = await site.admin.get(statuses)
    assert.equal(status, 200)
    const entries = body as { instanceId: string; state: string }[]
    return entries.find((entry) => entry.instanceId === id)?.state
  }

  test('18: a cloud that does not answer holds up no order of another cloud', async () => {
    const stuck: string[] = []
    for (let index = 0; index < 70; index += 1) stuck.push(await create('silent'))
    const quick = await create('emulated')
    await site.admin.until(`/ras/computes/${quick}`, 'READY')
    assert.equal(await stateOf(stuck[0] ?? ''), 'DISPATCHED')
    assert.equal(await stateOf(stuck[69] ?? ''), 'DISPATCHED')
  })

  test('19: a call that hangs holds up neither lists, nor reads, nor the deletion of its own order', async () => {
    const id = await create('blind')
    while ((await stateOf(id)) !== 'CREATING') await new Promise((done) => setTimeout(done, 10))
    const { status, body } = await site.admin.get(`/ras/computes/${id}`)
    assert.equal(status, 200)
    assert.match((body as { faultMessage: string }).faultMessage, /did not answer within 200 ms/)
    assert.ok((await figure('blind', 'calls_in_flight')) > 0, 'the cloud is still being asked')
    assert.equal((await site.admin.delete(`/ras/computes/${id}`)).status, 200)
    assert.equal(await stateOf(id), 'DELETING')
  })

  test('21: plugins are made once and the cloud account is looked up once, not for every call', async () => {
    const calls = await figure('account', 'calls_total')
    for (let index = 0; index < 20; index += 1)
      assert.equal((await site.admin.get('/ras/images/site-a.test/emulated')).status, 200)
    assert.ok((await figure('account', 'calls_total')) - calls <= 1)
    assert.equal(await figure('emulated', 'restarts_total'), 0)
  })

  test('22: every order is found exactly once, page by page, however many there are', async () => {
    const made = await Promise.all(
      Array.from({ length: 120 }, () =>
        site.admin.create('/ras/volumes', { size: 1, name: 'one-of-many' }),
      ),
    )
    const seen: string[] = []
    let path: string | undefined = '/ras/volumes/status?limit=50&name=one-of-many'
    while (path !== undefined) {
      const { body, headers } = await site.admin.get(path)
      seen.push(...(body as { instanceId: string }[]).map((entry) => entry.instanceId))
      path = /<([^>]+)>; *rel="?next/.exec(headers.get('link') ?? '')?.[1]
      if (path?.startsWith('http')) path = new URL(path).pathname + new URL(path).search
    }
    assert.equal(seen.length, 120)
    assert.deepEqual(new Set(seen), new Set(made))
  })

  test('26: lists can be filtered and the life of an order can be read', async () => {
    const id = await create('emulated')
    await site.admin.until(`/ras/computes/${id}`, 'READY')
    const ready = await site.admin.get(`${statuses}?state=READY&cloudName=emulated`)
    assert.ok((ready.body as { state: string }[]).every((entry) => entry.state === 'READY'))
    const { body } = await site.admin.get(`/ras/computes/${id}/history`)
    const states = (body as { state: string }[]).map((event) => event.state)
    assert.deepEqual(states, ['OPEN', 'SELECTED', 'SPAWNING', 'FULFILLED'])
    await site.admin.delete(`/ras/computes/${id}`)
    await site.admin.until(`/ras/computes/${id}`, 'GONE')
    const audit = (await site.admin.get(`/ras/admin/audit?orderId=${id}`)).body as {
      operation: string
    }[]
    const operations = audit.map((entry) => entry.operation)
    assert.equal(operations.at(-1), 'create')
    assert.ok(operations.includes('delete'), 'what is closed can still be accounted for')
  })

  test('28: computes of several users are worked on side by side', async () => {
    const users = [site.admin, await site.user('ana'), await site.user('bob')]
    const orders = users.map((user) =>
      user.create('/ras/computes', { ...small, cloudName: 'slow' }),
    )
    let most = 0
    const ids = await Promise.all(orders)
    for (const id of ids) {
      for (;;) {
        most = Math.max(most, await figure('slow', 'calls_in_flight'))
        if (most >= users.length) break
        const { body } = await site.admin.get(`/ras/computes/${id}/history`)
        if ((body as { state: string }[]).at(-1)?.state === 'FULFILLED') break
      }
    }
    assert.equal(most, users.length, 'calls under way at once')
  })
})

describe('limits', () => {
  const site = runSite({
    config: siteSettings({
      http: { requestsPerMinute: 30, failedLoginsPerMinute: 0 },
      userQuota: { instances: 1, storage: 5 },
    }),
  })

  test('27: a quota of the site is kept for each user, and a request too many has to wait', async () => {
    const ana = await site.user('ana')
    await ana.create('/ras/computes', small)
    const refused = await ana.post('/ras/computes', small)
    assert.equal(refused.status, 409)
    assert.match((refused.body as { message: string }).message, /instances: you use 1 of 1/)
    assert.equal((await ana.post('/ras/volumes', { size: 6 })).status, 409)
    const bob = await site.user('bob')
    await bob.create('/ras/computes', small)
    let last = 200
    for (let index = 0; index < 40 && last === 200; index += 1) {
      const answer = await ana.get(statuses)
      last = answer.status
      if (last === 429) assert.ok(Number(answer.headers.get('retry-after')) > 0)
    }
    assert.equal(last, 429)
    assert.equal((await bob.get(statuses)).status, 200, 'nobody else has to')
  })
})
