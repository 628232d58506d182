import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Claims, toUser } from './claims.ts'
import type { ClaimSettings } from './config.ts'

const issuer = 'https://login.example/realms/science'
const user = (claims: Claims, mapping: ClaimSettings = {}) =>
  toUser({ sub: 'u-1', ...claims }, { issuer, clientId: 'site', claims: mapping })

test('without a mapping a user has an id, a name and an address, and no roles', () => {
  assert.deepEqual(
    user({ name: 'Ana', email: 'ana@example.org', groups: ['admin'], roles: ['admin'] }),
    {
      id: 'u-1',
      identityProviderId: issuer,
      name: 'Ana',
      roles: [],
      attributes: { email: 'ana@example.org' },
    },
  )
  assert.equal(user({ preferred_username: 'ana' }).name, 'ana')
  assert.equal(user({}).name, 'u-1')
})

const keycloak: Claims = {
  realm_access: { roles: ['cloud-users', 'offline_access'] },
  resource_access: { 'fogbow.site': { roles: ['operators'] } },
  'https://login.example/groups': ['cloud-admins'],
  department: 'physics',
}

test('roles are found deep in claims, by names with dots, and count only as they are mapped', () => {
  const roles = {
    from: [
      'realm_access.roles',
      ['resource_access', 'fogbow.site', 'roles'],
      'https://login.example/groups',
      'department',
      'no.such.claim',
    ],
    map: {
      'cloud-users': ['user'],
      operators: ['operator', 'user'],
      'cloud-admins': ['admin'],
      physics: ['physicist'],
    },
    default: ['guest'],
  }
  assert.deepEqual(user(keycloak, { roles }).roles, [
    'guest',
    'user',
    'operator',
    'admin',
    'physicist',
  ])
})

test('what every object has is no claim, and no role', () => {
  const from = ['constructor', '__proto__', 'toString', 'realm_access.constructor.name']
  const roles = { from, map: { Object: ['admin'] } }
  assert.deepEqual(user(keycloak, { roles }).roles, [])
  const named = { from: ['role'], map: { a: ['user'] } }
  for (const role of ['constructor', '__proto__', 'toString'])
    assert.deepEqual(user({ role }, { roles: named }).roles, [])
})

test('attributes are texts or lists of them, and nothing else that a claim may be', () => {
  const attributes = {
    one: 'text',
    several: 'list',
    number: 'number',
    yes: 'yes',
    object: 'object',
    long: 'long',
  }
  const claims = {
    text: 'a',
    list: ['a', 5, { b: 1 }],
    number: 5,
    yes: true,
    object: { a: 1 },
    long: 'x'.repeat(1025),
  }
  assert.deepEqual(user(claims, { attributes }).attributes, {
    one: 'a',
    several: ['a', '5'],
    number: '5',
    yes: 'true',
  })
})

test('who lacks what is required is refused, and is told what it is', () => {
  const require = [
    { claim: 'email_verified', values: ['true'] },
    { claim: 'realm_access.roles', values: ['cloud-users', 'cloud-admins'] },
    { claim: 'department' },
  ]
  user({ ...keycloak, email_verified: true }, { require })
  const refused = (claims: Claims, words: RegExp) =>
    assert.throws(() => user(claims, { require }), { code: 'unauthorized', message: words })
  refused(keycloak, /email_verified', one of: true/)
  refused({ ...keycloak, email_verified: false }, /email_verified/)
  refused({ email_verified: true, department: 'physics' }, /realm_access\.roles/)
  const other = { roles: ['others'] }
  refused({ ...keycloak, email_verified: true, realm_access: other }, /realm_access\.roles/)
  refused({ ...keycloak, email_verified: true, department: {} }, /department/)
})

test('an id is a text that is neither empty nor too long', () => {
  assert.equal(user({ employee: 4711 }, { id: 'employee' }).id, '4711')
  for (const sub of ['', 'x'.repeat(256), ['a'], { a: 1 }, null])
    assert.throws(() => user({ sub }), { code: 'unauthorized', message: /'sub'/ })
  assert.throws(() => user({}, { id: 'employee' }), { message: /'employee'/ })
})

test('a machine that acts for itself cannot be taken for a user of that name', () => {
  assert.equal(user({ sub: 'ana', client_id: 'ana' }).id, 'client:ana')
  assert.equal(user({ sub: undefined, client_id: 'ana' }).id, 'client:ana')
  assert.equal(user({ sub: 'ana', client_id: 'app' }).id, 'ana')
  assert.equal(user({ sub: 'ana', azp: 'app' }).id, 'ana')
})

test('sites that are to know a user as the same name his provider alike', () => {
  const settings = { issuer, clientId: 'site', identityProvider: 'science' }
  assert.equal(toUser({ sub: 'u-1' }, settings).identityProviderId, 'science')
})
