import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { createSignedTokens } from './signed-tokens.ts'
import { createFakeHost } from './testing/index.ts'

const ana = { id: 'ana', name: 'Ana Ångström', roles: ['user'], attributes: { groups: ['a', 'b'] } }
const settings = { issuer: 'site-a', lifetimeSeconds: 60 }

async function open(host = createFakeHost(), more: Partial<typeof settings> = {}) {
  const tokens = await createSignedTokens(host, { ...settings, ...more })
  const isAuthentic = (tokenValue: string) => tokens.isAuthentic(tokens.read(tokenValue))
  return { host, tokens, isAuthentic }
}

/** Signs claims with the key that the host stores, as anybody could who had it. */
function sign(host: ReturnType<typeof createFakeHost>, header: object, claims: object): string {
  const key = Buffer.from(JSON.parse(host.entries.get('key') ?? '""'), 'base64url')
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const content = `${encode(header)}.${encode(claims)}`
  return `${content}.${createHmac('sha256', key).update(content).digest('base64url')}`
}

test('a token says whom it is about, and is authentic until it expires', async () => {
  const { host, tokens, isAuthentic } = await open()
  const tokenValue = await tokens.issue(ana)
  const user = tokens.read(tokenValue)
  const expiresAt = Math.floor(host.clock.now() / 1000) * 1000 + 60_000
  assert.deepEqual(user, { ...ana, identityProviderId: 'site-a', tokenValue, expiresAt })
  assert.equal(await isAuthentic(tokenValue), true)
  await host.clock.advance(expiresAt - host.clock.now() - 1)
  assert.equal(await isAuthentic(tokenValue), true)
  await host.clock.advance(1)
  assert.equal(await isAuthentic(tokenValue), false)
})

test('a token outlives a restart, and is of no use to another issuer or under another key', async () => {
  const { host, tokens } = await open()
  const tokenValue = await tokens.issue(ana)
  assert.equal(await (await open(host.restarted())).isAuthentic(tokenValue), true)
  const renamed = await open(host.restarted(), { issuer: 'site-b' })
  assert.equal(await renamed.isAuthentic(tokenValue), false)
  assert.equal(await (await open()).isAuthentic(tokenValue), false)
})

test('only the header that is made is believed, and claims that are missing or early are not', async () => {
  const { host, isAuthentic } = await open()
  const now = Math.floor(host.clock.now() / 1000)
  const { id, ...about } = ana
  const times = { iat: now, nbf: now, exp: now + 60 }
  const claims = { ...about, iss: 'site-a', aud: 'site-a', sub: id, jti: '1', ...times }
  const header = { alg: 'HS256', typ: 'JWT' }
  assert.equal(await isAuthentic(sign(host, header, claims)), true)
  for (const other of [{ alg: 'none' }, { alg: 'HS256' }, { ...header, crit: ['x'] }])
    assert.equal(await isAuthentic(sign(host, other, claims)), false, JSON.stringify(other))
  const changes = [
    { jti: undefined },
    { iat: undefined },
    { nbf: now + 1 },
    { aud: ['site-a'] },
    { iss: 'site-b' },
  ]
  for (const change of changes)
    assert.equal(
      await isAuthentic(sign(host, header, { ...claims, ...change })),
      false,
      JSON.stringify(change),
    )
})

test('what is no token is told so, and too much for one is the fault of the settings', async () => {
  const { tokens } = await open()
  for (const text of ['', '.', 'a.b', 'a.b.c', 'e30.bnVsbA.e30', 'x'.repeat(5000)])
    assert.throws(() => tokens.read(text), { code: 'unauthenticated' }, text.slice(0, 20))
  const roles = Array.from({ length: 256 }, (_, n) => `${n}`.padStart(255, 'x'))
  await assert.rejects(tokens.issue({ ...ana, roles }), { code: 'configuration_error' })
})
