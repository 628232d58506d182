import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeHost, startInProcess } from '@fogbow/plugin-sdk/testing'
import plugin from './index.ts'

const ana = { id: 'ana', identityProviderId: 'site-a', name: 'Ana', roles: [] }
const bob = { id: 'bob', identityProviderId: 'site-b', name: 'Bob', roles: [] }

async function start(config: object, secrets: Record<string, string>) {
  const host = createFakeHost({ config, secrets })
  const caller = await startInProcess(plugin, host)
  return {
    host,
    getToken: (user: typeof ana) => caller.call('federationToLocalMapper.getToken', [user]),
  }
}

test('everybody gets the fields of the account and those of the credential', async () => {
  const account = { project: 'fogbow', user: 'shared' }
  const { getToken } = await start({ account }, { credentials: '{"password": "x"}' })
  for (const user of [ana, bob])
    assert.deepEqual(await getToken(user), { ...account, password: 'x' })
})

test('a credential that is no JSON object is one field, without the line feed of its file', async () => {
  const { getToken } = await start({ field: 'apiKey' }, { credentials: 'abc\n' })
  assert.deepEqual(await getToken(ana), { apiKey: 'abc' })
})

test('a new credential counts with the next token', async () => {
  const { host, getToken } = await start({}, { credentials: 'old' })
  await getToken(ana)
  host.secretValues.credentials = 'new'
  assert.deepEqual(await getToken(ana), { credential: 'new' })
})

test('a credential that is missing is a configuration error, unless the cloud asks for none', async () => {
  const { getToken } = await start({}, {})
  await assert.rejects(getToken(ana), { code: 'configuration_error', message: /'credentials'/ })
  const open = await start({ withoutCredentials: true, account: { project: 'x' } }, {})
  assert.deepEqual(await open.getToken(ana), { project: 'x' })
})

test('a broken credential is a configuration error that does not show it', async () => {
  const { getToken } = await start({}, { credentials: '{"password": "hush"' })
  await assert.rejects(getToken(ana), (error: Error & { code: string }) => {
    assert.equal(error.code, 'configuration_error')
    assert.ok(!error.message.includes('hush'))
    return true
  })
})
