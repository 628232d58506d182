import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Client } from '../support/client.ts'
import { siteConfig } from '../support/site-process.ts'
import { createWorld, ordersOf, requests, runSite } from './run-site.ts'

const SITE = 'site-a.test'
const PLACE = `${SITE}/emulated`
let ana: Client

const site = runSite(
  {
    config: siteConfig({
      site: {
        members: {
          list: [SITE, 'site-b.test', 'site-c.test'],
          targets: ['site-b.test'],
          requesters: ['site-c.test'],
        },
      },
    }),
  },
  async ({ user }) => {
    ana = await user('ana')
  },
)

const adminPaths = [
  ['POST', '/ras/admin/reload', undefined],
  ['POST', '/ras/admin/policy', { policy: '{}' }],
  ['PUT', '/ras/admin/policy', { policy: '{}' }],
  ['DELETE', `/ras/admin/purge/admin/${SITE}`, undefined],
  ['GET', '/ras/admin/audit', undefined],
  ['GET', '/ras/admin/plugins', undefined],
  ['GET', '/ras/admin/plugins/emulated', undefined],
  ['GET', '/ras/admin/isolation', undefined],
  ['POST', '/ras/admin/plugins/emulated/restart', undefined],
  ['POST', '/ras/admin/backup', undefined],
  ['POST', `/ras/computes/stop/admin/${SITE}`, undefined],
] as const

test('what is for administrators is refused to users with 403 and to nobody with 401', async () => {
  for (const [method, path, body] of adminPaths) {
    assert.equal((await ana.call(method, path, body)).status, 403, `${method} ${path}`)
    assert.equal((await ana.call(method, path, body, { token: null })).status, 401, path)
  }
})

test('reload reads the configuration again and answers 200 with nothing', async () => {
  const file = join(site.process.folder, 'fogbow.config.ts')
  const text = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    text.replace(
      '"clouds": {',
      '"clouds": {\n    "later": { "plugin": "emulated", "mapper": "account" },',
    ),
  )
  const answer = await site.admin.post('/ras/admin/reload')
  assert.equal(answer.status, 200)
  assert.equal(answer.body, undefined)
  assert.deepEqual((await ana.get('/ras/clouds')).body, { clouds: ['later', 'emulated'] })
  writeFileSync(file, text)
  assert.equal((await site.admin.post('/ras/admin/reload')).status, 200)
  assert.deepEqual((await ana.get('/ras/clouds')).body, { clouds: ['emulated'] })
})

test('a reload of a configuration with a mistake names the key, and the site goes on as before', async () => {
  const file = join(site.process.folder, 'fogbow.config.ts')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace('"mapper"', '"maper"'))
  const { status, body } = await site.admin.post('/ras/admin/reload')
  writeFileSync(file, text)
  assert.equal(status, 409)
  assert.match((body as { message: string }).message, /clouds\.emulated.*ma/s)
  assert.deepEqual((await ana.get('/ras/clouds')).body, { clouds: ['emulated'] })
  assert.equal((await ana.get(`/ras/quota/${PLACE}`)).status, 200)
})

const policyOf = (refused: string) => `<policy>
  <type>role</type>
  <permissions>
    <permission><name>all</name><type>cloud.fogbow.ras.core.models.permission.AllowAllExceptPermission</type><operations></operations></permission>
    <permission><name>less</name><type>cloud.fogbow.ras.core.models.permission.AllowAllExceptPermission</type><operations>${refused}</operations></permission>
  </permissions>
  <roles>
    <role><name>admin</name><permission>all</permission></role>
    <role><name>user</name><permission>less</permission></role>
  </roles>
  <defaultrole>user</defaultrole>
  <users><user><userId>admin.${SITE}</userId><roles>admin</roles></user></users>
</policy>`

test('a policy that is set counts at once, one that is put changes parts of it, and both survive a restart of the plugin', async () => {
  const may = async () => (await ana.post('/ras/volumes', { size: 0 })).status !== 403
  const mayRead = async () => (await ana.get(`/ras/quota/${PLACE}`)).status === 200
  // A body with a mistake is refused before it is authorised; a good one makes a volume.
  const create = async () => {
    const answer = await ana.post('/ras/volumes', requests.volume)
    if (answer.status === 201)
      await ana.delete(`/ras/volumes/${(answer.body as { id: string }).id}`)
    return answer.status
  }
  assert.equal(await create(), 201)

  const set = await site.admin.post('/ras/admin/policy', { policy: policyOf('create') })
  assert.equal(set.status, 200)
  assert.equal(set.body, undefined)
  assert.equal(await create(), 403)
  assert.ok(await mayRead())

  assert.equal((await site.admin.post('/ras/admin/plugins/roles/restart')).status, 200)
  assert.equal(await create(), 403)

  const change = JSON.stringify({ permissions: { less: [{ effect: 'allow' }] } })
  assert.equal((await site.admin.put('/ras/admin/policy', { policy: change })).status, 200)
  assert.equal(await create(), 201)
  assert.ok(await may())
})

test('a policy that does not fit is refused with its reason, and the one before counts on', async () => {
  const wrong = [
    ['not a policy', 409],
    ['<policy><type>role</type></policy>', 409],
    [policyOf('').replace('<defaultrole>user', '<defaultrole>nobody'), 409],
    [policyOf('').replaceAll('admin', 'chief'), 409],
    [undefined, 400],
    [7, 400],
  ] as const
  for (const [policy, expected] of wrong) {
    const { status, body } = await site.admin.post('/ras/admin/policy', { policy })
    assert.equal(status, expected, `${policy}: ${JSON.stringify(body)}`)
    assert.ok((body as { message: string }).message.length > 10)
  }
  assert.equal((await site.admin.get('/ras/admin/plugins')).status, 200)
  assert.equal((await ana.get(`/ras/quota/${PLACE}`)).status, 200)
})

test('a purge deletes everything of the user that it names, dependants first, and nothing of the caller', async () => {
  const bea = await site.user('bea')
  const [, mine] = await Promise.all([
    createWorld(bea),
    site.admin.create('/ras/volumes', requests.volume),
  ])
  const theirs = await ordersOf(bea)
  assert.equal(theirs.length, 5)
  const answer = await site.admin.delete(`/ras/admin/purge/bea/${SITE}`)
  assert.equal(answer.status, 200)
  const outcomes = answer.body as { id: string; outcome: string }[]
  assert.deepEqual(outcomes.map(({ id }) => id).sort(), theirs)
  assert.deepEqual(new Set(outcomes.map(({ outcome }) => outcome)), new Set(['done']))
  for (const path of ['attachments', 'publicIps', 'computes', 'volumes', 'networks']) {
    for (const id of theirs) {
      const { status } = await bea.get(`/ras/${path}/${id}`)
      if (status === 200) await bea.until(`/ras/${path}/${id}`, 'GONE')
    }
  }
  assert.deepEqual(await ordersOf(bea), [])
  const { usedQuota } = (await site.admin.get(`/ras/quota/${PLACE}`)).body as {
    usedQuota: Record<string, number>
  }
  assert.equal(usedQuota.instances, 0)
  assert.equal(usedQuota.publicIps, 0)
  await site.admin.until(`/ras/volumes/${mine}`, 'READY')
  await site.admin.delete(`/ras/volumes/${mine}`)
  assert.deepEqual((await site.admin.delete(`/ras/admin/purge/nobody/${SITE}`)).body, [])
})

test('membership says who may go where', async () => {
  const authorized = async (direction: string, provider: string) => {
    const { status, body } = await ana.post(
      `/ms/authorized/${direction}`,
      { provider },
      { token: null },
    )
    assert.equal(status, 200)
    return (body as { authorized: boolean }).authorized
  }
  assert.equal(await authorized('target', 'site-b.test'), true)
  assert.equal(await authorized('target', 'site-c.test'), false)
  assert.equal(await authorized('requester', 'site-c.test'), true)
  assert.equal(await authorized('requester', 'site-b.test'), false)
  assert.equal(await authorized('target', 'unknown.test'), false)
  assert.equal(await authorized('target', SITE), true)
  assert.equal((await ana.post('/ms/authorized/target', {}, { token: null })).status, 400)
  assert.equal(
    (await ana.post('/ms/authorized/target', { provider: 7 }, { token: null })).status,
    400,
  )
  const { body } = await ana.get('/ms/members', { token: null })
  assert.deepEqual(body, { members: [SITE, 'site-b.test', 'site-c.test'] })
})

test('members are not changed over the API: 501 says where they are', async () => {
  for (const [method, name] of [
    ['POST', 'reload'],
    ['POST', 'service'],
    ['POST', 'provider'],
    ['PUT', 'provider'],
    ['DELETE', 'provider'],
  ] as const) {
    const { status, body } = await site.admin.call(method, `/ms/admin/${name}`, { provider: 'p' })
    assert.equal(status, 501)
    assert.match((body as { message: string }).message, /fogbow\.config\.ts/)
  }
})

test('an order for a member that cannot be reached is refused with 503 and not kept', async () => {
  const { status, headers } = await ana.post('/ras/volumes', { size: 1, provider: 'site-b.test' })
  assert.equal(status, 503)
  assert.ok(Number(headers.get('retry-after')) > 0)
  assert.equal((await ana.get('/ras/clouds/site-b.test')).status, 503)
  assert.deepEqual(await ordersOf(ana), [])
})

test('specs are listed and shown in the form of images', async () => {
  const specs = (await ana.get(`/ras/specs/${PLACE}`)).body as { id: string; name: string }[]
  assert.ok(specs.length > 1)
  for (const spec of specs) assert.deepEqual(Object.keys(spec).sort(), ['id', 'name'])
  const { status, body } = await ana.get(`/ras/specs/${PLACE}/medium`)
  assert.equal(status, 200)
  const { id, name, vCPU, ram, disk } = body as Record<string, unknown>
  assert.deepEqual(
    { id, name, vCPU, ram, disk },
    { id: 'medium', name: 'medium', vCPU: 2, ram: 4096, disk: 40 },
  )
  assert.equal((await ana.get(`/ras/specs/${PLACE}/none`)).status, 404)
  assert.equal((await ana.get(`/ras/images/${PLACE}/none`)).status, 404)
})

test('the allocation of each kind adds up what the caller has, and nothing of others', async () => {
  const cleo = await site.user('cleo')
  const world = await createWorld(cleo)
  const allocation = async (client: Client, path: string) =>
    (await client.get(`/ras/${path}/allocation/${PLACE}`)).body
  assert.deepEqual(await allocation(cleo, 'computes'), { instances: 1, vCPU: 1, ram: 512, disk: 3 })
  assert.deepEqual(await allocation(cleo, 'volumes'), { instances: 1, storage: 2 })
  assert.deepEqual(await allocation(cleo, 'networks'), { instances: 1 })
  assert.deepEqual(await allocation(cleo, 'publicIps'), { instances: 1 })
  assert.deepEqual(await allocation(site.admin, 'computes'), {
    instances: 0,
    vCPU: 0,
    ram: 0,
    disk: 0,
  })
  assert.equal((await cleo.get(`/ras/attachments/allocation/${PLACE}`)).status, 404)
  await cleo.delete(`/ras/publicIps/${world.publicIp}`)
  await cleo.until(`/ras/publicIps/${world.publicIp}`, 'GONE')
  assert.deepEqual(await allocation(cleo, 'publicIps'), { instances: 0 })
  await site.admin.delete(`/ras/admin/purge/cleo/${SITE}`)
})

test('a backup is a store from which a site starts with everything in it', async () => {
  const volume = await ana.create('/ras/volumes', requests.volume)
  const { status, body } = await site.admin.post('/ras/admin/backup')
  assert.equal(status, 201)
  const { path } = body as { path: string }
  const { DatabaseSync } = await import('node:sqlite')
  const copy = new DatabaseSync(path, { readOnly: true })
  const row = copy.prepare('select kind from orders where id = ?').get(volume)
  copy.close()
  assert.equal(row?.kind, 'volume')
  await ana.delete(`/ras/volumes/${volume}`)
})

test('a plugin is shown with its code, isolation, limits and use, which the metrics have as well', async () => {
  assert.equal((await ana.get(`/ras/images/${PLACE}`)).status, 200)
  const { body } = await site.admin.get('/ras/admin/plugins/emulated')
  const plugin = body as Record<string, unknown>
  assert.match(String(plugin.bundleHash), /^[0-9a-f]{64}$/)
  assert.partialDeepStrictEqual(plugin, {
    isolation: 'worker',
    isolationChoice: { wanted: 'worker', why: 'it comes with the site', missing: [], moved: null },
    storage: { quotaBytes: 67_108_864 },
    limits: { memoryMiB: 256, callsInFlight: 64 },
    usage: { restarts: 0, deniedRequests: 0 },
  })
  const metrics = (await site.admin.get('/metrics')).body as string
  assert.match(
    metrics,
    /fogbow_plugin_calls_total\{plugin="emulated",method="image\.getAllImages",outcome="ok"\} [1-9]/,
  )
  assert.match(metrics, /fogbow_plugin_isolation\{plugin="emulated",level="worker"\} 1/)
  assert.match(metrics, /fogbow_zombie_threads 0/)
  assert.equal((await site.admin.get('/ras/admin/plugins/none')).status, 404)
})

test('what anybody sees of plugins names neither hosts nor secrets', async () => {
  const shown = (await site.admin.get('/site.json')).body as { plugins: object[] }
  assert.ok(shown.plugins.length > 0)
  for (const plugin of shown.plugins) assert.ok(!('capabilities' in plugin))
})

test('plugins are listed with what they may reach, and a restart keeps them serving', async () => {
  const plugins = (await site.admin.get('/ras/admin/plugins')).body as Record<string, unknown>[]
  assert.deepEqual(plugins.map(({ name }) => name).sort(), [
    'account',
    'emulated',
    'identity',
    'roles',
  ])
  for (const { state } of plugins) assert.equal(state, 'ready')
  assert.equal((await site.admin.post('/ras/admin/plugins/emulated/restart')).status, 200)
  assert.equal((await ana.get(`/ras/images/${PLACE}`)).status, 200)
  assert.equal((await site.admin.post('/ras/admin/plugins/none/restart')).status, 404)
})
