import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { serveHttp } from './testing/http-site.ts'
import { openNetwork, type PluginNetworkOptions } from './testing/plugin-network.ts'
import { createPrivateCa, type PrivateCa } from './testing/private-ca.ts'

let ca: PrivateCa
let identity: { key: string; cert: string }
before(async () => {
  ca = await createPrivateCa()
  identity = await ca.issue('DNS:cloud.example', 'IP:127.0.0.1')
})
after(() => ca.remove())

async function openTo(t: TestContext, options: PluginNetworkOptions = {}) {
  const names: unknown[] = []
  const site = await serveHttp(
    t,
    (request, response) => {
      const { servername, alpnProtocol } = request.socket as TLSSocket
      names.push([servername, alpnProtocol, request.headers.host])
      response.end('hello')
    },
    identity,
  )
  const network = openNetwork(t, {
    granted: ['https://*.example:*', site.origin],
    addresses: ['127.0.0.0/8'],
    names: { 'cloud.example': ['127.0.0.1'], 'other.example': ['127.0.0.1'] },
    settings: { authorities: [ca.certificate] },
    ...options,
  })
  return { ...site, ...network, names }
}

test('a server is reached at the checked address by the name of the URL: in TLS, in its certificate, in the Host field', async (t) => {
  const { port, fetch, body, names } = await openTo(t)
  const answer = await fetch({ url: `https://cloud.example:${port}/` })
  assert.equal((await body(answer)).toString(), 'hello')
  assert.deepEqual(names, [['cloud.example', 'http/1.1', `cloud.example:${port}`]])
})

test('a server that is called by its address has to have that in its certificate', async (t) => {
  const { origin, port, fetch, names } = await openTo(t, {
    granted: ['https://127.0.0.1:*', 'https://127.0.0.2:*'],
  })
  await fetch({ url: origin })
  assert.deepEqual(names, [[false, 'http/1.1', `127.0.0.1:${port}`]])
})

test('a server whose certificate is for another name gets no request', async (t) => {
  const { port, fetch, names } = await openTo(t)
  await assert.rejects(fetch({ url: `https://other.example:${port}/` }), {
    code: 'unavailable_provider',
    message: /ERR_TLS_CERT_ALTNAME_INVALID/,
  })
  assert.deepEqual(names, [])
})

test('a certificate of an authority that nobody named is refused, with the key that would name it', async (t) => {
  const { port, fetch, names } = await openTo(t, { settings: { authorities: [] } })
  await assert.rejects(fetch({ url: `https://cloud.example:${port}/` }), {
    code: 'unavailable_provider',
    message: /private authority, add that to network\.caFiles/,
  })
  assert.deepEqual(names, [])
})

test('nothing in the environment of the site makes it trust everybody', async (t) => {
  const { port, fetch, names } = await openTo(t, { settings: { authorities: [] } })
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  t.after(() => {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
  })
  await assert.rejects(fetch({ url: `https://cloud.example:${port}/` }), {
    code: 'unavailable_provider',
  })
  assert.deepEqual(names, [])
})

test('connections under TLS are used again for the same name and port only', async (t) => {
  const { port, origin, fetch, connections } = await openTo(t)
  for (let i = 0; i < 3; i += 1) await fetch({ url: `https://cloud.example:${port}/` })
  assert.equal(connections(), 1)
  await fetch({ url: origin })
  assert.equal(connections(), 2)
})
