import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readUser } from './gatekeeper.ts'

const ana = { id: 'ana', identityProviderId: 'site-a', name: 'Ana', roles: ['user'] }

test('a site speaks for users of its own, and of others only when that is configured', () => {
  assert.deepEqual(readUser('site-a', ana), ana)
  assert.throws(() => readUser('site-b', ana), {
    code: 'unauthorized',
    message: /site-b speaks for its own users only, not for those of 'site-a'/,
  })
  assert.deepEqual(readUser('site-b', ana, ['site-a']), ana)
})

test('a user travels without anything that does not describe it', () => {
  const user = readUser('site-a', { ...ana, attributes: { group: 'x' }, tokenValue: 'secret' })
  assert.deepEqual(user, { ...ana, attributes: { group: 'x' } })
})
