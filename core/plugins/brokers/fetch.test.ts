import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { type FetchResponse, fetchBroker, matches, resolvePattern } from './fetch.ts'

let server: Server
let origin: string
before(async () => {
  server = createServer((request, response) => {
    if (request.url === '/elsewhere') {
      response.writeHead(302, { Location: 'http://127.0.0.1:1/secret' }).end()
    } else if (request.url === '/large') response.end(Buffer.alloc(9 * 1_048_576))
    else if (request.url !== '/silent')
      request.pipe(response.setHeader('X-Method', request.method ?? ''))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(() => {
  server.closeAllConnections()
  server.close()
})

async function send(request: unknown, allowed = [new URL(origin).host], signal?: AbortSignal) {
  const broker = fetchBroker('cloud', allowed)
  const call = { signal: signal ?? new AbortController().signal }
  return (await broker.fetch?.([request], call)) as FetchResponse
}

test('a granted host is reached, with method, headers and body', async () => {
  const body = Buffer.from('hello').toString('base64')
  const answer = await send({ url: `${origin}/`, method: 'PUT', headers: [['A', 'b']], body })
  assert.equal(answer.status, 200)
  assert.equal(Buffer.from(answer.body, 'base64').toString(), 'hello')
  assert.ok(answer.headers.some(([name, value]) => name === 'x-method' && value === 'PUT'))
})

test('a host that was not granted is refused, with the key that would grant it', async () => {
  await assert.rejects(send({ url: origin, method: 'GET' }, ['cloud.example']), {
    code: 'unauthorized',
    message: /Plugin 'cloud' may not reach 127\.0\.0\.1.*plugins\.cloud\.grants\.network/,
  })
})

test('a redirect is answered and not followed', async () => {
  const answer = await send({ url: `${origin}/elsewhere`, method: 'GET' })
  assert.equal(answer.status, 302)
})

test('an answer that is too large is not taken in', async () => {
  await assert.rejects(send({ url: `${origin}/large`, method: 'GET' }), {
    code: 'payload_too_large',
  })
})

test('a host that does not answer is unavailable, and says how', async () => {
  await assert.rejects(send({ url: 'http://127.0.0.1:1/', method: 'GET' }, ['127.0.0.1:1']), {
    code: 'unavailable_provider',
    message: /127\.0\.0\.1:1 does not answer/,
  })
})

test('a call that was given up ends its request', async () => {
  const controller = new AbortController()
  const answer = send({ url: `${origin}/silent`, method: 'GET' }, undefined, controller.signal)
  controller.abort()
  await assert.rejects(answer, { code: 'unavailable_provider' })
})

test('what is no request is refused before anything is sent', async () => {
  const wrong: unknown[] = [
    null,
    {},
    { url: 'file:///etc/passwd' },
    { url: 'http://' },
    { url: origin, headers: ['A: b'] },
    { url: origin, headers: [['A', 1]] },
    { url: origin, body: 7 },
  ]
  for (const request of wrong)
    await assert.rejects(send(request), { code: 'invalid_parameter' }, JSON.stringify(request))
})

test('a pattern grants its host, port and subdomains, and nothing that looks like them', () => {
  const granted: [string, string, boolean][] = [
    ['cloud.example', 'https://cloud.example/', true],
    ['cloud.example', 'https://CLOUD.example/', true],
    ['cloud.example', 'https://cloud.example:8443/', false],
    ['cloud.example:8443', 'https://cloud.example:8443/', true],
    ['cloud.example', 'https://cloud.example.evil/', false],
    ['cloud.example', 'https://evil-cloud.example/', false],
    ['*.cloud.example', 'https://a.b.cloud.example/', true],
    ['*.cloud.example', 'https://cloud.example/', false],
    ['*.cloud.example', 'https://evilcloud.example/', false],
    ['cloud.example', 'https://cloud.example@evil/', false],
    ['cloud.example', 'https://evil/#cloud.example', false],
  ]
  for (const [pattern, url, expected] of granted)
    assert.equal(matches(pattern, new URL(url)), expected, `${pattern} ${url}`)
})

test('a pattern may stand for the endpoint of the configuration', () => {
  const config = { url: 'https://cloud.example/v3', deep: { url: 'http://x:81' }, no: 'text' }
  assert.equal(resolvePattern('{config.url.host}', config), 'cloud.example:443')
  assert.equal(resolvePattern('{config.deep.url.host}', config), 'x:81')
  assert.equal(resolvePattern('{config.no.host}', config), '')
  assert.equal(resolvePattern('plain.example', config), 'plain.example')
})
