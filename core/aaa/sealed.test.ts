import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seal, unseal } from './sealed.ts'

const value = { verifier: 'a secret of the plugin', nested: [1] }

test('what is sealed opens for its secret and purpose, and for no other', () => {
  const sealed = seal(value, 'secret', 'browser 1')
  assert.deepEqual(unseal(sealed, 'secret', 'browser 1'), value)
  assert.equal(unseal(sealed, 'another', 'browser 1'), undefined)
  assert.equal(unseal(sealed, 'secret', 'ticket 1'), undefined)
  assert.ok(!Buffer.from(sealed, 'base64url').includes('plugin'))
})

test('the same sealed twice is not the same text', () => {
  assert.notEqual(seal(value, 'secret', 'p'), seal(value, 'secret', 'p'))
})

test('a text that was changed, cut or made up opens for nobody', () => {
  const sealed = seal(value, 'secret', 'p')
  for (let at = 0; at < sealed.length; at += 7) {
    const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1)
    assert.equal(unseal(changed, 'secret', 'p'), undefined, String(at))
  }
  for (const text of ['', 'x', sealed.slice(0, 20), sealed.slice(0, -4)])
    assert.equal(unseal(text, 'secret', 'p'), undefined)
})
