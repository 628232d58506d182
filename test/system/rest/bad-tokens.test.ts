import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { Client } from '../support/client.ts'
import { runSite } from './run-site.ts'

const SITE = 'site-a.test'
let ana: Client
let token: string

const site = runSite(undefined, async ({ user, admin }) => {
  ana = await user('ana')
  token = admin.token ?? ''
})

/** What a request with that token is answered. */
async function statusWith(value: string): Promise<number> {
  const { status, body } = await ana.get('/ras/clouds', { token: value })
  if (status !== 200) {
    const { message, code } = body as { message: string; code: string }
    assert.equal(code, 'unauthenticated')
    assert.ok(message.length > 0)
    if (value.length > 20) assert.ok(!message.includes(value))
  }
  return status
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (part: string) =>
  JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>

function signed(header: object, claims: object, key: Uint8Array | string): string {
  const text = `${encode(header)}.${encode(claims)}`
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
}

/** The key with which the site signs, out of a backup. */
async function siteKey(): Promise<Buffer> {
  const { body } = await site.admin.post('/ras/admin/backup')
  const store = new DatabaseSync((body as { path: string }).path, { readOnly: true })
  const row = store
    .prepare("select value from plugin_storage where plugin = 'identity' and key = 'key'")
    .get()
  store.close()
  return Buffer.from(JSON.parse(String(row?.value)) as string, 'base64url')
}

const header = { alg: 'HS256', typ: 'JWT' }
const claimsOf = (value: string) => decode(value.split('.')[1] ?? '')

test('the token of a user works as it was issued, and blanks around a header value are no part of it', async () => {
  assert.equal(await statusWith(token), 200)
  assert.equal(await statusWith(` ${token} `), 200)
})

test('a token changed in one character anywhere is refused with 401', async () => {
  const step = Math.max(1, Math.floor(token.length / 60))
  let tried = 0
  for (let at = 0; at < token.length; at += step) {
    const other = token[at] === 'A' ? 'B' : 'A'
    const changed = token.slice(0, at) + other + token.slice(at + 1)
    assert.equal(await statusWith(changed), 401, `character ${at}`)
    tried++
  }
  const last = token.at(-1) ?? ''
  for (const other of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
    if (other !== last) assert.equal(await statusWith(token.slice(0, -1) + other), 401, other)
  }
  assert.ok(tried >= 60)
})

test('a token with a part missing, added, empty or taken from another token is refused with 401', async () => {
  const [first = '', second = '', third = ''] = token.split('.')
  const [, otherClaims = '', otherSignature = ''] = (ana.token ?? '').split('.')
  const wrong = [
    `${first}.${second}`,
    `${first}.${second}.`,
    `.${second}.${third}`,
    `${first}..${third}`,
    `${token}.${third}`,
    `${token}=`,
    first,
    'token',
    '...',
    `${first}.${otherClaims}.${third}`,
    `${first}.${second}.${otherSignature}`,
    token.toUpperCase(),
    Buffer.from(token).toString('base64'),
  ]
  for (const value of wrong) assert.equal(await statusWith(value), 401, value.slice(0, 80))
})

test('a token that claims to need no signature is refused with 401', async () => {
  const claims = claimsOf(token)
  for (const alg of ['none', 'None', 'NONE', '']) {
    const text = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`
    for (const signature of ['', 'AAAA', token.split('.')[2]]) {
      assert.equal(await statusWith(`${text}.${signature}`), 401, alg)
    }
  }
})

test('a token signed with a key of somebody else, the public key or the empty key is refused with 401', async () => {
  const { body } = await ana.get('/as/publicKey', { token: null })
  const { publicKey } = body as { publicKey: string }
  const keys = ['', 'secret', publicKey, Buffer.from(publicKey, 'base64'), Buffer.alloc(32)]
  for (const key of keys) {
    assert.equal(await statusWith(signed(header, claimsOf(token), key)), 401)
  }
})

test('a token that the site signed is refused with 401 once it has expired, before it begins, and for another site', async () => {
  const key = await siteKey()
  const now = Math.floor(Date.now() / 1000)
  const claims = { ...claimsOf(token), iat: now - 100, nbf: now - 100, exp: now + 100, jti: 'x' }
  assert.equal(await statusWith(signed(header, claims, key)), 200)
  const changes: object[] = [
    { exp: now - 1 },
    { exp: undefined },
    { exp: 'tomorrow' },
    { nbf: now + 1000 },
    { iss: 'site-b.test' },
    { aud: 'site-b.test' },
    { iss: undefined },
    { sub: undefined },
    { sub: '' },
    { roles: 'admin' },
    { name: 7 },
  ]
  for (const change of changes) {
    const value = signed(header, { ...claims, ...change }, key)
    assert.equal(await statusWith(value), 401, JSON.stringify(change))
  }
  const otherAlgorithms = ['HS384', 'HS512', 'RS256', 'EdDSA', 'none']
  for (const alg of otherAlgorithms) {
    assert.equal(await statusWith(signed({ ...header, alg }, claims, key)), 401, alg)
  }
  assert.equal(await statusWith(signed({ ...header, crit: ['b64'], b64: false }, claims, key)), 401)
})

test('a token of any length is refused with 401, and one beyond the limit of headers with 431', async () => {
  for (const length of [1, 100, 1000, 8000]) assert.equal(await statusWith('x'.repeat(length)), 401)
  const { status } = await ana.get('/ras/clouds', { token: 'x'.repeat(64 * 1024) })
  assert.equal(status, 431)
})

test('a request without a token is refused with 401 whether or not there is what it asks for', async () => {
  const id = await ana.create('/ras/volumes', { size: 1 })
  for (const path of [
    `/ras/volumes/${id}`,
    '/ras/volumes/none',
    `/ras/networks/${id}/securityRules`,
    '/ras/networks/none/securityRules',
    '/fns/federatedNetworks/none',
    `/ras/quota/${SITE}/none`,
  ]) {
    for (const method of ['GET', 'DELETE']) {
      const { status, headers } = await ana.call(method, path, undefined, { token: null })
      if (method === 'DELETE' && status === 405) continue
      assert.equal(status, 401, `${method} ${path}`)
      assert.ok(headers.get('www-authenticate'))
    }
  }
  await ana.delete(`/ras/volumes/${id}`)
})
