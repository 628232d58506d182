import assert from 'node:assert/strict'
import { test } from 'node:test'
import { comparableDn, comparableValue, fillDn, fillFilter, firstValue, isBelow } from './names.ts'

test('a value that is put into a filter stays a value', () => {
  const fill = (username: string) => fillFilter('(&(uid={username})(x={y}))', { username })
  assert.equal(fill('*)(uid=*'), '(&(uid=\\2a\\29\\28uid=\\2a)(x={y}))')
  assert.equal(fill('a\\b\0'), '(&(uid=a\\5cb\\00)(x={y}))')
  assert.equal(fill('{username}'), '(&(uid={username})(x={y}))')
  assert.equal(fill('$&'), '(&(uid=$&)(x={y}))')
})

test('a value that is put into a DN stays the value of one attribute', () => {
  const fill = (username: string) => fillDn('uid={username},ou=x', { username })
  assert.equal(fill('a,ou=admins'), 'uid=a\\,ou\\=admins,ou=x')
  assert.equal(fill('a+b="c"<>;\\'), 'uid=a\\+b\\=\\"c\\"\\<\\>\\;\\\\,ou=x')
  assert.equal(fill('#a '), 'uid=\\#a\\ ,ou=x')
  assert.equal(fill(' a\0'), 'uid=\\ a\\00,ou=x')
})

test('all ways to write a DN are one', () => {
  const same = [
    ['CN=Science, OU=Groups,DC=example', 'cn=science,ou=groups,dc=example'],
    ['cn=smith\\, jo,dc=x', 'cn=smith\\2c jo,dc=x'],
    ['cn=J\\C3\\BCrgen,dc=x', 'CN=jürgen,DC=X'],
    ['cn=a+uid=b,dc=x', 'uid=b + cn=A,dc=x'],
    ['cn=a\\=b,dc=x', 'cn=a=b,dc=x'],
  ]
  for (const [one = '', other = ''] of same) assert.equal(comparableDn(one), comparableDn(other))
  const different = [
    ['cn=a\\,dc=x', 'cn=a,dc=x'],
    ['cn=a\\,ou=b,dc=x', 'cn=a,ou=b,dc=x'],
    ['cn=a\\+cn=b,dc=x', 'cn=a+cn=b,dc=x'],
  ]
  for (const [one = '', other = ''] of different)
    assert.notEqual(comparableDn(one), comparableDn(other))
})

test('a group is named by the first value of its DN, and near only below the base', () => {
  assert.equal(
    firstValue('CN=Physics\\, applied,ou=groups,dc=x'),
    comparableValue('physics, applied'),
  )
  const base = comparableDn('ou=groups,dc=x')
  assert.equal(isBelow(comparableDn('cn=a,OU=Groups,dc=x'), base), true)
  assert.equal(isBelow(comparableDn('cn=a,ou=my groups\\,ou=groups,dc=x'), base), false)
  assert.equal(isBelow(base, base), false)
})
