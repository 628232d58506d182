import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SecretsParts, secretsBroker } from './secrets.ts'
import { hostCall } from './testing/memory-streams.ts'

function open(parts: Partial<SecretsParts> = {}) {
  const problems: unknown[] = []
  const broker = secretsBroker({
    plugin: 'cloud',
    wanted: ['password', 'unset', 'constructor'],
    references: { password: 'env:CLOUD', other: 'env:OTHER' },
    read: async (reference, key) => `${reference} at ${key}`,
    onProblem: (error) => problems.push(error),
    ...parts,
  })
  const get = async (...args: unknown[]) => broker['secrets.get'](args, hostCall())
  return { get, problems }
}

test('a secret that the manifest names and the configuration fills in is read', async () => {
  assert.equal(await open().get('password'), 'env:CLOUD at plugins.cloud.secrets.password')
})

test('a secret that the manifest does not name is refused, although it is configured', async () => {
  const { get } = open()
  const names = [
    'other',
    'toString',
    '__proto__',
    7,
    undefined,
    null,
    ['password'],
    { toString: 1 },
  ]
  for (const name of names)
    await assert.rejects(get(name), { code: 'unauthorized', message: /manifest does not name/ })
})

test('a secret that is not configured is named by its key, also when every object has such a key', async () => {
  for (const name of ['unset', 'constructor'])
    await assert.rejects(open().get(name), {
      code: 'configuration_error',
      message: `plugins.cloud.secrets.${name} is not configured`,
    })
})

test('why a secret cannot be read is told to the site and not to the plugin', async () => {
  const reason = new Error('cannot read /etc/keys/cloud: EACCES hunter2')
  const { get, problems } = open({ read: () => Promise.reject(reason) })
  await assert.rejects(get('password'), (error: Error) => {
    assert.equal(
      error.message,
      'plugins.cloud.secrets.password cannot be read at present; the log of the site says why',
    )
    assert.doesNotMatch(JSON.stringify(error), /hunter2|etc/)
    assert.equal(error.cause, undefined)
    return true
  })
  assert.deepEqual(problems, [reason])
})

test('however many ask at once, a secret is read once; and asked again it is read anew', async () => {
  let reads = 0
  const { get } = open({
    read: async () => {
      reads += 1
      return String(reads)
    },
  })
  const values = await Promise.all(Array.from({ length: 50 }, () => get('password')))
  assert.deepEqual([...new Set(values)], ['1'])
  assert.equal(await get('password'), '2')
})

test('a plugin that asks all the time is slowed down', async () => {
  let now = 0
  const { get } = open({ now: () => now })
  for (let i = 0; i < 100; i += 1) await get('password')
  await assert.rejects(get('password'), {
    code: 'too_many_requests',
    message: /100 times within 1000 ms/,
  })
  now = 1000
  await get('password')
})
