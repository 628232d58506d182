import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAddressRules } from './address-rules.ts'

const special = {
  unspecified: ['0.0.0.0', '0.1.2.3', '::'],
  loopback: ['127.0.0.1', '127.255.255.254', '::1'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd00::1', 'fc00:1::2'],
  'link-local': ['169.254.169.254', '169.254.0.1', 'fe80::1', 'febf::1'],
  metadata: ['168.63.129.16', 'fd00:ec2::254', '100.100.100.200', '192.0.0.192'],
  carriers: ['100.64.0.1', '100.127.255.255'],
  multicast: ['224.0.0.1', '239.1.1.1', 'ff02::1'],
  reserved: ['240.0.0.1', '255.255.255.255', '192.88.99.1', 'fec0::1', '100::1', '5f00::1', '1::1'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  benchmarks: ['198.18.0.1', '198.19.255.255'],
}

for (const [kind, addresses] of Object.entries(special)) {
  test(`${kind} addresses are refused unless they were granted`, () => {
    for (const address of addresses) {
      assert.ok(createAddressRules([]).refusal(address), address)
      const range = `${address}/${address.includes(':') ? 128 : 32}`
      assert.equal(createAddressRules([range]).refusal(address), undefined, address)
    }
  })
}

test('public addresses may be reached', () => {
  const rules = createAddressRules([])
  const all = [
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700::1111',
    '2a00:1450::8a',
    '11.0.0.1',
  ]
  for (const address of all) assert.equal(rules.refusal(address), undefined, address)
})

const wrapped = {
  mapped: ['::ffff:10.1.2.3', '::ffff:a01:203', '0:0:0:0:0:ffff:10.1.2.3'],
  translated: ['::ffff:0:10.1.2.3'],
  compatible: ['::10.1.2.3'],
  NAT64: ['64:ff9b::10.1.2.3', '64:ff9b::a01:203'],
  '6to4': ['2002:a01:203::1'],
  Teredo: ['2001:0:a01:203::f5fe:fdfc'],
}

for (const [form, addresses] of Object.entries(wrapped)) {
  test(`an IPv4 address in ${form} form counts as that IPv4 address`, () => {
    for (const address of addresses) {
      assert.equal(createAddressRules([]).refusal(address), 'private', address)
      assert.equal(createAddressRules(['10.0.0.0/8']).refusal(address), undefined, address)
    }
  })
}

test('a Teredo address leads to its server and its client, and each is looked at', () => {
  assert.equal(createAddressRules([]).refusal('2001:0:101:101::f5fe:fdfc'), 'private')
  assert.equal(createAddressRules([]).refusal('2001:0:a01:203::fefe:fefe'), 'private')
  assert.equal(createAddressRules([]).refusal('2001:0:101:101::fefe:fefe'), undefined)
})

test('a private prefix is refused although its ISATAP address holds a public one', () => {
  assert.equal(createAddressRules([]).refusal('fd00::5efe:1.1.1.1'), 'private')
  assert.equal(createAddressRules([]).refusal('2a00::5efe:10.0.0.1'), 'private')
  assert.equal(createAddressRules([]).refusal('2a00::200:5efe:10.0.0.1'), 'private')
})

test('the local NAT64 prefix is refused, whatever it holds', () => {
  assert.ok(createAddressRules([]).refusal('64:ff9b:1::1.1.1.1'))
})

test('addresses of this machine are refused although they are public', () => {
  const rules = createAddressRules([], () => ['1.2.3.4'])
  assert.equal(rules.refusal('1.2.3.4'), 'an address of this machine')
  assert.equal(rules.refusal('::ffff:1.2.3.4'), 'an address of this machine')
  const granted = createAddressRules(['1.2.3.4/32'], () => ['1.2.3.4'])
  assert.equal(granted.refusal('1.2.3.4'), undefined)
})

test('a range grants what lies in it and nothing else', () => {
  const rules = createAddressRules(['10.20.0.0/16', 'fd12::/32'])
  for (const address of ['10.20.0.1', '10.20.255.255', 'fd12::1', '::ffff:10.20.1.1'])
    assert.equal(rules.refusal(address), undefined, address)
  for (const address of ['10.21.0.1', 'fd13::1', '::ffff:10.21.1.1'])
    assert.equal(rules.refusal(address), 'private', address)
})

test('what is no address is refused', () => {
  for (const text of ['', 'localhost', '1.2.3', '0x7f.1', 'fe80::1%lo', '1.2.3.4/32'])
    assert.equal(createAddressRules([]).refusal(text), 'no address', text)
})
