import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAccounts } from './accounts.ts'

const credential = { username: 'fogbow', password: 'hush', project: 'physics' }
const accounts = readAccounts(
  JSON.stringify({
    physics: credential,
    'ana@site-a': 'physics',
    'role:student@site-b': 'physics',
    '*@site-c': 'physics',
    loop: 'loop',
  }),
)
const user = (id: string, identityProviderId: string, roles: string[] = []) => ({
  id,
  identityProviderId,
  name: id,
  roles,
})
const nameFor = (...about: Parameters<typeof user>) => accounts.nameFor(user(...about), undefined)

test('users have accounts by name, by role and by home site', () => {
  assert.equal(nameFor('ana', 'site-a'), 'ana@site-a')
  assert.equal(nameFor('bob', 'site-b', ['student']), 'role:student@site-b')
  assert.equal(nameFor('eve', 'site-c'), '*@site-c')
  assert.deepEqual(accounts.credential('ana@site-a'), credential)
})

test('nobody gets an account by what he calls himself, his roles or his site', () => {
  for (const [id, home, roles] of [
    ['ana', 'site-b', []],
    ['physics', 'site-a', []],
    ['role:student', 'site-b', []],
    ['*', 'site-b', []],
    ['eve', 'site-a', ['student']],
    ['ana', 'x@site-a', []],
    ['__proto__', 'site-a', ['constructor']],
  ] as const)
    assert.equal(nameFor(id, home, [...roles]), undefined, `${id} of ${home}`)
  assert.equal(accounts.nameFor(user('eve', 'site-x'), 'physics'), 'physics')
})

test('what is wrong with the secret is told without showing it', () => {
  for (const text of ['{"a": "hush"', '["hush"]']) {
    assert.throws(
      () => readAccounts(text),
      (error: Error & { code: string }) => {
        assert.equal(error.code, 'configuration_error')
        return !error.message.includes('hush')
      },
    )
  }
  for (const name of ['nobody', 'loop', 'toString'])
    assert.throws(() => accounts.credential(name), { code: 'configuration_error' })
  const half = readAccounts('{"a": {"username": "hush"}}')
  assert.throws(() => half.credential('a'), { message: /needs username and password/ })
})
