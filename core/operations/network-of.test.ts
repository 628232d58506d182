import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkOf } from './network-of.ts'

test('addresses of one IPv6 network are one, however they are written', () => {
  for (const address of [
    '2001:db8:0:1::1',
    '2001:0db8:0000:0001:ffff:1:2:3',
    '2001:DB8:0:1:0:0:0:0',
    '2001:db8::1:0:0:0:5',
    '2001:db8:0:1::%eth0',
  ])
    assert.equal(networkOf(address), '2001:db8:0:1::/64', address)
  assert.notEqual(networkOf('2001:db8:0:2::1'), '2001:db8:0:1::/64')
  assert.equal(networkOf('::1'), '0:0:0:0::/64')
})

test('an IPv4 address is one of its own, and what is none stays as it is', () => {
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '', 'somewhere'])
    assert.equal(networkOf(address), address)
})
