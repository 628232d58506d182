import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeHost, startInProcess } from '@fogbow/plugin-sdk/testing'
import plugin from './index.ts'

const userOf = (id: string, identityProviderId = 'site-a', roles: string[] = []) => ({
  id,
  identityProviderId,
  name: id,
  roles,
})

async function start(config: object, accounts: object | string) {
  const text = typeof accounts === 'string' ? accounts : JSON.stringify(accounts)
  const caller = await startInProcess(
    plugin,
    createFakeHost({ config, secrets: { accounts: text } }),
  )
  return (id: string, site?: string, roles?: string[]) =>
    caller.call('federationToLocalMapper.getToken', [userOf(id, site, roles)])
}

const unauthorized = { code: 'unauthorized' }

test('each user gets his own account, with what is public and what is secret of it', async () => {
  const accounts = { ana: { project: 'physics' }, bob: { project: 'chemistry' } }
  const getToken = await start({ accounts }, { ana: { password: 'a' }, bob: 'b' })
  assert.deepEqual(await getToken('ana'), { project: 'physics', password: 'a' })
  assert.deepEqual(await getToken('bob'), { project: 'chemistry', credential: 'b' })
})

test('a user without account is refused, and told whom to ask', async () => {
  const getToken = await start({}, { ana: 'a' })
  await assert.rejects(getToken('eve'), {
    ...unauthorized,
    message: /'eve' of 'site-a' has no account.*ask the administrator/,
  })
  for (const name of ['constructor', '__proto__', 'toString'])
    await assert.rejects(getToken(name), unauthorized)
})

test('the name with identity provider counts before the name alone', async () => {
  const getToken = await start({}, { 'ana@site-b': 'theirs', ana: 'ours' })
  assert.deepEqual(await getToken('ana', 'site-b'), { credential: 'theirs' })
  assert.deepEqual(await getToken('ana', 'site-a'), { credential: 'ours' })
})

test('names alone belong to the identity provider that is configured', async () => {
  const getToken = await start({ identityProvider: 'site-a' }, { ana: 'ours' })
  assert.deepEqual(await getToken('ana', 'site-a'), { credential: 'ours' })
  await assert.rejects(getToken('ana', 'site-b'), unauthorized)
})

test('nobody gets another’s account by calling himself after it', async () => {
  const getToken = await start({}, { 'ana@site-a': 'secret of ana' })
  await assert.rejects(getToken('ana@site-a', 'site-b'), unauthorized)
  await assert.rejects(getToken('ana', 'site-a@site-a'), unauthorized)
})

test('users without an account of their own get that of a role, then that of their home site', async () => {
  const getToken = await start(
    { identityProvider: 'site-a' },
    {
      ana: 'ana',
      'role:student': 'students here',
      'role:student@site-b': 'students of b',
      '*@site-b': 'all of b',
    },
  )
  assert.deepEqual(await getToken('ana', 'site-a', ['student']), { credential: 'ana' })
  assert.deepEqual(await getToken('eve', 'site-a', ['student']), { credential: 'students here' })
  assert.deepEqual(await getToken('eve', 'site-b', ['x', 'student']), {
    credential: 'students of b',
  })
  assert.deepEqual(await getToken('eve', 'site-b'), { credential: 'all of b' })
  await assert.rejects(getToken('eve', 'site-c', ['student']), unauthorized)
})

test('nobody gets the account of a role or site by his name, nor by a role that looks like one', async () => {
  const getToken = await start({}, { 'role:admin@site-a': 'admins', '*@site-a': 'all of a' })
  await assert.rejects(getToken('role:admin@site-a', 'site-b'), unauthorized)
  await assert.rejects(getToken('eve', 'site-b', ['admin@site-a']), unauthorized)
  assert.deepEqual(await getToken('role:admin', 'site-a'), { credential: 'all of a' })
})

test('with a fallback, users without account share one', async () => {
  const getToken = await start({ fallback: 'guests' }, { ana: 'a', guests: 'g' })
  assert.deepEqual(await getToken('ana'), { credential: 'a' })
  assert.deepEqual(await getToken('eve'), { credential: 'g' })
})

test('an account without credential is a configuration error that names it', async () => {
  const getToken = await start({ accounts: { ana: { project: 'x' } } }, {})
  await assert.rejects(getToken('ana'), { code: 'configuration_error', message: /'ana'/ })
})

test('a broken secret is a configuration error that does not show it', async () => {
  for (const text of ['{"ana": "hush"', '["hush"]', '{"ana": 7}']) {
    const getToken = await start({}, text)
    await assert.rejects(getToken('ana'), (error: Error & { code: string }) => {
      assert.equal(error.code, 'configuration_error')
      assert.ok(!error.message.includes('hush'))
      return true
    })
  }
})
