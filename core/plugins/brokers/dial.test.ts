import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { serveHttp } from './testing/http-site.ts'
import { openNetwork } from './testing/plugin-network.ts'

test('no name leads to this machine, whatever address it has', async (t) => {
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  const addresses = own.map(({ address }) => address)
  const { port, connections } = await serveHttp(t, (_request, response) => response.end())
  for (const address of addresses) {
    const names = { 'cloud.example': [address] }
    const { fetch } = openNetwork(t, { granted: ['http://*.example:*'], names })
    await assert.rejects(fetch({ url: `http://cloud.example:${port}/` }), { code: 'unauthorized' })
  }
  assert.equal(connections(), 0)
})

test('a range grants addresses and no hosts', async (t) => {
  const { origin, connections } = await serveHttp(t, (_request, response) => response.end())
  const { fetch } = openNetwork(t, { addresses: ['0.0.0.0/0', '::/0'] })
  await assert.rejects(fetch({ url: origin }), { code: 'unauthorized', message: /grants\.network/ })
  assert.equal(connections(), 0)
})

test('many names at once are looked up a few at a time', async (t) => {
  let looking = 0
  let most = 0
  const names = {
    async lookUp() {
      looking += 1
      most = Math.max(most, looking)
      await new Promise((resolve) => setImmediate(resolve))
      looking -= 1
      return ['10.0.0.1']
    },
    close() {},
  }
  const { fetch } = openNetwork(t, {
    granted: ['*.example'],
    names,
    limits: { parallelRequests: 4 },
  })
  const all = Array.from({ length: 40 }, (_, i) => fetch({ url: `https://n${i}.example/` }))
  const done = await Promise.allSettled(all)
  assert.ok(done.every(({ status }) => status === 'rejected'))
  assert.equal(most, 4)
})
