import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { conformance, createFakeHost, startInProcess } from '@fogbow/plugin-sdk/testing'
import plugin from './index.ts'
import { createToyCloud } from './toy-cloud.ts'

const config = { url: 'https://cloud.example' }
const localToken = { credential: 'of-the-account' }
const start = (fetch = createToyCloud(localToken.credential)) =>
  startInProcess(plugin, createFakeHost({ config, fetch }))

describe('conformance', async () => {
  const fetch = createToyCloud(localToken.credential)
  const cases = conformance(await start(fetch), {
    samples: { localToken },
    restart: () => start(fetch),
    advance: async () => {},
  })
  for (const { kind, name, skip, run } of cases)
    test(`${kind}: ${name}`, { skip: skip ?? false }, run)
})

test('an account that the cloud does not know is told as such, so that it is mapped anew', async () => {
  const plugin = await start()
  await assert.rejects(plugin.call('image.getAllImages', [{ credential: 'old' }]), {
    code: 'unauthenticated',
    message: /401: who are you/,
  })
})

test('a cloud that does not answer leaves open what was done', async () => {
  const plugin = await start(async () => {
    throw new TypeError('fetch failed')
  })
  await assert.rejects(plugin.call('image.getAllImages', [localToken]), {
    code: 'unavailable_provider',
  })
})
