import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requests, runSite } from '../system/rest/run-site.ts'
import type { Client } from '../system/support/client.ts'
import { ADMIN_PASSWORD } from '../system/support/site-process.ts'
import { PASSWORD } from './support/directory.ts'
import { startSlapd } from './support/slapd.ts'
import { twoSources } from './support/sources.ts'

const slapd = await startSlapd()
const site = runSite(twoSources(slapd))

async function logIn(credentials: Record<string, string>): Promise<Client> {
  const client = site.process.client()
  const answer = await client.post('/as/tokens', { credentials, publicKey: '' })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  client.token = (answer.body as { token: string }).token
  return client
}

const refusal = async (credentials: Record<string, string>) => {
  const { status, body } = await site.process.client().post('/as/tokens', { credentials })
  return { status, message: (body as { message: string }).message }
}

test('the domain says where somebody is known; without one it is the first source', async () => {
  const ana = await logIn({ username: 'ana', password: PASSWORD, domain: 'employees' })
  const { body } = await ana.get('/as/user')
  const { id, identityProviderId, name, roles } = body as Record<string, unknown>
  assert.deepEqual(
    { id, identityProviderId, name, roles },
    { id: 'ana', identityProviderId: 'staff.test', name: 'Ana Ångström', roles: ['user'] },
  )
  const admin = await logIn({ username: 'admin', password: ADMIN_PASSWORD, domain: '' })
  assert.equal(
    ((await admin.get('/as/user')).body as Record<string, unknown>).identityProviderId,
    'site-a.test',
  )
  const wrongPlace = await refusal({ username: 'ana', password: PASSWORD })
  assert.equal(wrongPlace.status, 401)
  const nowhere = await refusal({ username: 'ana', password: PASSWORD, domain: 'elsewhere' })
  assert.equal(nowhere.status, 400)
  assert.match(nowhere.message, /'elsewhere' is no domain of this site; domains are local, staff/)
})

test('people of the same name from two sources are two people', async () => {
  const here = await site.user('ana')
  const there = await logIn({ username: 'ana', password: PASSWORD, domain: 'staff' })
  const id = await there.create('/ras/volumes', requests.volume)
  await there.until(`/ras/volumes/${id}`, 'READY')
  assert.equal((await here.get(`/ras/volumes/${id}`)).status, 403)
  assert.deepEqual((await here.get('/ras/volumes/status')).body, [])
  await there.delete(`/ras/volumes/${id}`)
  await there.until(`/ras/volumes/${id}`, 'GONE')
})

test('a token of one source under the name of the other is good for nothing', async () => {
  const ana = await logIn({ username: 'ana', password: PASSWORD, domain: 'staff' })
  const [header, payload = '', signature] = (ana.token ?? '').split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  for (const issuer of ['site-a.test', 'somebody.test']) {
    const changed = { ...claims, iss: issuer, aud: issuer, sub: 'admin', roles: ['admin'] }
    const text = Buffer.from(JSON.stringify(changed)).toString('base64url')
    const forged = `${header}.${text}.${signature}`
    const { status } = await ana.get('/as/user', { token: forged })
    assert.equal(status, 401, issuer)
  }
})

test('what the directory says of an account reaches its owner', async () => {
  const cases: [string, number, RegExp][] = [
    ['locked', 401, /the account is locked in the directory/],
    ['expired', 401, /the password has expired/],
    ['nobody', 401, /^user name or password is wrong$/],
  ]
  for (const [username, status, message] of cases) {
    const answer = await refusal({ username, password: PASSWORD, domain: 'staff' })
    assert.equal(answer.status, status, username)
    assert.match(answer.message, message)
  }
  const empty = await refusal({ username: 'ana', password: '', domain: 'staff' })
  assert.deepEqual(empty, { status: 401, message: 'user name or password is wrong' })
})

test('a directory that is down stops its own log-ins, and nobody who has a token', async () => {
  const ana = await logIn({ username: 'ana', password: PASSWORD, domain: 'staff' })
  await slapd.stop()
  const down = await refusal({ username: 'ana', password: PASSWORD, domain: 'staff' })
  assert.equal(down.status, 503)
  assert.match(down.message, new RegExp(`${slapd.secureUrl} does not answer`))
  assert.equal((await ana.get('/as/user')).status, 200)
  await logIn({ username: 'admin', password: ADMIN_PASSWORD })
  await slapd.start()
  await logIn({ username: 'ana', password: PASSWORD, domain: 'staff' })
})

test('a token that was given back is refused with the reason, also after a restart', async () => {
  const ana = await logIn({ username: 'ana', password: PASSWORD, domain: 'staff' })
  const kept = await logIn({ username: 'ana', password: PASSWORD, domain: 'staff' })
  assert.equal((await ana.delete('/as/tokens')).status, 200)
  await site.killAndRestart()
  const revoked = await site.process.client().get('/as/user', { token: ana.token ?? '' })
  assert.equal(revoked.status, 401)
  assert.match((revoked.body as { message: string }).message, /revoked/)
  const other = await site.process.client().get('/as/user', { token: kept.token ?? '' })
  assert.equal(other.status, 200, 'tokens outlive a restart')
})
