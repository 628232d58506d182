import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client } from '../support/client.ts'
import { siteConfig } from '../support/site-process.ts'
import { clear, createWorld, ordersOf, plugins, requests, runSite } from './run-site.ts'

const SITE = 'site-a.test'
const ours = plugins()
const roles = {
  viewer: { rules: [{ effect: 'allow', operations: ['get*'] }] },
  tenant: {
    rules: [{ effect: 'allow' }, { effect: 'deny', types: ['VOLUME'], operations: ['create'] }],
  },
  guest: {
    rules: [
      { effect: 'allow', clouds: ['second'] },
      { effect: 'allow', operations: ['getAll'] },
    ],
  },
  auditor: {
    rules: [{ effect: 'allow', operations: ['get', 'getAll', 'listAudit'], anyOwner: true }],
  },
}
let ana: Client
let ben: Client

const site = runSite(
  {
    config: siteConfig({
      site: {
        plugins: { ...ours, roles: { ...ours.roles, config: { roles } } },
        clouds: {
          emulated: { plugin: 'emulated', mapper: 'account' },
          second: { plugin: 'emulated', mapper: 'account' },
        },
      },
    }),
  },
  async ({ user }) => {
    ana = await user('ana')
    ben = await user('ben')
  },
)

const status = async (answer: Promise<{ status: number }>) => (await answer).status

test('a token tells who its user is and which roles he has', async () => {
  const viewer = await site.user('vera', ['viewer', 'other'])
  const { body } = await viewer.get('/as/user')
  const { id, identityProviderId, roles, expiresAt } = body as Record<string, unknown>
  assert.deepEqual(
    { id, identityProviderId, roles },
    { id: 'vera', identityProviderId: SITE, roles: ['viewer', 'other'] },
  )
  assert.ok(Number(expiresAt) > Date.now())
})

test('a role that may read makes, changes and deletes nothing', async () => {
  const viewer = await site.user('vito', ['viewer'])
  assert.equal(await status(viewer.get('/ras/computes/status')), 200)
  assert.equal(await status(viewer.get(`/ras/quota/${SITE}/emulated`)), 200)
  for (const [path, body] of Object.entries({
    computes: requests.compute,
    volumes: requests.volume,
    networks: requests.network,
  })) {
    assert.equal(await status(viewer.post(`/ras/${path}`, body)), 403, path)
  }
  assert.deepEqual(await ordersOf(viewer), [])
})

test('what a role denies stays denied whatever another rule allows', async () => {
  const tenant = await site.user('tina', ['tenant', 'user'])
  assert.equal(await status(tenant.post('/ras/volumes', requests.volume)), 403)
  const network = await tenant.create('/ras/networks', requests.network)
  await tenant.until(`/ras/networks/${network}`, 'READY')
  await clear(tenant)
})

test('a role for one cloud is refused in another', async () => {
  const guest = await site.user('gus', ['guest'])
  assert.equal(await status(guest.post('/ras/volumes', { size: 1, cloudName: 'emulated' })), 403)
  assert.equal(await status(guest.post('/ras/volumes', { size: 1 })), 403)
  assert.equal(await status(guest.get(`/ras/quota/${SITE}/emulated`)), 403)
  assert.equal(await status(guest.get(`/ras/quota/${SITE}/second`)), 200)
  await guest.create('/ras/volumes', { size: 1, cloudName: 'second' })
  await clear(guest)
})

test('nobody sees, changes or deletes what belongs to another user', async () => {
  const world = await createWorld(ana)
  const paths = {
    compute: 'computes',
    volume: 'volumes',
    network: 'networks',
    attachment: 'attachments',
    publicIp: 'publicIps',
  } as const
  assert.deepEqual(await ordersOf(ben), [])
  for (const [kind, path] of Object.entries(paths)) {
    const at = `/ras/${path}/${world[kind as keyof typeof paths]}`
    assert.equal(await status(ben.get(at)), 403, at)
    assert.equal(await status(ben.get(`${at}/history`)), 403, at)
    assert.equal(await status(ben.delete(at)), 403, at)
    assert.equal(await status(ben.get(at.replace('/ras', '/fns'))), 403, at)
  }
  for (const action of ['pause', 'hibernate', 'stop', 'resume', 'snapshot']) {
    assert.equal(
      await status(ben.post(`/ras/computes/${world.compute}/${action}`, {})),
      403,
      action,
    )
  }
  for (const path of [`networks/${world.network}`, `publicIps/${world.publicIp}`]) {
    const rules = `/ras/${path}/securityRules`
    assert.equal(await status(ben.get(rules)), 403)
    const rule = { direction: 'IN', protocol: 'TCP', cidr: '0.0.0.0/0' }
    assert.equal(await status(ben.post(rules, rule)), 403)
    assert.equal(await status(ben.delete(`${rules}/any`)), 403)
  }
  assert.equal((await ordersOf(ana)).length, 5)
  for (const id of [world.compute]) await ana.until(`/ras/computes/${id}`, 'READY')
})

test('a role for any owner reads what belongs to others and still changes nothing', async () => {
  const auditor = await site.user('aude', ['auditor'])
  const [compute] = (await ana.get('/ras/computes/status')).body as { instanceId: string }[]
  const path = `/ras/computes/${compute?.instanceId}`
  assert.equal(await status(auditor.get(path)), 200)
  assert.equal(await status(auditor.delete(path)), 403)
  assert.equal(await status(auditor.post(`${path}/pause`)), 403)
  assert.equal(await status(auditor.get('/ras/admin/audit')), 200)
  assert.equal(await status(auditor.post('/ras/admin/reload')), 403)
  assert.equal(await status(auditor.get('/ras/admin/plugins')), 403)
})

test('an administrator may read and delete what belongs to others', async () => {
  for (const path of ['attachments', 'publicIps', 'computes', 'volumes', 'networks']) {
    const entries = (await ana.get(`/ras/${path}/status`)).body as { instanceId: string }[]
    for (const { instanceId } of entries) {
      assert.equal(await status(site.admin.get(`/ras/${path}/${instanceId}`)), 200)
      assert.equal(await status(site.admin.delete(`/ras/${path}/${instanceId}`)), 200)
      await ana.until(`/ras/${path}/${instanceId}`, 'GONE')
    }
  }
  assert.deepEqual(await ordersOf(ana), [])
})

test('a user whose role is not known gets the default role and no more', async () => {
  const odd = await site.user('odo', ['admins', 'Admin', 'root'])
  assert.equal(await status(odd.get('/ras/computes/status')), 200)
  assert.equal(await status(odd.post('/ras/admin/reload')), 403)
})

test('a token that was logged out is refused, also after a restart, while another of the same user goes on', async () => {
  const first = await site.user('rita')
  const second = site.process.client()
  await second.login('rita', 'a-password-of-a-user')
  const revoked = await first.delete('/as/tokens')
  assert.equal(revoked.status, 200)
  assert.equal(revoked.body, undefined)
  const refused = await first.get('/ras/clouds')
  assert.equal(refused.status, 401)
  assert.match((refused.body as { message: string }).message, /revoked/)
  assert.equal(await status(first.delete('/as/tokens')), 401)
  assert.equal(await status(second.get('/ras/clouds')), 200)

  await site.killAndRestart()
  const { token: revokedToken = null } = first
  const { token: goodToken = null } = second
  assert.equal(await status(site.admin.get('/ras/clouds', { token: revokedToken })), 401)
  assert.equal(await status(site.admin.get('/ras/clouds', { token: goodToken })), 200)
})
