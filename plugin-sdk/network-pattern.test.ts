import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  canonicalHost,
  formatNetworkPattern,
  parseNetworkPattern,
  parseNetworkRequest,
} from './network-pattern.ts'

test('a pattern is a scheme, a host and a port, of which host alone is needed for the web', () => {
  const patterns: [text: string, scheme: string, host: string, port: number | '*'][] = [
    ['cloud.example', 'https', 'cloud.example', 443],
    ['http://cloud.example', 'http', 'cloud.example', 80],
    ['cloud.example:8443', 'https', 'cloud.example', 8443],
    ['tls://ldap.example:636', 'tls', 'ldap.example', 636],
    ['tcp://ldap.example:*', 'tcp', 'ldap.example', '*'],
    ['*.Cloud.Example.:*', 'https', '*.cloud.example', '*'],
    ['bücher.example', 'https', 'xn--bcher-kva.example', 443],
    ['192.0.2.1', 'https', '192.0.2.1', 443],
    ['http://[2001:DB8:0::1]:5000', 'http', '[2001:db8::1]', 5000],
  ]
  for (const [text, scheme, host, port] of patterns)
    assert.deepEqual(parseNetworkPattern(text), { scheme, host, port }, text)
})

test('a pattern is shown in its shortest form', () => {
  const shortest = ['cloud.example', 'http://a.b', 'a.b:80', 'tls://a.b:636', 'http://[::1]:*']
  for (const text of shortest) {
    const pattern = parseNetworkPattern(text)
    assert.ok(typeof pattern === 'object')
    assert.equal(formatNetworkPattern(pattern), text)
  }
  const long = parseNetworkPattern('https://A.B:443')
  assert.equal(typeof long === 'object' && formatNetworkPattern(long), 'a.b')
})

test('what is no pattern is told apart, and what is wrong with it', () => {
  const wrong: [text: string, problem: RegExp][] = [
    ['ftp://a.example', /scheme must be one of https, http, tls, tcp/],
    ['tls://a.example', /tls needs a port/],
    ['a.example:0', /'0' is no port/],
    ['a.example:65536', /'65536' is no port/],
    ['a.example:', /'' is no port/],
    ['', /'' must be a name/],
    ['*', /'\*' must be a name/],
    ['*.*.example', /must be a name/],
    ['a.*.example', /must be a name/],
    ['*.192.0.2.1', /must be a name/],
    ['a.example/path', /must be a name/],
    ['user@a.example', /must be a name/],
    ['a example', /must be a name/],
    ['a%2eexample', /must be a name/],
    ['2130706433', /must be a name/],
    ['0x7f.1', /must be a name/],
    ['[fe80::1%eth0]', /must be a name/],
    ['{config.url.host}', /a template stands in manifests only/],
  ]
  for (const [text, problem] of wrong) {
    const parsed = parseNetworkPattern(text)
    assert.ok(typeof parsed === 'string', text)
    assert.match(parsed, problem, text)
  }
})

test('a manifest may leave the host, or all of a pattern, to the configuration', () => {
  assert.deepEqual(parseNetworkRequest('{config.authUrl.host}'), { key: 'authUrl', part: 'host' })
  assert.deepEqual(parseNetworkRequest('{config.a.b.host}'), { key: 'a.b', part: 'host' })
  assert.deepEqual(parseNetworkRequest('{config.extra}'), { key: 'extra', part: 'patterns' })
  assert.deepEqual(parseNetworkRequest('{config.url.hostname}'), {
    key: 'url',
    part: 'hostname',
    scheme: 'https',
    port: 443,
  })
  assert.deepEqual(parseNetworkRequest('tcp://{config.url.hostname}:*'), {
    key: 'url',
    part: 'hostname',
    scheme: 'tcp',
    port: '*',
  })
  for (const text of [
    '{config.url.host}:80',
    'http://{config.url.host}',
    '{url}',
    '*.{config.a}',
    '{config.a',
  ])
    assert.match(String(parseNetworkRequest(text)), /a template is \{config\.KEY\.host\}/, text)
})

test('all forms of a host are one form', () => {
  const forms: [text: string, host: string | undefined][] = [
    ['Cloud.Example.', 'cloud.example'],
    ['0177.0.0.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['::FFFF:127.0.0.1', '[::ffff:7f00:1]'],
    ['[::1]', '[::1]'],
    ['a..b', undefined],
    ['a/b', undefined],
    ['a b', undefined],
    ['fe80::1%1', undefined],
    ['x'.repeat(300), undefined],
  ]
  for (const [text, host] of forms) assert.equal(canonicalHost(text), host, text)
})
