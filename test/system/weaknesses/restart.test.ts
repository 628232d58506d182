import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { emulatedCloud, siteSettings } from '../faults/site-settings.ts'
import type { Client } from '../support/client.ts'
import { SiteProcess } from '../support/site-process.ts'

const small = { imageId: 'tiny', vCPU: 1, ram: 512 }
const first = {
  hanging: { failureRates: { 'compute.requestInstance': { hangBefore: 1 } } },
  slow: { delaysMs: { create: 400, delete: 400 } },
  failing: { failureRates: { requestInstance: { failInstance: 1 } }, quota: { volumes: 0 } },
}

function settings(config: Record<string, object>): string {
  const names = Object.keys(first)
  return siteSettings({
    plugins: Object.fromEntries(
      names.map((name) => [name, { package: emulatedCloud, config: config[name] ?? {} }]),
    ),
    clouds: Object.fromEntries(names.map((name) => [name, { plugin: name, mapper: 'account' }])),
    orders: { firstRetryMs: 100, longestRetryMs: 500 },
  })
}

let folder: string
let site: SiteProcess
let client: Client
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fogbow-restart-'))
  site = await SiteProcess.start({ folder, config: settings(first) })
  client = await site.admin()
})
after(async () => {
  await site.kill()
  rmSync(folder, { recursive: true, force: true })
})

async function startAnew(from: string): Promise<void> {
  const { token } = client
  site = await SiteProcess.start({ folder: from, config: settings({}) })
  client = site.client()
  client.token = token
}

const create = (kind: string, cloudName: string, more: object = small) =>
  client.create(`/ras/${kind}`, { cloudName, ...more })

test('11: a stopped compute is in the same state in a list and when it is read', async () => {
  const id = await create('computes', 'emulated')
  await client.until(`/ras/computes/${id}`, 'READY')
  await client.post(`/ras/computes/${id}/stop`)
  const read = await client.until(`/ras/computes/${id}`, 'STOPPED')
  assert.equal(read.stopped, true)
  const { body } = await client.get('/ras/computes/status')
  const listed = (body as { instanceId: string; state: string }[]).find(
    (entry) => entry.instanceId === id,
  )
  assert.equal(listed?.state, 'STOPPED')
})

test('15: what a cloud says of a failure reaches the user in its words', async () => {
  const failed = await create('computes', 'failing')
  const view = await client.until(`/ras/computes/${failed}`, 'FAILED')
  assert.equal(view.faultMessage, 'the emulated cloud could not build this compute')
  const refused = await create('volumes', 'failing', { size: 1 })
  const volume = await client.until(`/ras/volumes/${refused}`, 'ERROR')
  assert.match(String(volume.faultMessage), /quota of volumes exceeded: 1 wanted, 0 of 0 in use/)
})

test('17: the emulated cloud takes its time, fails, and names each network of a compute once', async () => {
  const network = await create('networks', 'slow', { cidr: '10.77.0.0/24', name: 'mine' })
  await client.until(`/ras/networks/${network}`, 'CREATING')
  await client.until(`/ras/networks/${network}`, 'READY')
  const id = await create('computes', 'slow', { ...small, networkIds: [network] })
  const view = await client.until(`/ras/computes/${id}`, 'READY')
  const ids = (view.networks as { id: string }[]).map((entry) => entry.id)
  assert.equal(ids.length, new Set(ids).size)
  assert.equal(ids.filter((entry) => entry === network).length, 1)
  assert.equal(ids.length, 2, 'the default one and the one that was ordered')
  await client.delete(`/ras/computes/${id}`)
  await client.until(`/ras/computes/${id}`, 'DELETING')
  await client.until(`/ras/computes/${id}`, 'GONE')
})

describe('after a kill', () => {
  let open: string
  let ready: string
  let instance: Record<string, unknown>
  before(async () => {
    open = await create('computes', 'hanging', { ...small, requirements: { gpu: '1' } })
    ready = await create('computes', 'emulated')
    instance = await client.until(`/ras/computes/${ready}`, 'READY')
    await site.kill()
    await startAnew(folder)
  })

  test('9: an order that was not requested yet is requested with all its requirements', async () => {
    const gpu = await client.until(`/ras/computes/${open}`, 'READY')
    assert.equal(gpu.vCPU, 8, 'the only flavor with a gpu')
  })

  test('10: a site as it is delivered forgets neither orders nor the instances behind them', async () => {
    const again = await client.until(`/ras/computes/${ready}`, 'READY')
    assert.deepEqual(again, instance)
  })
})

test('25: a site goes on from its store alone, wherever that is started', async () => {
  const ready = await create('computes', 'emulated')
  const slow = await create('volumes', 'slow', { size: 1 })
  await client.until(`/ras/computes/${ready}`, 'READY')
  assert.equal(await site.end(), 0)
  const elsewhere = join(folder, 'elsewhere')
  mkdirSync(join(elsewhere, 'data'), { recursive: true })
  cpSync(join(folder, 'data/site.db'), join(elsewhere, 'data/site.db'))
  await startAnew(elsewhere)
  await client.until(`/ras/computes/${ready}`, 'READY')
  await client.until(`/ras/volumes/${slow}`, 'READY')
  await client.delete(`/ras/computes/${ready}`)
  await client.until(`/ras/computes/${ready}`, 'GONE')
})
