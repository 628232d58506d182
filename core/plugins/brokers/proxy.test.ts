import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isExempt } from './proxy.ts'
import { serveHttp } from './testing/http-site.ts'
import { openNetwork } from './testing/plugin-network.ts'
import { createPrivateCa, type PrivateCa } from './testing/private-ca.ts'
import { startProxy } from './testing/proxy-server.ts'

let ca: PrivateCa
let identity: { key: string; cert: string }
before(async () => {
  ca = await createPrivateCa()
  identity = await ca.issue('DNS:cloud.example', 'IP:127.0.0.1')
})
after(() => ca.remove())

const proxyAt = (port: number, more: { secure?: boolean; credentials?: string } = {}) => ({
  proxy: { host: '127.0.0.1', port, secure: false, ...more },
})

test('through a proxy a name is left to the proxy, and TLS goes through to the server', async (t) => {
  const proxy = await startProxy(t)
  const site = await serveHttp(t, (_request, response) => response.end('hello'), identity)
  const { fetch, body } = openNetwork(t, {
    granted: ['cloud.example:*'],
    settings: { ...proxyAt(proxy.port), authorities: [ca.certificate] },
  })
  const answer = await fetch({ url: `https://cloud.example:${site.port}/` })
  assert.equal((await body(answer)).toString(), 'hello')
  assert.deepEqual(proxy.asked, [
    { target: `cloud.example:${site.port}`, authorization: undefined },
  ])
})

test('a proxy is told its credentials, and the server is not', async (t) => {
  const proxy = await startProxy(t)
  let seen: string[] = []
  const site = await serveHttp(t, (request, response) => {
    seen = request.rawHeaders
    response.end()
  })
  const { fetch } = openNetwork(t, {
    granted: ['http://cloud.example:*'],
    settings: proxyAt(proxy.port, { credentials: 'site:secret' }),
  })
  await fetch({ url: `http://cloud.example:${site.port}/` })
  const authorization = `Basic ${Buffer.from('site:secret').toString('base64')}`
  assert.equal(proxy.asked[0]?.authorization, authorization)
  assert.doesNotMatch(seen.join(), /Basic|proxy/i)
})

test('a proxy may itself be reached by TLS', async (t) => {
  const proxy = await startProxy(t, { tls: identity })
  const site = await serveHttp(t, (_request, response) => response.end('hello'), identity)
  const { fetch, body } = openNetwork(t, {
    granted: ['cloud.example:*'],
    settings: { ...proxyAt(proxy.port, { secure: true }), authorities: [ca.certificate] },
  })
  const answer = await fetch({ url: `https://cloud.example:${site.port}/` })
  assert.equal((await body(answer)).toString(), 'hello')
})

test('a proxy does not widen what was granted, nor lead to addresses that are not public', async (t) => {
  const proxy = await startProxy(t)
  const { fetch, connect } = openNetwork(t, {
    granted: ['cloud.example'],
    asked: ['http://169.254.169.254', 'tcp://127.0.0.1:22'],
    settings: proxyAt(proxy.port),
  })
  const refused = ['https://other.example/', 'http://cloud.example/', 'http://169.254.169.254/']
  for (const url of refused) await assert.rejects(fetch({ url }), { code: 'unauthorized' })
  await assert.rejects(connect({ hostname: '127.0.0.1', port: 22 }), { code: 'unauthorized' })
  assert.deepEqual(proxy.asked, [])
})

test('what a proxy refuses is unavailable, and says so without its credentials', async (t) => {
  const proxy = await startProxy(t, { status: 407 })
  const { fetch } = openNetwork(t, {
    granted: ['cloud.example'],
    settings: proxyAt(proxy.port, { credentials: 'site:secret' }),
  })
  await assert.rejects(fetch({ url: 'https://cloud.example/' }), {
    code: 'unavailable_provider',
    message: `cloud.example:443: the proxy 127.0.0.1:${proxy.port} answers 407`,
  })
})

test('a proxy that is not there is named', async (t) => {
  const { fetch } = openNetwork(t, { granted: ['cloud.example'], settings: proxyAt(1) })
  await assert.rejects(fetch({ url: 'https://cloud.example/' }), {
    code: 'unavailable_provider',
    message: '127.0.0.1:1 cannot be reached: ECONNREFUSED',
  })
})

test('byte streams go through the proxy, too', async (t) => {
  const proxy = await startProxy(t)
  const site = await serveHttp(t, (_request, response) => response.end('hello'))
  const { connect, streams } = openNetwork(t, {
    granted: ['tcp://cloud.example:*'],
    settings: proxyAt(proxy.port),
  })
  const { readable, writable } = await connect({ hostname: 'cloud.example', port: site.port })
  await streams.sink(writable).write(Buffer.from('GET / HTTP/1.0\r\n\r\n'))
  const { value } = await streams.source(readable).next()
  assert.match(String(value), /^HTTP\/1\.1 200/)
})

test('a host that is exempt is reached directly, with its addresses checked', async (t) => {
  const proxy = await startProxy(t)
  const site = await serveHttp(t, (_request, response) => response.end())
  const options = {
    granted: ['http://cloud.example:*'],
    names: { 'cloud.example': ['127.0.0.1'] },
    settings: { ...proxyAt(proxy.port), noProxy: ['*.example'] },
  }
  const url = `http://cloud.example:${site.port}/`
  await assert.rejects(openNetwork(t, options).fetch({ url }), { code: 'unauthorized' })
  const direct = openNetwork(t, { ...options, addresses: ['127.0.0.0/8'] })
  assert.equal((await direct.fetch({ url })).status, 200)
  assert.deepEqual(proxy.asked, [])
})

test('exemptions are names, domains, addresses and ranges', () => {
  const cases: [entry: string, host: string, exempt: boolean][] = [
    ['cloud.example', 'cloud.example', true],
    ['CLOUD.example', 'cloud.example', true],
    ['cloud.example', 'a.cloud.example', false],
    ['*.example', 'cloud.example', true],
    ['.example', 'cloud.example', true],
    ['*.example', 'example', false],
    ['*.example', 'evilexample', false],
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '11.1.2.3', false],
    ['10.0.0.0/8', 'ten.example', false],
    ['fd00::/8', '[fd00::1]', true],
    ['10.1.2.3', '10.1.2.3', true],
    ['::1', '[::1]', true],
    ['*', 'anything.example', true],
  ]
  for (const [entry, host, exempt] of cases)
    assert.equal(isExempt(host, [entry]), exempt, `${entry} ${host}`)
})
