import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { createPassword, openUsersFile, type UsersFile, verifyPassword } from './users-file.ts'

let folder: string
let path: string
let users: UsersFile

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fogbow-users-'))
})
after(() => rm(folder, { recursive: true }))
beforeEach(async () => {
  path = join(await mkdtemp(join(folder, 'site-')), 'data', 'users.json')
  users = openUsersFile(path)
})

const ann = { name: 'ann', password: 'correct horse', roles: ['admin'] }

async function only() {
  const [user, ...others] = await users.list()
  assert.ok(user)
  assert.deepEqual(others, [])
  return user
}

test('a file that is not there yet has no users', async () => {
  assert.deepEqual(await users.list(), [])
})

test('an added user can be verified by the right password alone', async () => {
  await users.add(ann)
  const user = await only()
  assert.deepEqual([user.name, user.roles, user.disabled], ['ann', ['admin'], undefined])
  assert.equal(await verifyPassword(user, 'correct horse'), true)
  assert.equal(await verifyPassword(user, 'correct hors'), false)
  assert.equal(await verifyPassword(user, ''), false)
})

test('the file keeps a salted hash in place of the password, for its owner alone, and no drafts', async () => {
  await users.add(ann)
  await users.add({ ...ann, name: 'bob' })
  const text = await readFile(path, 'utf8')
  assert.doesNotMatch(text, /correct horse/)
  const hashes = (await users.list()).map(({ password }) => password)
  for (const hash of hashes)
    assert.match(hash, /^\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=$/)
  assert.notEqual(hashes[0], hashes[1])
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(join(path, '..')), ['users.json'])
})

test('a new password takes the place of the old one', async () => {
  await users.add(ann)
  await users.setPassword('ann', 'another one')
  const user = await only()
  assert.equal(await verifyPassword(user, 'another one'), true)
  assert.equal(await verifyPassword(user, 'correct horse'), false)
})

test('a user is disabled, enabled and removed; attributes written by hand are kept', async () => {
  await users.add(ann)
  const text = JSON.parse(await readFile(path, 'utf8'))
  text.users[0].attributes = { email: 'ann@site.example' }
  await writeFile(path, JSON.stringify(text))
  await users.setDisabled('ann', true)
  assert.equal((await only()).disabled, true)
  await users.setDisabled('ann', false)
  assert.equal((await only()).disabled, false)
  assert.deepEqual((await only()).attributes, { email: 'ann@site.example' })
  await users.remove('ann')
  assert.deepEqual(await users.list(), [])
})

test('changes made at the same time are all kept', async () => {
  const names = ['d', 'b', 'c', 'a']
  await Promise.all(names.map((name) => users.add({ ...ann, name })))
  assert.deepEqual(
    (await users.list()).map(({ name }) => name),
    ['a', 'b', 'c', 'd'],
  )
})

const refusals: [what: string, user: typeof ann, message: RegExp][] = [
  ['a short password', { ...ann, password: '1234567' }, /password: must have 8 to 1024/],
  ['a huge password', { ...ann, password: 'x'.repeat(1025) }, /password: must have 8 to 1024/],
  ['no name', { ...ann, name: '' }, /name: '' must be 1 to 128/],
  ['a path as name', { ...ann, name: '../x' }, /name: '\.\.\/x' must be/],
  ['a line break in the name', { ...ann, name: 'a\nb' }, /must be 1 to 128 letters/],
  ['an odd role', { ...ann, roles: ['ad min'] }, /roles: 'ad min' must be/],
]
for (const [what, user, message] of refusals) {
  test(`${what} is refused, and the file stays as it was`, async () => {
    await users.add({ ...ann, name: 'first' })
    const before = await readFile(path, 'utf8')
    await assert.rejects(users.add(user), { code: 'invalid_parameter', message })
    assert.equal(await readFile(path, 'utf8'), before)
  })
}

test('a name can be taken once', async () => {
  await users.add(ann)
  await assert.rejects(users.add({ ...ann, password: 'something else' }), /'ann' exists already/)
  assert.equal(await verifyPassword(await only(), 'correct horse'), true)
})

test('unknown users are named', async () => {
  const unknown = { code: 'not_found', message: "No local user is named 'eve'" }
  await assert.rejects(users.setPassword('eve', 'long enough'), unknown)
  await assert.rejects(users.setDisabled('eve', true), unknown)
  await assert.rejects(users.remove('eve'), unknown)
})

test('a file that cannot be understood is named and never overwritten', async () => {
  await users.add(ann)
  for (const text of ['{', '[]', '{"users":[{"name":"ann"}]}', 'null']) {
    await writeFile(path, text)
    await assert.rejects(users.add({ ...ann, name: 'bob' }), (error: Error) =>
      error.message.startsWith(`Users file ${path}: `),
    )
    assert.equal(await readFile(path, 'utf8'), text)
  }
})

test('a hash that cannot be read, or would cost too much to try, lets nobody in', async () => {
  const hashes = ['', 'plain', '$scrypt$ln=15,r=8,p=1$$', '$scrypt$ln=30,r=8,p=1$AAAA$AAAA']
  for (const password of hashes) assert.equal(await verifyPassword({ password }, password), false)
})

test('a hash made elsewhere with other parameters is understood', async () => {
  // RFC 7914, section 12: scrypt of "password" with salt "NaCl", N 1024, r 8, p 16, 64 bytes.
  const salt = Buffer.from('NaCl').toString('base64')
  const hash = Buffer.from(
    'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162' +
      '2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
    'hex',
  ).toString('base64')
  const record = { password: `$scrypt$ln=10,r=8,p=16$${salt}$${hash}` }
  assert.equal(await verifyPassword(record, 'password'), true)
  assert.equal(await verifyPassword(record, 'passwore'), false)
})

test('random passwords have 20 letters and digits that nobody mistakes for others', () => {
  const passwords = Array.from({ length: 50 }, createPassword)
  for (const password of passwords) assert.match(password, /^[A-HJ-NP-Za-km-z2-9]{20}$/)
  assert.equal(new Set(passwords).size, 50)
})
