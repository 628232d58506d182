import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type PluginUnderTest, REDIRECT_URI, startOidc } from './support/oidc-plugin.ts'
import { OPAQUE_MACHINE, type RunningProvider, startOidcProvider } from './support/oidc-provider.ts'

/** What a login at the real provider must be made of, and what must not pass for one. */

let provider: RunningProvider
let oidc: PluginUnderTest
before(async () => {
  provider = await startOidcProvider({ redirectUris: [REDIRECT_URI] })
  oidc = await startOidc(provider)
})
after(() => provider.close())

const complete = (parameters: object, kept: object) =>
  oidc.call('login.completeLogin', REDIRECT_URI, parameters, kept)
const refused = { code: 'unauthenticated' }

test('who logs in is whom the provider says, with roles and attributes by the mapping', async () => {
  const token = await oidc.accept(await oidc.logIn('ana'))
  assert.equal(token.id, 'ana')
  assert.equal(token.identityProviderId, provider.issuer)
  assert.equal(token.name, 'Ana Souza')
  assert.deepEqual(token.roles, ['user', 'admin'])
  assert.deepEqual(token.attributes, { email: 'ana@example.org', department: 'physics' })
  assert.equal(token.expiresAt - oidc.host.clock.now() > 28_700_000, true)
})

test('a login carries the S256 challenge of a verifier that stays here, a nonce, and no secret', async () => {
  const { url, kept } = await oidc.visit('ana')
  const asked = url.searchParams
  assert.equal(asked.get('code_challenge_method'), 'S256')
  const hash = createHash('sha256').update(kept.verifier ?? '')
  assert.equal(asked.get('code_challenge'), hash.digest('base64url'))
  assert.equal(asked.get('nonce'), kept.nonce)
  assert.equal(asked.get('response_type'), 'code')
  assert.ok(!url.href.includes(kept.verifier ?? ''))
})

test('the token has nothing of what the provider gave', async () => {
  const { parameters, kept } = await oidc.visit('ana')
  const token = await complete(parameters, kept)
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  assert.deepEqual(Object.keys(claims).sort(), [
    'attributes',
    'aud',
    'exp',
    'iat',
    'iss',
    'jti',
    'name',
    'nbf',
    'roles',
    'sub',
  ])
  assert.equal([...oidc.host.entries.keys()].join(), 'key')
})

test('a code is good once', async () => {
  const { parameters, kept } = await oidc.visit('ana')
  await complete(parameters, kept)
  await assert.rejects(complete(parameters, kept), { ...refused, message: /invalid_grant/ })
})

test('a code without its verifier, or with that of another login, is refused', async () => {
  const { parameters, kept } = await oidc.visit('ana')
  await assert.rejects(complete(parameters, { ...kept, verifier: '' }), refused)
  const other = await oidc.visit('ana')
  const mixed = { ...kept, verifier: other.kept.verifier }
  await assert.rejects(complete((await oidc.visit('ana')).parameters, mixed), refused)
})

test('a code that was stolen from another login does not pass in this one', async () => {
  const victim = await oidc.visit('ana')
  const thief = await oidc.visit('eve')
  const injected = { ...thief.parameters, code: victim.parameters.code }
  await assert.rejects(complete(injected, thief.kept), refused)
})

test('another state, another issuer and another nonce are refused', async () => {
  const { parameters, kept } = await oidc.visit('ana')
  await assert.rejects(complete({ ...parameters, state: 'x' }, kept), refused)
  const mixedUp = { ...parameters, iss: 'https://other.example' }
  await assert.rejects(complete(mixedUp, kept), refused)
  await assert.rejects(complete(parameters, { ...kept, nonce: 'another' }), refused)
})

test('who says no at the provider is told so, and by whom', async () => {
  const { kept } = await oidc.visit('ana')
  const parameters = { error: 'access_denied', state: kept.state, iss: provider.issuer }
  await assert.rejects(complete(parameters, kept), (error: Error & { code: string }) => {
    assert.equal(error.code, 'unauthorized')
    assert.ok(error.message.includes(provider.issuer))
    return true
  })
})

test('who lacks a claim that is required is not let in', async () => {
  const strict = await startOidc(provider, {
    claims: { require: [{ claim: 'department', values: ['physics'] }] },
  })
  await strict.logIn('ana')
  await assert.rejects(strict.logIn('eve'), { code: 'unauthorized', message: /department/ })
})

test('a device waits for its user, and gets nothing once its code has expired', async () => {
  const hasty = await startOidcProvider({ deviceSeconds: 1 })
  try {
    const plugin = await startOidc(hasty)
    const { kept } = await plugin.call<{ kept: object }>('login.beginDeviceLogin')
    const poll = () => plugin.call<{ status: string }>('login.pollDeviceLogin', kept)
    assert.deepEqual(await poll(), { status: 'pending' })
    const untilOver = async () => {
      while ((await poll()).status === 'pending') await sleep(100)
    }
    await assert.rejects(untilOver(), { ...refused, message: /expired before/ })
  } finally {
    await hasty.close()
  }
})

test('a provider that is down is named, and is asked again the next time', async () => {
  const { parameters, kept } = await oidc.visit('ana')
  for (const condition of ['down', 'failing', 'silent'] as const) {
    const fresh = await startOidc(provider)
    provider.condition = condition
    try {
      const begin = () => fresh.call('login.beginLogin', REDIRECT_URI, 'x'.repeat(43))
      const names = { code: 'unavailable_provider', message: new RegExp(provider.issuer) }
      await assert.rejects(begin(), names)
      await assert.rejects(complete(parameters, kept), names)
      provider.condition = 'up'
      await begin()
    } finally {
      provider.condition = 'up'
    }
  }
})

test('a client that the provider does not know is an administrator’s matter', async () => {
  const wrong = await startOidc(provider)
  wrong.host.secretValues.clientSecret = 'not the secret'
  await assert.rejects(wrong.logIn('ana'), {
    code: 'configuration_error',
    message: /check clientId, clientSecret/,
  })
})

test('an issuer that calls itself otherwise, or is not encrypted, is refused', async () => {
  const other = provider.issuer.replace('localhost', '127.0.0.1')
  const misnamed = await startOidc({ ...provider, issuer: other })
  await assert.rejects(misnamed.call('login.beginLogin', REDIRECT_URI, 'x'.repeat(43)), {
    message: /issuer/,
  })
  await assert.rejects(startOidc({ ...provider, issuer: 'http://login.example' }), {
    code: 'configuration_error',
    message: /https/,
  })
})

test('a machine logs in with its client and gets the roles of machines, for as long as its token is good', async () => {
  const own = await startOidc(provider, { claims: { roles: { default: ['user'] } } })
  const machine = { clientId: 'robot', clientSecret: 'secret of the robot' }
  const token = await own.accept(await own.call('tokenGenerator.createTokenValue', machine))
  assert.equal(token.id, 'client:robot')
  assert.deepEqual(token.roles, ['user'])
  assert.ok(token.expiresAt <= own.host.clock.now() + 3_601_000)
  const opaque = await startOidc(provider, { machineLogin: {} })
  const plain = await opaque.accept(
    await opaque.call('tokenGenerator.createTokenValue', OPAQUE_MACHINE),
  )
  assert.equal(plain.id, 'client:opaque-robot')
  assert.ok(plain.expiresAt <= opaque.host.clock.now() + 601_000)
  const people = { username: 'ana', password: 'any' }
  await assert.rejects(own.call('tokenGenerator.createTokenValue', people), {
    ...refused,
    message: /fogbow login --device/,
  })
})
