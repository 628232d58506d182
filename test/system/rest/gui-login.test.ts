import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import { ADMIN_PASSWORD, siteConfig } from '../support/site-process.ts'
import { Gui } from './gui.ts'
import { runSite } from './run-site.ts'

const SITE = 'site-a.test'
const clouds = ['emulated', 'second']
const site = runSite({
  config: siteConfig({
    site: {
      clouds: {
        emulated: { plugin: 'emulated', mapper: 'account' },
        second: { plugin: 'emulated', mapper: 'account' },
      },
    },
  }),
})

test('the login page gets a public key that can be read', async () => {
  const gui = new Gui(site.process.url)
  const { status, body } = await gui.getOpenly('/fns/publicKey')
  assert.equal(status, 200)
  const { publicKey } = body as { publicKey: string }
  assert.match(publicKey, /^[A-Za-z0-9+/]+=*$/)
  const key = createPublicKey({
    key: Buffer.from(publicKey, 'base64'),
    format: 'der',
    type: 'spki',
  })
  assert.equal(key.type, 'public')
})

test('a login with a wrong password gets a message and no token', async () => {
  const gui = new Gui(site.process.url)
  const credentials = { username: 'admin', password: 'not the password', domain: '' }
  const { status, body } = await gui.postOpenly('/as/tokens', { credentials, publicKey: '' })
  assert.equal(status, 401)
  const { message, token } = body as Record<string, unknown>
  assert.ok(typeof message === 'string' && message.length > 0)
  assert.equal(token, undefined)
})

test('opening the login page, signing in and landing on the quota page works call by call', async () => {
  const gui = new Gui(site.process.url)
  await gui.signIn('admin', ADMIN_PASSWORD)

  const { body: members } = await gui.getOpenly('/ms/members')
  assert.deepEqual(members, { members: [SITE] })
  for (const service of ['fns', 'ras', 'as', 'ms']) {
    const { status, body } = await gui.getOpenly(`/${service}/version`)
    assert.equal(status, 200)
    assert.match((body as { version: string }).version, /^\d+\.\d+\.\d+-.+/)
  }
  for (let time = 0; time < 2; time++) {
    assert.deepEqual((await gui.get('/fns/clouds/')).body, { clouds })
  }
  for (let time = 0; time < 3; time++) {
    assert.deepEqual((await gui.get(`/fns/clouds/${SITE}`)).body, { clouds })
  }
  for (const cloud of [...clouds, clouds[0]]) {
    const { status, body } = await gui.get(`/fns/computes/quota/${SITE}/${cloud}`)
    assert.equal(status, 200)
    const quota = body as Record<string, Record<string, number>>
    for (const part of ['totalQuota', 'usedQuota', 'availableQuota']) {
      const columns = ['vCPU', 'ram', 'instances', 'volumes', 'storages', 'fips', 'networks']
      for (const column of columns) assert.equal(typeof quota[part]?.[column], 'number', column)
    }
    assert.ok((quota.totalQuota?.vCPU ?? 0) > 0)
  }
  const P = 1
  const C = clouds.length
  assert.equal(gui.calls.length, 1 + 1 + 1 + 4 + 2 + 3 * P + P * C + 1)
})

test('a token that is no good sends the user back to the login page with 401 and a message', async () => {
  const gui = new Gui(site.process.url)
  gui.token = 'from-another-site'
  const { status, body } = await gui.get('/fns/clouds/')
  assert.equal(status, 401)
  assert.equal(typeof (body as { message: unknown }).message, 'string')
})

test('a preflight for a method that a path does not offer is refused', async () => {
  const preflight = (method: string) =>
    site.admin.call('OPTIONS', '/fns/clouds/', undefined, {
      token: null,
      headers: { Origin: 'https://gui.example', 'Access-Control-Request-Method': method },
    })
  assert.equal((await preflight('DELETE')).status, 403)
  assert.equal((await preflight('GET')).status, 200)
})

test('cookies are neither set nor asked for', async () => {
  const answer = await site.admin.get('/fns/clouds/', {
    headers: { Origin: 'https://gui.example' },
  })
  assert.equal(answer.headers.get('set-cookie'), null)
  assert.equal(answer.headers.get('access-control-allow-credentials'), null)
})
