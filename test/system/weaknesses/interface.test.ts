import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { emulatedCloud, siteSettings } from '../faults/site-settings.ts'
import { runSite } from '../rest/run-site.ts'

const site = runSite({
  config: siteSettings({
    plugins: { second: { package: emulatedCloud, config: { delaysMs: { create: 200 } } } },
    clouds: { second: { plugin: 'second', mapper: 'account' } },
  }),
})
const small = { imageId: 'tiny', vCPU: 1, ram: 512 }

async function fogbow(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  const file = join(import.meta.dirname, '../../../core/cli/bin.mjs')
  const child = spawn(process.execPath, [file, ...args], {
    env: {
      ...process.env,
      FOGBOW_URL: site.process.url,
      FOGBOW_TOKEN: site.admin.token,
      XDG_CONFIG_HOME: site.process.folder,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const read = async (stream: AsyncIterable<Buffer>) => {
    let text = ''
    for await (const chunk of stream) text += chunk
    return text
  }
  const gone = once(child, 'exit')
  const [out, error] = await Promise.all([read(child.stdout), read(child.stderr)])
  return { code: (await gone)[0] as number, out, error }
}

test('51: what belongs to another order goes to the cloud of that order, not to the default one', async () => {
  const compute = await site.admin.create('/ras/computes', { ...small, cloudName: 'second' })
  const volume = await site.admin.create('/ras/volumes', { size: 1, cloudName: 'second' })
  await site.admin.until(`/ras/computes/${compute}`, 'READY')
  await site.admin.until(`/ras/volumes/${volume}`, 'READY')
  const ip = await site.admin.create('/ras/publicIps', { computeId: compute })
  const attachment = await site.admin.create('/ras/attachments', {
    computeId: compute,
    volumeId: volume,
  })
  for (const path of [`publicIps/${ip}`, `attachments/${attachment}`]) {
    const view = await site.admin.until(`/ras/${path}`, 'READY')
    assert.equal(view.cloudName, 'second')
  }
  const unplaced = await site.admin.create('/ras/volumes', { size: 1 })
  assert.equal((await site.admin.until(`/ras/volumes/${unplaced}`, 'READY')).cloudName, 'emulated')
})

test('52: a mistake is answered when the order is made, with the field, and makes no order', async () => {
  const mistakes: [string, object, string][] = [
    ['computes', { ...small, vCPU: -1 }, 'compute.vCPU'],
    ['computes', { ...small, ram: 'lots' }, 'compute.ram'],
    ['computes', { ...small, cloudName: 'third' }, 'cloudName'],
    ['computes', { ...small, provider: 'nobody' }, 'provider'],
    ['computes', { ...small, networkIds: ['none'] }, 'networkIds'],
    ['volumes', { size: 0 }, 'volume.size'],
    ['volumes', {}, 'volume.size'],
    ['networks', { cidr: '10.0.0.0/33' }, 'network.cidr'],
    ['networks', { cidr: '300.0.0.0/8' }, 'network.cidr'],
    ['networks', { cidr: '10.0.0.0/24', gateway: '10.0.1.1' }, 'network.gateway'],
    ['publicIps', { computeId: 'none' }, 'computeId'],
    ['attachments', { computeId: 'none', volumeId: 'none' }, 'computeId'],
  ]
  const count = async () =>
    ((await site.admin.get('/ras/computes/status')).body as unknown[]).length +
    ((await site.admin.get('/ras/volumes/status')).body as unknown[]).length +
    ((await site.admin.get('/ras/networks/status')).body as unknown[]).length
  const before = await count()
  for (const [path, body, field] of mistakes) {
    const { status, body: answer } = await site.admin.post(`/ras/${path}`, body)
    assert.equal(status, 400, `${path} ${JSON.stringify(body)}`)
    assert.equal((answer as { field: string }).field, field)
  }
  assert.equal(await count(), before)
})

test('53: a creation can be repeated safely, and everything of a user can be deleted at once', async () => {
  const ana = await site.user('ana')
  const order = () => ana.post('/ras/computes', small, { headers: { 'Idempotency-Key': 'once' } })
  const [first, second] = [await order(), await order()]
  assert.deepEqual(first.body, second.body)
  await ana.create('/ras/volumes', { size: 1 })
  assert.equal((await site.admin.delete('/ras/admin/purge/ana/site-a.test')).status, 200)
  const { id } = first.body as { id: string }
  await ana.until(`/ras/computes/${id}`, 'GONE')
})

test('54: versions can be told apart: of the API, of the site, of the interface for plugins', async () => {
  const { version } = (await site.admin.get('/ras/version')).body as { version: string }
  const document = (await site.admin.get('/openapi.json')).body as { info: { version: string } }
  assert.match(version, /^\d+\.\d+\.\d+-\d+\.\d+\.\d+$/)
  assert.match(document.info.version, /^\d+\.\d+\.\d+/)
  const plugins = (await site.admin.get('/ras/admin/plugins')).body as { version: string }[]
  for (const plugin of plugins) assert.match(plugin.version, /^\d+\.\d+\.\d+$/)
})

test('56: the command says what went wrong, prints tables and JSON, waits, and takes no token as argument', async () => {
  const missing = await fogbow('compute', 'show', 'no-such-id')
  assert.notEqual(missing.code, 0)
  assert.match(missing.error, /There is no compute with the id 'no-such-id'/)
  assert.doesNotMatch(missing.error, /\bat .*:\d+:\d+/)
  const made = await fogbow(
    ...['compute', 'create', '--image', 'tiny', '--vcpu', '1', '--ram', '512'],
    ...['--cloud', 'second', '--wait', '--json'],
  )
  assert.equal(made.code, 0, made.error)
  assert.equal((JSON.parse(made.out) as { state: string }).state, 'READY')
  const table = await fogbow('compute', 'list')
  assert.match(table.out, /READY/)
  const help = await fogbow('--help')
  assert.doesNotMatch(help.out, /--token/)
})
