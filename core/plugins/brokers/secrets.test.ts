import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secretsBroker } from './secrets.ts'

const call = { signal: new AbortController().signal }
const broker = secretsBroker(
  'cloud',
  ['password', 'unset'],
  { password: 'env:CLOUD', other: 'env:OTHER' },
  async (reference, key) => `${reference} at ${key}`,
)
const get = (...args: unknown[]) => broker['secrets.get']?.(args, call) as Promise<string>

test('a secret that the manifest names and the configuration fills in is read', async () => {
  assert.equal(await get('password'), 'env:CLOUD at plugins.cloud.secrets.password')
})

test('a secret that the manifest does not name is refused, although it is configured', async () => {
  for (const name of ['other', 'constructor', '__proto__', 7, undefined])
    await assert.rejects(get(name), { code: 'unauthorized', message: /manifest does not name/ })
})

test('a secret that is not configured is named by its key', async () => {
  await assert.rejects(get('unset'), {
    code: 'configuration_error',
    message: 'plugins.cloud.secrets.unset is not configured',
  })
})
