import assert from 'node:assert/strict'
import { scryptSync } from 'node:crypto'
import { describe, test } from 'node:test'
import type { FederationUserToken } from '@fogbow/plugin-sdk'
import { createFakeHost, startInProcess } from '@fogbow/plugin-sdk/testing'
import { SignJWT } from 'jose'
import plugin from './index.ts'

const HOUR_MS = 3_600_000

/** As a site makes it, with Node's own scrypt; the cost is kept low. */
function hashOf(password: string): string {
  const salt = Buffer.from('0123456789abcdef')
  const hash = scryptSync(password, salt, 32, { N: 2 ** 10, r: 8, p: 1 })
  const encode = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')
  return `$scrypt$ln=10,r=8,p=1$${encode(salt)}$${encode(hash)}`
}

const ana = { name: 'ana', password: hashOf('secret'), roles: ['user', 'auditor'] }

const usersFile = (...users: unknown[]) => JSON.stringify({ users })

async function startIdentity(users: string = usersFile(ana), issuer = 'site-a') {
  const host = createFakeHost({
    config: { issuer, tokenLifetimeSeconds: 3600 },
    secrets: { users },
  })
  const caller = await startInProcess(plugin, host)
  return {
    host,
    caller,
    logIn: (credentials: Record<string, string>) =>
      caller.call('tokenGenerator.createTokenValue', [credentials]) as Promise<string>,
    read: (tokenValue: string) =>
      caller.call('federationIdentity.getFederationUserToken', [
        tokenValue,
      ]) as Promise<FederationUserToken>,
    isAuthentic: (token: FederationUserToken) => caller.call('authentication.isAuthentic', [token]),
  }
}

const right = { username: 'ana', password: 'secret' }

describe('login', () => {
  test('a token says who, where, which roles and until when', async () => {
    const attributes = { email: 'ana@example.org', groups: ['physics', 'chemistry'] }
    const identity = await startIdentity(usersFile({ ...ana, attributes }))
    const { tokenValue, ...user } = await identity.read(await identity.logIn(right))
    assert.deepEqual(user, {
      id: 'ana',
      identityProviderId: 'site-a',
      name: 'ana',
      roles: ['user', 'auditor'],
      attributes,
      expiresAt: identity.host.clock.now() + HOUR_MS,
    })
  })

  test('the field domain, which the web interface sends, is ignored', async () => {
    const identity = await startIdentity()
    assert.ok(await identity.logIn({ ...right, domain: 'elsewhere' }))
  })

  test('unknown, wrong, empty, disabled: one message for all', async () => {
    const off = { ...ana, name: 'off', disabled: true }
    const empty = { ...ana, name: 'empty', password: hashOf('') }
    const identity = await startIdentity(usersFile(ana, off, empty))
    const wrong = [
      { username: 'bob', password: 'secret' },
      { username: 'ana', password: 'Secret' },
      { username: 'ana', password: '' },
      { username: 'off', password: 'secret' },
      { username: 'empty', password: '' },
      { username: 'ana' },
      {},
    ]
    for (const credentials of wrong)
      await assert.rejects(identity.logIn(credentials as Record<string, string>), {
        code: 'unauthenticated',
        message: 'user name or password is wrong',
      })
  })

  test('a change of the users file counts at the next login', async () => {
    const identity = await startIdentity()
    await identity.logIn(right)
    identity.host.secretValues.users = usersFile({ ...ana, disabled: true })
    await assert.rejects(identity.logIn(right), { code: 'unauthenticated' })
  })

  test('a password is the same in both forms in which Unicode writes it', async () => {
    const identity = await startIdentity(usersFile({ ...ana, password: hashOf('caf\u00e9') }))
    assert.ok(await identity.logIn({ username: 'ana', password: 'cafe\u0301' }))
  })

  test('a storm of logins is put in line, and refused when the line is long', async () => {
    const identity = await startIdentity()
    const logins = Array.from({ length: 60 }, () => identity.logIn(right))
    const results = await Promise.allSettled(logins)
    const refused = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason.code] : [],
    )
    assert.deepEqual(refused, Array(10).fill('too_many_requests'))
    assert.ok(await identity.logIn(right))
  })
})

describe('users file', () => {
  const refused: [why: string, text: string, message: RegExp][] = [
    ['no JSON', 'ana:secret', /'users'.*not JSON/],
    ['no list', '{"users": {}}', /users must be a list/],
    ['a hash of another kind', usersFile({ ...ana, password: '$2b$10$x' }), /users\[0\]\.password/],
    [
      'a hash that would take all memory',
      usersFile({ ...ana, password: ana.password.replace('ln=10', 'ln=30') }),
      /users\[0\]\.password/,
    ],
    ['a name twice', usersFile(ana, ana), /users\[1\]\.name 'ana' is there twice/],
    [
      'a key with a typing error',
      usersFile({ ...ana, role: [] }),
      /users\[0\]\.role is not a known/,
    ],
    ['roles that are no list', usersFile({ ...ana, roles: 'user' }), /users\[0\]\.roles/],
    ['disabled as text', usersFile({ ...ana, disabled: 'no' }), /users\[0\]\.disabled/],
  ]
  for (const [why, text, message] of refused) {
    test(`${why} is a configuration error that shows no hash`, async () => {
      const identity = await startIdentity(text)
      await assert.rejects(identity.logIn(right), (error: Error & { code: string }) => {
        assert.equal(error.code, 'configuration_error')
        assert.match(error.message, message)
        assert.ok(
          !/secret'|\$2b|[A-Za-z0-9+/]{22}/.test(error.message.replace("secret 'users'", '')),
        )
        return true
      })
    })
  }

  test('an empty list lets nobody in', async () => {
    const identity = await startIdentity(usersFile())
    await assert.rejects(identity.logIn(right), { code: 'unauthenticated' })
  })

  test('attributes too large for a token are a configuration error', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [`a${n}`, 'x'.repeat(1000)]),
    )
    const identity = await startIdentity(usersFile({ ...ana, attributes: many }))
    await assert.rejects(identity.logIn(right), { code: 'configuration_error', message: /'ana'/ })
  })
})

describe('tokens', () => {
  test('a token of another site is not authentic, though its user has the same name', async () => {
    const [here, there] = [await startIdentity(), await startIdentity(usersFile(ana), 'site-b')]
    const foreign = await here.read(await there.logIn(right))
    assert.equal(foreign.identityProviderId, 'site-b')
    assert.equal(await here.isAuthentic(foreign), false)
  })

  test('a token made with the right key but another issuer, audience or algorithm is not authentic', async () => {
    const identity = await startIdentity()
    const good = await identity.read(await identity.logIn(right))
    const key = Buffer.from(JSON.parse(identity.host.entries.get('key') ?? '""'), 'base64url')
    const now = identity.host.clock.now() / 1000
    const sign = (issuer: string, audience: string, alg: string) =>
      new SignJWT({ name: 'ana', roles: good.roles, attributes: {} })
        .setProtectedHeader({ alg, typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject('ana')
        .setJti('1')
        .setIssuedAt(now)
        .setNotBefore(now)
        .setExpirationTime(now + 60)
        .sign(key)
    const isAuthentic = async (tokenValue: string) =>
      identity.isAuthentic(await identity.read(tokenValue))
    assert.equal(await isAuthentic(await sign('site-a', 'site-a', 'HS256')), true)
    assert.equal(await isAuthentic(await sign('site-b', 'site-a', 'HS256')), false)
    assert.equal(await isAuthentic(await sign('site-a', 'site-b', 'HS256')), false)
    assert.equal(await isAuthentic(await sign('site-a', 'site-a', 'HS512')), false)
  })

  test('a token that was found authentic expires all the same', async () => {
    const identity = await startIdentity()
    const token = await identity.read(await identity.logIn(right))
    assert.equal(await identity.isAuthentic(token), true)
    await identity.host.clock.advance(HOUR_MS - 1)
    assert.equal(await identity.isAuthentic(token), true)
    await identity.host.clock.advance(1)
    assert.equal(await identity.isAuthentic(token), false)
  })

  test('the order of attributes does not matter, their values do', async () => {
    const identity = await startIdentity(usersFile({ ...ana, attributes: { a: '1', b: ['2'] } }))
    const token = await identity.read(await identity.logIn(right))
    assert.equal(await identity.isAuthentic({ ...token, attributes: { b: ['2'], a: '1' } }), true)
    assert.equal(await identity.isAuthentic({ ...token, attributes: { a: '1', b: '2' } }), false)
  })

  test('two logins give two tokens, and the key is made once and stays in the storage', async () => {
    const identity = await startIdentity()
    const first = await identity.logIn(right)
    assert.notEqual(first, await identity.logIn(right))
    const key = identity.host.entries.get('key')
    const again = await startInProcess(plugin, identity.host.restarted())
    const token = await identity.read(first)
    assert.equal(await again.call('authentication.isAuthentic', [token]), true)
    assert.equal(identity.host.entries.get('key'), key)
  })
})
