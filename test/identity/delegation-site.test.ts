import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHome } from '../../core/cli/fixtures/run-cli.ts'
import { requests, runSite } from '../system/rest/run-site.ts'
import { ADMIN_PASSWORD, siteConfig } from '../system/support/site-process.ts'

const orders = { firstHealthCheckMs: 50, longestHealthCheckMs: 50, freshMs: 0 }
const site = runSite({
  config: siteConfig({ emulated: { delaysMs: { create: 2000 } }, site: { orders } }),
})

interface View {
  [field: string]: unknown
}

test('an order becomes ready after its owner logged out and the site died', async () => {
  const ana = await site.user('ana')
  const id = await ana.create('/ras/computes', requests.compute)
  assert.equal((await ana.delete('/as/tokens')).status, 200)
  const refused = await ana.get(`/ras/computes/${id}`)
  assert.equal(refused.status, 401)
  await site.killAndRestart()
  await site.admin.until(`/ras/computes/${id}`, 'READY')
  const { body } = await site.admin.get(`/ras/computes/${id}/delegation`)
  const { owner, active, scope, grantedBy, expiresAt, revokedAt } = body as View
  assert.deepEqual(
    { owner, active, scope, grantedBy, expiresAt, revokedAt },
    {
      owner: 'ana@site-a.test',
      active: true,
      scope: 'work',
      grantedBy: 'ana@site-a.test',
      expiresAt: null,
      revokedAt: null,
    },
  )
})

test('a delegation is revoked by its owner or an administrator, and by nobody else', async () => {
  const ben = await site.user('ben')
  const eve = await site.user('eve')
  const id = await ben.create('/ras/computes', requests.compute)
  await ben.until(`/ras/computes/${id}`, 'READY')
  const path = `/ras/computes/${id}/delegation`
  for (const method of ['GET', 'DELETE', 'POST'])
    assert.equal((await eve.call(method, path, method === 'POST' ? {} : undefined)).status, 403)
  assert.equal((await site.admin.delete(`${path}?reason=unpaid`)).status, 200)
  const shown = (await ben.get(`/ras/computes/${id}`)).body as View
  assert.match(
    String(shown.faultMessage),
    /Stopped: admin of site-a\.test revoked the delegation for this order at .*: unpaid$/,
  )
  const history = (await ben.get(`/ras/computes/${id}/history`)).body as View[]
  assert.match(String(history.at(-1)?.message), /unpaid/)
  const pause = await ben.post(`/ras/computes/${id}/pause`)
  assert.equal(pause.status, 406)
  const again = await ben.post(path, {})
  assert.equal(again.status, 403)
  assert.match((again.body as { message: string }).message, /ask an administrator/)
  await site.killAndRestart()
  assert.equal(((await site.admin.get(path)).body as View).active, false)
  assert.equal((await site.admin.post(path, {})).status, 201)
  const client = site.process.client()
  client.token = ben.token
  assert.equal(((await client.get(`/ras/computes/${id}`)).body as View).faultMessage, '')
})

test('what is no time, or over, is refused by name', async () => {
  const ben = site.admin
  const id = await ben.create('/ras/volumes', requests.volume)
  const path = `/ras/volumes/${id}/delegation`
  for (const expiresAt of ['soon', '2001-01-01T00:00:00Z', 5, {}, true]) {
    const { status, body } = await ben.post(path, { expiresAt })
    assert.equal(status, 400, JSON.stringify(expiresAt))
    assert.equal((body as { field?: string }).field, 'expiresAt')
  }
  assert.equal((await ben.get('/ras/volumes/nothing/delegation')).status, 404)
  assert.equal((await ben.get(`/ras/computes/${id}/delegation`)).status, 403)
})

test('the command line shows, revokes and grants it', async () => {
  const home = await createHome()
  try {
    const url = ['--url', site.process.url]
    const input = `${ADMIN_PASSWORD}\n`
    await home.run(['login', ...url, '-u', 'admin', '--password-stdin'], { input })
    const id = await site.admin.create('/ras/volumes', requests.volume)
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await home.run([...args, ...url])
      assert.equal(code, 0, stderr)
      return stdout
    }
    assert.match(await run('volume', 'delegation', id), /active\s+(true|yes)/)
    assert.match(await run('volume', 'revoke', id, '--reason', 'tidying up'), /tidying up/)
    const until = '2099-01-01T00:00:00Z'
    assert.match(await run('volume', 'grant', id, '--until', until), /2099-01-01T00:00:00/)
  } finally {
    await home.remove()
  }
})
