import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IdentitySource, identitySources } from '../config/index.ts'
import { sourceForLogIn, sourceOfToken } from './choose-source.ts'

const plugins = (name: string) => ({
  tokenGenerator: name,
  federationIdentity: name,
  authentication: name,
})
const source = (identityProviderId: string, more: object = {}) => ({
  identityProviderId,
  domains: [],
  opaqueTokens: false,
  ...more,
})
const several = identitySources({
  aaa: {
    authorization: 'roles',
    cacheSeconds: 5,
    sources: {
      staff: { ...plugins('ldap'), ...source('staff.example', { domains: ['Employees'] }) },
      guests: { ...plugins('local'), ...source('site-a', { issuers: ['site-a', 'https://b'] }) },
      keystone: { ...plugins('keystone'), ...source('keystone.example', { opaqueTokens: true }) },
    },
  },
})
const single = identitySources({
  aaa: { ...plugins('local'), authorization: 'roles', cacheSeconds: 5 },
})

const jwt = (claims: unknown) =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`
const nameOf = ({ name }: IdentitySource) => name

test('a domain names a source, by its name or otherwise, and case does not count; without one it is the first', () => {
  const cases: [string | undefined, string][] = [
    [undefined, 'staff'],
    ['', 'staff'],
    ['  ', 'staff'],
    ['staff', 'staff'],
    ['EMPLOYEES', 'staff'],
    ['guests', 'guests'],
    ['Keystone', 'keystone'],
  ]
  for (const [domain, expected] of cases) {
    const credentials = { username: 'ana', ...(domain !== undefined && { domain }) }
    assert.equal(nameOf(sourceForLogIn(several, credentials)), expected, String(domain))
  }
})

test('an unknown domain is refused with those that there are', () => {
  assert.throws(() => sourceForLogIn(several, { domain: 'elsewhere' }), {
    code: 'invalid_parameter',
    message: /credentials\.domain.*'elsewhere' is no domain.*staff, employees, guests, keystone/,
  })
})

test('a token belongs to the source of its issuer, and one without issuer to the source that has such', () => {
  assert.equal(nameOf(sourceOfToken(several, jwt({ iss: 'staff.example' }))), 'staff')
  assert.equal(nameOf(sourceOfToken(several, jwt({ iss: 'https://b' }))), 'guests')
  for (const opaque of [
    'gAAAAABk',
    jwt({}),
    jwt({ iss: 5 }),
    jwt(null),
    'a.b.c',
    'a.b.c.d.e',
    '..',
  ])
    assert.equal(nameOf(sourceOfToken(several, opaque)), 'keystone', opaque)
})

test('a token of nobody is refused, and says whose it is', () => {
  assert.throws(() => sourceOfToken(several, jwt({ iss: 'keystone.example.evil' })), {
    code: 'unauthenticated',
    message: /tokens of issuer 'keystone\.example\.evil'/,
  })
  assert.throws(() => sourceOfToken(several.slice(0, 2), 'opaque'), {
    code: 'unauthenticated',
    message: /tokens without issuer/,
  })
})

test('where there is one source, domain and issuer are its own business', () => {
  assert.equal(nameOf(sourceForLogIn(single, { domain: 'anything' })), 'default')
  assert.equal(nameOf(sourceOfToken(single, jwt({ iss: 'anything' }))), 'default')
  assert.equal(nameOf(sourceOfToken(single, 'opaque')), 'default')
})
