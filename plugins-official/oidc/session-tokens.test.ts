import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeHost } from '@fogbow/plugin-sdk/testing'
import { createSessionTokens } from './session-tokens.ts'

const settings = { issuer: 'https://login.example', lifetimeSeconds: 3600 }
const ana = {
  id: 'u-1',
  identityProviderId: settings.issuer,
  name: 'Ana',
  roles: ['user'],
  attributes: { email: 'ana@example.org' },
}

test('a token says who it is about, and ends after its lifetime or before, as the provider has it', async () => {
  const host = createFakeHost()
  const tokens = await createSessionTokens(host, settings)
  const now = host.clock.now()
  const token = await tokens.issue(ana)
  const read = await tokens.read(token)
  assert.deepEqual(read, { ...ana, tokenValue: token, expiresAt: now + 3_600_000 })
  const short = await tokens.issue(ana, now + 60_500)
  assert.equal((await tokens.read(short)).expiresAt, now + 60_000)
  const long = await tokens.issue(ana, now + 7_200_000)
  assert.equal((await tokens.read(long)).expiresAt, now + 3_600_000)
  await host.clock.advance(60_000)
  await assert.rejects(tokens.read(short), { code: 'unauthenticated' })
  await tokens.read(token)
})

test('a token is good after a restart, and not at another plugin', async () => {
  const host = createFakeHost()
  const token = await (await createSessionTokens(host, settings)).issue(ana)
  await (await createSessionTokens(host.restarted(), settings)).read(token)
  const other = await createSessionTokens(createFakeHost(), settings)
  await assert.rejects(other.read(token), { code: 'unauthenticated' })
})

test('a user of whom the provider says more than a token holds is told so', async () => {
  const tokens = await createSessionTokens(createFakeHost(), settings)
  const groups = Array.from({ length: 200 }, (_, each) => `${each} ${'x'.repeat(100)}`)
  await assert.rejects(tokens.issue({ ...ana, attributes: { groups } }), {
    code: 'configuration_error',
    message: /16384 characters; name fewer in config\.claims/,
  })
})
