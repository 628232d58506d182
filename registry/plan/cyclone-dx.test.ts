import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toCycloneDx } from './cyclone-dx.ts'

const integrity = `sha512-${Buffer.alloc(64, 1).toString('base64')}`

test('a bill of materials names the plugin and all that is in its bundle, with licences and hashes', () => {
  const bill = toCycloneDx({
    name: '@vendor/cloud',
    version: '1.2.0',
    description: 'A cloud',
    license: 'Apache-2.0',
    hash: 'a'.repeat(64),
    integrity,
    components: [
      { name: 'helper', version: '2.0.0', license: '(MIT OR ISC)', integrity },
      { name: '@a/b', version: '1.0.0-rc.1', license: 'see LICENSE, part 2' },
      { name: 'helper', version: '2.0.0', license: '(MIT OR ISC)', integrity },
      { name: 'unknown', version: '1.0.0', license: 'not stated' },
    ],
  })
  const { component } = bill.metadata
  assert.equal(component.purl, 'pkg:npm/%40vendor/cloud@1.2.0')
  assert.deepEqual([component.group, component.name], ['@vendor', 'cloud'])
  assert.deepEqual(component.hashes, [
    { alg: 'SHA-512', content: '01'.repeat(64) },
    { alg: 'SHA-256', content: 'a'.repeat(64) },
  ])
  assert.deepEqual(
    bill.components.map(({ purl, licenses }) => [purl, licenses]),
    [
      ['pkg:npm/helper@2.0.0', [{ expression: '(MIT OR ISC)' }]],
      ['pkg:npm/%40a/b@1.0.0-rc.1', [{ license: { name: 'see LICENSE, part 2' } }]],
      ['pkg:npm/unknown@1.0.0', undefined],
    ],
  )
  const refs = bill.components.map((one) => one['bom-ref'])
  assert.deepEqual(bill.dependencies, [{ ref: component['bom-ref'], dependsOn: refs }])
})
