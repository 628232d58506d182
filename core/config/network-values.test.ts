import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressRangeProblem, grantProblem, noProxyProblem } from './network-values.ts'

test('a grant is checked before anybody knows what the manifest asks for', () => {
  for (const text of ['*', 'a.example', '*.example:*', '{config.url.host}'])
    assert.equal(grantProblem(text), undefined)
  assert.match(grantProblem('ftp://a') ?? '', /scheme/)
  assert.match(grantProblem('{url}') ?? '', /template/)
})

test('a range is an address and how many bits of it count', () => {
  for (const range of ['10.0.0.0/8', '::/0', '0.0.0.0/0', 'fd00::/8', '10.20.0.5/32'])
    assert.equal(addressRangeProblem(range), undefined, range)
  const wrong = [
    '10.0.0.0',
    '10.0.0.0/33',
    'x/8',
    '::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    'fe80::%1/64',
  ]
  for (const range of wrong)
    assert.match(addressRangeProblem(range) ?? '', /such as 10\.20\.0\.0\/16/, range)
})

test('an exemption from the proxy is a name, a domain, an address or a range', () => {
  const right = [
    'a.example',
    '*.example',
    '.example',
    '10.0.0.0/8',
    'fd00::/8',
    '10.1.2.3',
    '::1',
    '*',
  ]
  for (const entry of right) assert.equal(noProxyProblem(entry), undefined, entry)
  for (const entry of ['a b', '10.0.0.0/40', 'http://x', '*.'])
    assert.ok(noProxyProblem(entry), entry)
})
