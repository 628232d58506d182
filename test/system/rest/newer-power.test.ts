import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Client } from '../support/client.ts'
import { siteConfig } from '../support/site-process.ts'
import { clear, plugins, requests, runSite } from './run-site.ts'

const SITE = 'site-a.test'
const ACTION_MS = 150
const plainCloud = join(import.meta.dirname, 'fixtures/plain-cloud')
const ours = plugins()

const site = runSite({
  config: siteConfig({
    site: {
      plugins: {
        ...ours,
        emulated: { ...ours.emulated, config: { delaysMs: { action: ACTION_MS } } },
        plain: { package: plainCloud },
      },
      clouds: {
        emulated: { plugin: 'emulated', mapper: 'account' },
        plain: { plugin: 'plain', mapper: 'account' },
      },
    },
  }),
})

async function readyCompute(client: Client, more: object = {}): Promise<string> {
  const id = await client.create('/ras/computes', { ...requests.compute, ...more })
  await client.until(`/ras/computes/${id}`, 'READY')
  return id
}

const flags = ({ paused, hibernated, stopped }: Record<string, unknown>) => ({
  paused,
  hibernated,
  stopped,
})
const none = { paused: false, hibernated: false, stopped: false }

const actions = [
  { action: 'pause', during: 'PAUSING', after: 'PAUSED', flag: 'paused' },
  { action: 'hibernate', during: 'HIBERNATING', after: 'HIBERNATED', flag: 'hibernated' },
  { action: 'stop', during: 'STOPPING', after: 'STOPPED', flag: 'stopped' },
] as const

for (const { action, during, after, flag } of actions) {
  test(`${action} answers 200 with nothing, is ${during} at once and ${after} later; resume brings it back`, async () => {
    const id = await readyCompute(site.admin)
    const path = `/ras/computes/${id}`
    assert.deepEqual(flags((await site.admin.get(path)).body as never), none)

    const answer = await site.admin.post(`${path}/${action}`, {})
    assert.equal(answer.status, 200)
    assert.equal(answer.body, undefined)
    assert.equal(((await site.admin.get(path)).body as { state: string }).state, during)
    const there = await site.admin.until(path, after)
    assert.deepEqual(flags(there), { ...none, [flag]: true })
    const list = (await site.admin.get('/ras/computes/status')).body as Record<string, unknown>[]
    assert.equal(list.find(({ instanceId }) => instanceId === id)?.state, after)

    const resumed = await site.admin.post(`${path}/resume`)
    assert.equal(resumed.status, 200)
    assert.equal(resumed.body, undefined)
    assert.equal(((await site.admin.get(path)).body as { state: string }).state, 'RESUMING')
    assert.deepEqual(flags(await site.admin.until(path, 'READY')), none)
    await clear(site.admin)
  })
}

test('an action in a wrong state is refused with 406 and changes nothing', async () => {
  const id = await readyCompute(site.admin)
  const path = `/ras/computes/${id}`
  const refused = async (action: string, state: string) => {
    const answer = await site.admin.post(
      `${path}/${action}`,
      action === 'snapshot' ? { name: 's' } : {},
    )
    assert.equal(answer.status, 406, `${action} while ${state}`)
    assert.ok((answer.body as { message: string }).message.includes(state))
    assert.equal(((await site.admin.get(path)).body as { state: string }).state, state)
  }
  await refused('resume', 'READY')
  await refused('snapshot', 'READY')
  await site.admin.post(`${path}/pause`)
  await refused('pause', 'PAUSING')
  await site.admin.until(path, 'PAUSED')
  for (const action of ['pause', 'hibernate', 'stop']) await refused(action, 'PAUSED')
  await site.admin.post(`${path}/resume`)
  await site.admin.until(path, 'READY')
  await site.admin.post(`${path}/stop`)
  await site.admin.until(path, 'STOPPED')
  await refused('snapshot', 'STOPPED')
  await clear(site.admin)
})

test('an action on an unknown id is refused with 404, and on a volume with 400', async () => {
  const volume = await site.admin.create('/ras/volumes', requests.volume)
  for (const action of ['pause', 'hibernate', 'stop', 'resume', 'snapshot']) {
    assert.equal((await site.admin.post(`/ras/computes/none/${action}`)).status, 404, action)
    assert.equal((await site.admin.post(`/ras/computes/${volume}/${action}`)).status, 400, action)
  }
  await clear(site.admin)
})

for (const { action, after } of actions.slice(0, 2)) {
  test(`a snapshot of a compute that is ${after} answers 201 with nothing and appears among the images`, async () => {
    const id = await readyCompute(site.admin)
    await site.admin.post(`/ras/computes/${id}/${action}`)
    await site.admin.until(`/ras/computes/${id}`, after)
    const name = `nightly-${action}`
    const answer = await site.admin.post(`/ras/computes/${id}/snapshot`, { name })
    assert.equal(answer.status, 201)
    assert.equal(answer.body, undefined)
    const images = (await site.admin.get(`/ras/images/${SITE}/emulated`)).body as { name: string }[]
    assert.equal(images.filter((image) => image.name === name).length, 1)
    assert.equal(
      ((await site.admin.get(`/ras/computes/${id}`)).body as { state: string }).state,
      after,
    )
    await clear(site.admin)
  })
}

test('a snapshot without a name gets one', async () => {
  const id = await readyCompute(site.admin)
  await site.admin.post(`/ras/computes/${id}/pause`)
  await site.admin.until(`/ras/computes/${id}`, 'PAUSED')
  assert.equal((await site.admin.post(`/ras/computes/${id}/snapshot`)).status, 201)
  const images = (await site.admin.get(`/ras/images/${SITE}/emulated`)).body as { name: string }[]
  assert.ok(images.some((image) => image.name.includes(id)))
  await clear(site.admin)
})

test('a paused compute keeps counting as used', async () => {
  const id = await readyCompute(site.admin)
  const allocation = async () =>
    (await site.admin.get(`/ras/computes/allocation/${SITE}/emulated`)).body
  const before = await allocation()
  await site.admin.post(`/ras/computes/${id}/pause`)
  await site.admin.until(`/ras/computes/${id}`, 'PAUSED')
  assert.deepEqual(await allocation(), before)
  await clear(site.admin)
})

test('what a cloud cannot do is refused with 501, and the compute stays as it is', async () => {
  const id = await readyCompute(site.admin, { cloudName: 'plain' })
  for (const action of ['pause', 'hibernate', 'stop', 'resume', 'snapshot']) {
    const { status, body } = await site.admin.post(`/ras/computes/${id}/${action}`)
    assert.equal(status, 501, action)
    assert.match((body as { message: string }).message, /plain/)
    assert.equal(
      ((await site.admin.get(`/ras/computes/${id}`)).body as { state: string }).state,
      'READY',
    )
  }
  for (const path of ['quota', 'images', 'specs', 'computes/quota']) {
    assert.equal((await site.admin.get(`/ras/${path}/${SITE}/plain`)).status, 501, path)
  }
  await clear(site.admin)
})

test('an order of a kind that the cloud does not have is refused with 501 and not kept', async () => {
  const { status, body } = await site.admin.post('/ras/volumes', { size: 1, cloudName: 'plain' })
  assert.equal(status, 501)
  assert.match((body as { message: string }).message, /plain.*volumes/)
  assert.deepEqual((await site.admin.get('/ras/volumes/status')).body, [])
})

test('an administrator stops and resumes every compute of a user in one call, and no other', async () => {
  const ana = await site.user('ana')
  const mine = await readyCompute(site.admin)
  const [first, second] = await Promise.all([readyCompute(ana), readyCompute(ana)])
  await ana.post(`/ras/computes/${second}/pause`)
  await ana.until(`/ras/computes/${second}`, 'PAUSED')

  const pausing = await site.admin.post(`/ras/computes/pause/ana/${SITE}`)
  assert.equal(pausing.status, 200)
  assert.deepEqual(pausing.body, [
    { id: first, outcome: 'done' },
    { id: second, outcome: 'unchanged' },
  ])
  await ana.until(`/ras/computes/${first}`, 'PAUSED')
  assert.equal(
    ((await site.admin.get(`/ras/computes/${mine}`)).body as { state: string }).state,
    'READY',
  )

  const resuming = await site.admin.post(`/ras/computes/resume/ana/${SITE}`)
  assert.equal(resuming.status, 200)
  await ana.until(`/ras/computes/${first}`, 'READY')
  await ana.until(`/ras/computes/${second}`, 'READY')

  for (const [action, after] of [
    ['hibernate', 'HIBERNATED'],
    ['stop', 'STOPPED'],
  ] as const) {
    assert.equal((await site.admin.post(`/ras/computes/${action}/ana/${SITE}`)).status, 200)
    await ana.until(`/ras/computes/${first}`, after)
    await ana.until(`/ras/computes/${second}`, after)
    assert.equal((await site.admin.post(`/ras/computes/resume/ana/${SITE}`)).status, 200)
    await ana.until(`/ras/computes/${first}`, 'READY')
    await ana.until(`/ras/computes/${second}`, 'READY')
  }
  assert.deepEqual((await site.admin.post(`/ras/computes/stop/nobody/${SITE}`)).body, [])
  await Promise.all([clear(ana), clear(site.admin)])
})

test('an action on all computes of a user answers 501 when a cloud cannot, after doing what could be done', async () => {
  const eve = await site.user('eve')
  const able = await readyCompute(eve)
  const unable = await readyCompute(eve, { cloudName: 'plain' })
  const answer = await site.admin.post(`/ras/computes/hibernate/eve/${SITE}`)
  assert.equal(answer.status, 501)
  assert.ok((answer.body as { message: string }).message.includes(unable))
  await eve.until(`/ras/computes/${able}`, 'HIBERNATED')
  await eve.until(`/ras/computes/${unable}`, 'READY')
  await clear(eve)
})
