import assert from 'node:assert/strict'
import { test } from 'node:test'
import { candidate, sha256Of } from '../fixtures/candidate.ts'
import { createSigningKey } from './signing-key.ts'
import { problemOfVendorSignature, signatureFile, signPackage } from './vendor-signature.ts'

const key = createSigningKey()
const plugin = candidate()
const signature = signPackage(plugin, key)
const problemOf = (written: unknown, of = plugin, siteId = 'site-a.example') =>
  problemOfVendorSignature(written, of, [key], siteId)

test('exactly the files that were signed are believed', () => {
  assert.equal(problemOf(signature), undefined)
})

test('the signature itself is not among the files that it lists', () => {
  const files = [...plugin.files, { path: signatureFile, sha256: sha256Of('signature') }]
  assert.equal(problemOf(signPackage({ ...plugin, files }, key), { ...plugin, files }), undefined)
})

test('a changed file, a further one and a missing one are named', () => {
  const [first, ...rest] = plugin.files
  assert.ok(first)
  const changed = { ...plugin, files: [{ ...first, sha256: sha256Of('evil') }, ...rest] }
  assert.match(String(problemOf(signature, changed)), /file 'index\.js' was changed/)
  const more = { ...plugin, files: [...plugin.files, { ...first, path: 'evil.js' }] }
  assert.match(String(problemOf(signature, more)), /file 'evil\.js' was added/)
  assert.match(String(problemOf(signature, { ...plugin, files: rest })), /'index\.js' .* missing/)
})

test('a file named like a property of objects is not taken for signed', () => {
  const files = [...plugin.files, { path: 'constructor', sha256: sha256Of('evil') }]
  assert.match(String(problemOf(signature, { ...plugin, files })), /'constructor' was added/)
})

test('the signature of another version or package is refused', () => {
  const older = signPackage({ ...plugin, version: '1.0.0' }, key)
  assert.match(String(problemOf(older)), /that of @vendor\/plugin@1\.0\.0/)
  const other = signPackage({ ...plugin, name: 'other' }, key)
  assert.match(String(problemOf(other)), /that of other@1\.2\.3/)
})

test('a forged list of files is refused', () => {
  const forged = { ...signature, files: { ...signature.files, 'evil.js': sha256Of('evil') } }
  assert.match(String(problemOf(forged)), /its signature is forged/)
})

test('the signature of a key that is not the publisher’s is refused', () => {
  const stranger = signPackage(plugin, createSigningKey())
  assert.match(String(problemOf(stranger)), /which is not one of the publisher/)
})

test('what was signed for other sites is refused here', () => {
  const bound = signPackage(plugin, key, ['site-b.example'])
  assert.match(String(problemOf(bound)), /signed for other sites: site-b\.example/)
  assert.equal(problemOf(bound, plugin, 'site-b.example'), undefined)
})

test('whatever is no signature is refused with the field that is wrong', () => {
  assert.match(String(problemOf('x')), /fogbow\.signature\.json must be/)
  assert.match(String(problemOf({ ...signature, extra: 1 })), /fogbow\.signature\.json\.extra/)
})
