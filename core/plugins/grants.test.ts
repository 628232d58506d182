import assert from 'node:assert/strict'
import { test } from 'node:test'
import { grantedCapabilities, shownCapabilities } from './grants.ts'

interface Setting {
  asked?: string[]
  granted?: string[]
  written?: Record<string, unknown>
}

function grant({ asked = [], granted = ['*'], written = {} }: Setting) {
  const grants = { network: granted, addresses: [], storageMiB: 64 }
  const manifest = { capabilities: { network: asked, secrets: ['key'], storage: true } }
  return grantedCapabilities('cloud', { grants }, manifest, written)
}

const shown = (setting: Setting) => shownCapabilities(grant(setting)).network

test('a plugin may reach what it asks for and was granted, and nothing of either alone', () => {
  const asked = ['a.example', 'b.example:*', '*.c.example']
  assert.deepEqual(shown({ asked, granted: [] }), [])
  assert.deepEqual(shown({ asked, granted: ['*'] }), asked)
  assert.deepEqual(shown({ asked, granted: ['b.example:*'] }), ['b.example:*'])
  assert.deepEqual(shown({ asked: [], granted: ['*'] }), [])
})

test('a grant may be narrower than what is asked for, and is no wider when it says more', () => {
  const asked = ['*.example:*']
  assert.deepEqual(shown({ asked, granted: ['a.example', 'b.example:8443'] }), [
    'a.example',
    'b.example:8443',
  ])
  assert.deepEqual(shown({ asked, granted: ['*.a.example:*'] }), ['*.a.example:*'])
  assert.deepEqual(shown({ asked: ['a.example'], granted: ['*.example:*'] }), ['a.example'])
})

test('a grant that is no part of what is asked for is an error that says what is', () => {
  const refuse = (granted: string[], asked: string[]) => () => grant({ asked, granted })
  assert.throws(refuse(['*', 'b.example'], ['a.example', '{config.url.host}']), {
    code: 'configuration_error',
    message:
      "plugins.cloud.grants.network[1]: 'b.example' is no part of what its manifest asks for: a.example, {config.url.host} (now nothing)",
  })
  assert.throws(refuse(['example'], ['*.example']), { code: 'configuration_error' })
  assert.throws(refuse(['{config.url}'], []), { message: /manifest asks for: no network$/ })
})

test('a template stands for what the administrator wrote, and is granted by its own text, too', () => {
  const written = {
    url: 'https://cloud.example:5000/v3',
    deep: { ldap: 'ldap://dir.example', tls: 'ldaps://dir.example:1636' },
  }
  const asked = ['{config.url.host}', '{config.deep.ldap.host}', '{config.deep.tls.host}']
  assert.deepEqual(shown({ asked, written }), [
    'cloud.example:5000',
    'tcp://dir.example:389',
    'tls://dir.example:1636',
  ])
  assert.deepEqual(shown({ asked, written, granted: ['{config.url.host}'] }), [
    'cloud.example:5000',
  ])
  const services = 'https://{config.url.hostname}:*'
  assert.deepEqual(shown({ asked: [services], written }), ['cloud.example:*'])
  assert.deepEqual(shown({ asked: [services], written, granted: ['cloud.example:8774'] }), [
    'cloud.example:8774',
  ])
})

test('the hostname of a template may be written without a URL', () => {
  const asked = ['tcp://{config.server.hostname}:389']
  assert.deepEqual(shown({ asked, written: { server: 'Dir.Example' } }), ['tcp://dir.example:389'])
  assert.deepEqual(shown({ asked, written: { server: '10.0.0.5' } }), ['tcp://10.0.0.5:389'])
})

test('patterns that the administrator writes as a setting are taken as they are, one or a list', () => {
  const asked = ['{config.services}']
  assert.deepEqual(shown({ asked, written: { services: '*.cloud.example:*' } }), [
    '*.cloud.example:*',
  ])
  assert.deepEqual(shown({ asked, written: { services: ['a.example', 'http://b.example'] } }), [
    'a.example',
    'http://b.example',
  ])
})

test('a setting that was not written grants nothing, nor does what every object has', () => {
  const asked = [
    '{config.url.host}',
    '{config.constructor}',
    '{config.__proto__.x}',
    '{config.a.b.c}',
  ]
  assert.deepEqual(shown({ asked }), [])
  assert.deepEqual(shown({ asked, written: { url: '', a: null } }), [])
})

test('a setting that cannot fill its template is named', () => {
  const wrong: [asked: string, written: unknown, message: RegExp][] = [
    ['{config.url.host}', 'cloud.example', /^plugins\.cloud\.config\.url must be a URL such as/],
    ['{config.url.host}', 'file:///etc', /config\.url must be a URL/],
    ['{config.url.host}', 'tcp://a.example', /config\.url must be a URL/],
    ['{config.url.host}', ['https://a.example', 7], /config\.url\[1\] must be a URL/],
    ['https://{config.url.hostname}', 'a b', /config\.url must be a URL or the name of a host/],
    ['{config.url}', 'ftp://a.example', /config\.url must be a network pattern .*, and the scheme/],
    ['{config.url}', '*', /config\.url must be a network pattern/],
    ['{config.url}', { a: 1 }, /config\.url must be a network pattern/],
  ]
  for (const [asked, written, message] of wrong) {
    const setting = { asked: [asked], written: { url: written } }
    assert.throws(() => grant(setting), { code: 'configuration_error', message }, asked)
  }
})

test('addresses count as written by the administrator in grants and settings, not in manifests', () => {
  const asked = ['http://169.254.169.254', '{config.url.host}', 'tcp://*.example:*']
  const written = { url: 'http://10.0.0.5:5000' }
  const by = (granted: string[]) =>
    grant({ asked, written, granted }).network.map(({ host, byAdministrator }) => [
      host,
      byAdministrator,
    ])
  assert.deepEqual(by(['*']), [
    ['169.254.169.254', false],
    ['10.0.0.5', true],
    ['*.example', false],
  ])
  assert.deepEqual(by(['http://169.254.169.254']), [['169.254.169.254', true]])
  assert.deepEqual(by(['http://169.254.169.254:*']), [['169.254.169.254', true]])
})
