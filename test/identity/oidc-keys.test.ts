import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { generateKeyPair, SignJWT } from 'jose'
import { type PluginUnderTest, REDIRECT_URI, startOidc } from './support/oidc-plugin.ts'
import { AUDIENCE, type RunningProvider, startOidcProvider } from './support/oidc-provider.ts'

/** Keys of the real provider come and go. */

let provider: RunningProvider
let oidc: PluginUnderTest
before(async () => {
  provider = await startOidcProvider({ redirectUris: [REDIRECT_URI] })
})
beforeEach(async () => {
  provider.condition = 'up'
  oidc = await startOidc(provider)
  await oidc.accept(await token())
  provider.asked.length = 0
})
after(() => provider.close())

function token(): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: provider.issuer, aud: AUDIENCE, sub: 'ana', iat: now, exp: now + 7200 }
  return provider.sign(claims, { typ: 'at+jwt' })
}

const looks = () => provider.asked.filter((path) => path === '/jwks').length

test('known keys are not asked for again', async () => {
  for (let each = 0; each < 5; each += 1) await oidc.accept(await token())
  assert.equal(looks(), 0)
})

test('a token of a new key is good at once, and one of the key before is not any more', async () => {
  const before = await token()
  await provider.rotateKeys()
  await oidc.accept(await token())
  assert.equal(looks(), 1)
  await assert.rejects(oidc.accept(before), { code: 'unauthenticated' })
})

test('a key that is withdrawn without a new one in use counts for ten more minutes at most', async () => {
  const before = await token()
  await provider.rotateKeys()
  await oidc.accept(before)
  await oidc.host.clock.advance(600_000)
  await assert.rejects(oidc.accept(before), { code: 'unauthenticated' })
})

test('made-up keys make the site ask once in half a minute, and not once each', async () => {
  const { privateKey } = await generateKeyPair('RS256')
  const madeUp = (kid: string) =>
    new SignJWT({ iss: provider.issuer, aud: AUDIENCE, sub: 'eve' })
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid })
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey)
  for (let each = 0; each < 20; each += 1)
    await assert.rejects(oidc.accept(await madeUp(`kid-${each}`)), { code: 'unauthenticated' })
  assert.equal(looks(), 1)
  await oidc.host.clock.advance(30_000)
  await assert.rejects(oidc.accept(await madeUp('later')), { code: 'unauthenticated' })
  assert.equal(looks(), 2)
})

test('many tokens of a new key at once ask for it once', async () => {
  await provider.rotateKeys()
  const tokens = await Promise.all(Array.from({ length: 10 }, token))
  await Promise.allSettled(tokens.map((each) => oidc.accept(each)))
  assert.equal(looks(), 1)
})

test('while the keys cannot be had, those that are known go on, also when they should be read anew', async () => {
  provider.condition = 'without keys'
  await oidc.accept(await token())
  await oidc.host.clock.advance(660_000)
  await oidc.accept(await token())
  assert.ok(looks() >= 1)
})

test('while provider and keys cannot be had, a token of an unknown key is neither good nor bad', async () => {
  await provider.rotateKeys()
  provider.condition = 'without keys'
  await assert.rejects(oidc.accept(await token()), {
    code: 'unavailable_provider',
    message: new RegExp(provider.issuer),
  })
})

test('keys that are published without encryption are not taken', async () => {
  const send: typeof fetch = async (url, options) => {
    const response = await fetch(url, options)
    if (!String(url).includes('/.well-known/')) return response
    const document = (await response.json()) as object
    return Response.json({ ...document, jwks_uri: 'http://keys.example/jwks' })
  }
  const misled = await startOidc(provider, {}, [], send)
  await assert.rejects(misled.accept(await token()), {
    code: 'configuration_error',
    message: /keys\.example\/jwks, which is not encrypted/,
  })
})

test('the discovery document is read anew after an hour, and goes on when it cannot be', async () => {
  await oidc.host.clock.advance(3_600_000)
  await oidc.call('login.beginLogin', REDIRECT_URI, 'x'.repeat(43))
  const readings = () => provider.asked.filter((path) => path.startsWith('/.well-known')).length
  assert.equal(readings(), 1)
  provider.condition = 'down'
  await oidc.host.clock.advance(3_600_000)
  await oidc.call('login.beginLogin', REDIRECT_URI, 'x'.repeat(43))
  assert.equal(readings(), 2)
})

test('the health of the plugin says whether provider and keys are there', async () => {
  await oidc.call('health.check')
  provider.condition = 'without keys'
  await assert.rejects(oidc.call('health.check'), { code: 'unavailable_provider' })
})
