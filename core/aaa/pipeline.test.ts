import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { SiteConfig } from '../config/index.ts'
import { type Methods, standInPlugin, standInPlugins } from '../plugins/testing/stand-in-plugins.ts'
import { openSqliteStore } from '../store/index.ts'
import { createAaaPipeline } from './pipeline.ts'
import { loadRevocations } from './revocations.ts'

const ana = { id: 'ana', identityProviderId: 'site-a', name: 'Ana', roles: ['user'] }
const operation = { name: 'create', provider: 'site-a', requester: 'site-a' }

async function pipeline(methods: Methods = {}) {
  const clock = { time: 1000 }
  const plugin = standInPlugin('all', {
    'tokenGenerator.createTokenValue': () => 'token-of-ana',
    'federationIdentity.getFederationUserToken': (tokenValue: string) => ({
      ...ana,
      tokenValue,
      expiresAt: 60_000,
    }),
    'authentication.isAuthentic': () => true,
    'authorization.isAuthorized': () => true,
    'federationToLocalMapper.getToken': () => ({ project: 'demo' }),
    ...methods,
  })
  const aaa = {
    tokenGenerator: 'all',
    federationIdentity: 'all',
    authentication: 'all',
    authorization: 'all',
    cacheSeconds: 5,
  }
  const store = await openSqliteStore(':memory:')
  const now = () => clock.time
  return {
    clock,
    plugin,
    count: (method: string) => plugin.calls.filter((call) => call.method === method).length,
    aaa: createAaaPipeline({
      plugins: standInPlugins(plugin),
      config: () => ({ aaa, clouds: { one: { mapper: 'all' } } }) as unknown as SiteConfig,
      revocations: await loadRevocations(store, now),
      now,
    }),
    close: () => store.close(),
  }
}

const refused = { code: 'unauthenticated' }

test('a token is read by one plugin and found authentic by another before anybody is anybody', async () => {
  const { aaa, plugin } = await pipeline()
  const { user, expiresAt } = await aaa.authenticate('token-of-ana')
  assert.deepEqual(user, ana)
  assert.equal(expiresAt, 60_000)
  assert.deepEqual(
    plugin.calls.map((call) => call.method),
    ['federationIdentity.getFederationUserToken', 'authentication.isAuthentic'],
  )
})

test('nobody gets in without a token, with one too long, or one that is not authentic', async () => {
  const { aaa } = await pipeline({ 'authentication.isAuthentic': () => false })
  await assert.rejects(aaa.authenticate(undefined), { ...refused, message: /Fogbow-User-Token/ })
  await assert.rejects(aaa.authenticate(''), refused)
  await assert.rejects(aaa.authenticate('x'.repeat(16_385)), refused)
  await assert.rejects(aaa.authenticate('forged'), refused)
})

test('an answer other than true is no proof of authenticity', async () => {
  for (const answer of [undefined, null, 'true', 1, {}]) {
    const { aaa } = await pipeline({ 'authentication.isAuthentic': () => answer })
    await assert.rejects(aaa.authenticate('t'), refused)
  }
})

test('an identity plugin cannot answer with another token than it was asked about', async () => {
  const { aaa } = await pipeline({
    'federationIdentity.getFederationUserToken': () => ({
      ...ana,
      tokenValue: 'another',
      expiresAt: 60_000,
    }),
  })
  await assert.rejects(aaa.authenticate('t'), refused)
})

test('a token ends when it expires, also while it is remembered', async () => {
  const { aaa, clock } = await pipeline()
  clock.time = 59_000
  await aaa.authenticate('t')
  clock.time = 60_000
  await assert.rejects(aaa.authenticate('t'), { ...refused, message: /expired/ })
})

test('an authentication is remembered for some seconds and not longer', async () => {
  const { aaa, clock, count } = await pipeline()
  await aaa.authenticate('t')
  clock.time += 4999
  await aaa.authenticate('t')
  assert.equal(count('authentication.isAuthentic'), 1)
  clock.time += 1
  await aaa.authenticate('t')
  assert.equal(count('authentication.isAuthentic'), 2)
})

test('a revoked token is refused at once although it was remembered', async () => {
  const { aaa } = await pipeline()
  await aaa.revoke(await aaa.authenticate('t'))
  await assert.rejects(aaa.authenticate('t'), { ...refused, message: /revoked/ })
})

test('false denies, and so does everything else that is not true', async () => {
  for (const answer of [false, undefined, null, 'true', 1]) {
    const { aaa } = await pipeline({ 'authorization.isAuthorized': () => answer })
    await assert.rejects(aaa.authorize(ana, operation, 'COMPUTE'), {
      code: 'unauthorized',
      message: "User 'ana' may not create COMPUTE",
    })
  }
})

test('a refusal is asked anew each time, a permission for the same question is remembered', async () => {
  let answer = false
  const { aaa, count } = await pipeline({ 'authorization.isAuthorized': () => answer })
  await assert.rejects(aaa.authorize(ana, operation, 'COMPUTE'))
  answer = true
  await aaa.authorize(ana, operation, 'COMPUTE')
  await aaa.authorize(ana, operation, 'COMPUTE')
  assert.equal(count('authorization.isAuthorized'), 2)
  const owner = { id: 'bob', identityProviderId: 'site-a' }
  await aaa.authorize(ana, { ...operation, owner }, 'COMPUTE')
  await aaa.authorize({ ...ana, roles: [] }, operation, 'COMPUTE')
  assert.equal(count('authorization.isAuthorized'), 4)
})

test('an authorization plugin that fails grants nothing', async () => {
  const { aaa } = await pipeline({
    'authorization.isAuthorized': () => {
      throw new FogbowError('timeout', 'no answer')
    },
  })
  await assert.rejects(aaa.authorize(ana, operation, 'COMPUTE'), { code: 'timeout' })
})

test('many orders of one user log in to the cloud once', async () => {
  const { aaa, count } = await pipeline()
  await Promise.all([aaa.localToken(ana, 'one'), aaa.localToken(ana, 'one')])
  await aaa.localToken(ana, 'one')
  assert.equal(count('federationToLocalMapper.getToken'), 1)
})

test('a cloud credential is replaced before it expires, and when the cloud refused it', async () => {
  const { aaa, clock, count } = await pipeline({
    'federationToLocalMapper.getToken': () => ({ expiresAt: 131_000 }),
  })
  await aaa.localToken(ana, 'one')
  clock.time = 100_999
  await aaa.localToken(ana, 'one')
  assert.equal(count('federationToLocalMapper.getToken'), 1)
  clock.time = 101_000
  await aaa.localToken(ana, 'one')
  assert.equal(count('federationToLocalMapper.getToken'), 2)
  aaa.forgetLocalToken(ana, 'one')
  await aaa.localToken(ana, 'one')
  assert.equal(count('federationToLocalMapper.getToken'), 3)
})

test('a mapping that failed is not remembered', async () => {
  let broken = true
  const { aaa } = await pipeline({
    'federationToLocalMapper.getToken': () => {
      if (broken) throw new FogbowError('unavailable_provider', 'no')
      return { project: 'demo' }
    },
  })
  await assert.rejects(aaa.localToken(ana, 'one'), { code: 'unavailable_provider' })
  broken = false
  assert.deepEqual(await aaa.localToken(ana, 'one'), { project: 'demo' })
  await assert.rejects(aaa.localToken(ana, 'two'), { message: /'two' is not configured/ })
})

test('a policy reaches the plugin that takes one, and what was granted before is asked anew', async () => {
  const { aaa, count, plugin } = await pipeline({ 'authorization.setPolicy': () => undefined })
  await aaa.authorize(ana, operation, 'COMPUTE')
  await aaa.setPolicy('setPolicy', 'deny all')
  await aaa.authorize(ana, operation, 'COMPUTE')
  assert.equal(count('authorization.isAuthorized'), 2)
  assert.deepEqual(plugin.calls.find((call) => call.method === 'authorization.setPolicy')?.args, [
    'deny all',
  ])
  await assert.rejects(aaa.setPolicy('updatePolicy', ''), { code: 'not_implemented' })
})

/** Two sources of which each believes every token, and says that it is about whom `speaksFor` says. */
async function twoSources(speaksFor: string) {
  const clock = { time: 1000 }
  const sourcePlugin = (name: string) =>
    standInPlugin(name, {
      'tokenGenerator.createTokenValue': () => tokenOf(speaksFor),
      'federationIdentity.getFederationUserToken': (tokenValue: string) => ({
        ...ana,
        identityProviderId: speaksFor,
        tokenValue,
        expiresAt: 60_000,
      }),
      'authentication.isAuthentic': () => true,
    })
  const plugins = ['staff', 'guests'].map(sourcePlugin)
  const slots = (name: string) => ({
    tokenGenerator: name,
    federationIdentity: name,
    authentication: name,
    identityProviderId: `${name}.example`,
    domains: [],
    opaqueTokens: name === 'guests',
  })
  const aaa = {
    sources: { staff: slots('staff'), guests: slots('guests') },
    authorization: 'staff',
    cacheSeconds: 5,
  }
  const now = () => clock.time
  const store = await openSqliteStore(':memory:')
  const pipeline = createAaaPipeline({
    plugins: standInPlugins(...plugins),
    config: () => ({ aaa, clouds: {} }) as unknown as SiteConfig,
    revocations: await loadRevocations(store, now),
    now,
  })
  return { pipeline, asked: () => plugins.map((plugin) => plugin.calls.length) }
}

const tokenOf = (issuer: string) =>
  `e30.${Buffer.from(JSON.stringify({ iss: issuer })).toString('base64url')}.c2ln`

test('the source that a token names is asked about it, and no other', async () => {
  const { pipeline, asked } = await twoSources('staff.example')
  const { user } = await pipeline.authenticate(tokenOf('staff.example'))
  assert.equal(user.identityProviderId, 'staff.example')
  assert.deepEqual(asked(), [2, 0])
  await assert.rejects(pipeline.authenticate(tokenOf('nobody')), /tokens of issuer 'nobody'/)
  assert.deepEqual(asked(), [2, 0])
})

test('a source that speaks for users of another is not believed, however good it finds the token', async () => {
  const { pipeline } = await twoSources('staff.example')
  for (const token of [tokenOf('guests.example'), 'opaque'])
    await assert.rejects(pipeline.authenticate(token), {
      ...refused,
      message:
        "Identity source 'guests' speaks for users of 'guests.example' only, and not for those of 'staff.example'",
    })
})

test("a domain chooses who makes the token, and a token that is nobody's is not given out", async () => {
  const { pipeline } = await twoSources('staff.example')
  assert.equal(await pipeline.createToken({ username: 'ana' }), tokenOf('staff.example'))
  await assert.rejects(pipeline.createToken({ domain: 'guests' }), {
    code: 'configuration_error',
    message: /aaa\.sources\.guests\.issuers has to name their issuer/,
  })
})
