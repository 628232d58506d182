import assert from 'node:assert/strict'
import type { IncomingMessage, RequestListener } from 'node:http'
import { test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { headerOf, openSite, serveHttp } from './testing/http-site.ts'
import { openNetwork } from './testing/plugin-network.ts'

const echo: RequestListener = (request, response) => {
  response.setHeader('x-method', request.method ?? '')
  response.setHeader('x-seen', JSON.stringify(request.rawHeaders))
  request.pipe(response)
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

test('a granted host is reached, with method, headers and body', async (t) => {
  const { origin, fetch, body } = await openSite(t, echo)
  const headers = [
    ['A', 'b'],
    ['A', 'c'],
  ]
  const answer = await fetch({ url: `${origin}/`, method: 'PUT', headers, body: base64('hello') })
  assert.equal(answer.status, 200)
  assert.equal((await body(answer)).toString(), 'hello')
  assert.equal(headerOf(answer, 'x-method'), 'PUT')
  assert.match(headerOf(answer, 'x-seen') ?? '', /"A","b","A","c"/)
})

test('a short answer comes at once, also when it does not say its length, and a long one is a stream', async (t) => {
  const { origin, fetch, body } = await openSite(t, (request, response) => {
    if (request.url === '/chunked') response.write('short')
    else response.write(Buffer.alloc(100_000))
    response.end()
  })
  const short = await fetch({ url: `${origin}/chunked` })
  assert.ok('body' in short)
  const long = await fetch({ url: `${origin}/long` })
  assert.ok('stream' in long)
  assert.equal((await body(long)).length, 100_000)
})

test('a redirect is answered and not followed', async (t) => {
  let blocked = 0
  const other = await serveHttp(t, (_request, response) => {
    blocked += 1
    response.end()
  })
  const { origin, fetch } = await openSite(t, (_request, response) =>
    response.writeHead(302, { location: `${other.origin}/latest/meta-data` }).end(),
  )
  const answer = await fetch({ url: origin })
  assert.equal(answer.status, 302)
  const location = headerOf(answer, 'location')
  await assert.rejects(fetch({ url: location }), { code: 'unauthorized' })
  assert.equal(blocked, 0)
})

test('an upload is read as fast as the server takes it', async (t) => {
  let arrived: IncomingMessage | undefined
  const { origin, fetch, body, streams } = await openSite(t, (request, response) => {
    arrived = request.pause()
    request.on('end', () => response.end(String(request.socket.bytesRead)))
  })
  let given = 0
  async function* upload() {
    for (; given < 1000; given += 1) yield Buffer.alloc(65_536)
  }
  const bodyStream = streams.open(upload())
  const answer = fetch({ url: origin, method: 'PUT', bodyStream })
  // Nothing tells when both buffers of the kernel are full: it is so when nothing more is taken for a while.
  for (let before = -1; before !== given || given === 0; ) {
    before = given
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.ok(given < 500, `${given} chunks were taken, though nobody reads`)
  arrived?.resume()
  assert.ok(Number(await body(await answer)) > 65_536_000)
})

test('a download is read from the server as fast as the plugin takes it', async (t) => {
  let sent = 0
  const { origin, fetch, streams } = await openSite(t, (_request, response) => {
    const push = () => {
      while (sent < 1000 && response.write(Buffer.alloc(65_536))) sent += 1
      if (sent < 1000) response.once('drain', push)
    }
    push()
  })
  const answer = await fetch({ url: origin })
  assert.ok('stream' in answer)
  for (let before = -1; before !== sent; ) {
    before = sent
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.ok(sent < 500, `${sent} chunks were sent, though nobody reads`)
  await streams.source(answer.stream).return?.()
})

test('the length that a plugin says of its upload is kept to', async (t) => {
  const { origin, fetch, streams, body } = await openSite(t, echo)
  const send = (length: string) => {
    const bodyStream = streams.open(
      (async function* () {
        yield Buffer.from('12345')
      })(),
    )
    return fetch({ url: origin, method: 'PUT', headers: [['Content-Length', length]], bodyStream })
  }
  const answer = await send('5')
  assert.match(headerOf(answer, 'x-seen') ?? '', /"content-length","5"/)
  assert.equal((await body(answer)).toString(), '12345')
  await assert.rejects(send('4'), { code: 'payload_too_large' })
  await assert.rejects(send('6'), { code: 'invalid_parameter', message: /after 5 of 6 bytes/ })
  await assert.rejects(send('5, 5'), { code: 'invalid_parameter' })
  await assert.rejects(send('0x5'), { code: 'invalid_parameter' })
})

test('a compressed answer that nobody asked for is read as what it stands for', async (t) => {
  const { origin, fetch, body } = await openSite(t, (request, response) => {
    response.setHeader('content-encoding', 'gzip')
    response.setHeader('x-asked', String(request.headers['accept-encoding']))
    response.end(request.method === 'HEAD' ? '' : gzipSync('hello'))
  })
  const headers = [['Accept-Encoding', 'gzip']]
  const answer = await fetch({ url: origin, headers })
  assert.equal((await body(answer)).toString(), 'hello')
  assert.equal(headerOf(answer, 'x-asked'), 'identity')
  assert.equal(headerOf(answer, 'content-encoding'), undefined)
  const head = await fetch({ url: origin, method: 'HEAD' })
  assert.equal((await body(head)).length, 0)
})

test('an answer in a coding that is not decoded here is handed on as it is', async (t) => {
  const { origin, fetch, body } = await openSite(t, (_request, response) =>
    response.setHeader('content-encoding', 'br').end(brotliCompressSync('hello')),
  )
  const answer = await fetch({ url: origin })
  assert.equal(headerOf(answer, 'content-encoding'), 'br')
  assert.deepEqual(await body(answer), brotliCompressSync('hello'))
})

test('a call that is given up ends its connection at the server', async (t) => {
  const controller = new AbortController()
  const reached = Promise.withResolvers<void>()
  const { origin, fetch, left } = await openSite(t, () => reached.resolve())
  const answer = fetch({ url: origin }, controller.signal)
  await reached.promise
  controller.abort()
  await assert.rejects(answer, { code: 'unavailable_provider', message: /given up/ })
  await left()
})

test('a body that the plugin does not want ends its connection at the server, also while it waits', async (t) => {
  const { origin, fetch, left, streams } = await openSite(t, (_request, response) => {
    response.write('a little')
  })
  const answer = await fetch({ url: origin })
  assert.ok('stream' in answer)
  const source = streams.source(answer.stream)
  await source.next()
  const waiting = source.next()
  await source.return?.()
  assert.equal((await waiting).done, true)
  await left()
})

test('an upload that the plugin breaks off ends the connection', async (t) => {
  const reached = Promise.withResolvers<void>()
  const { origin, fetch, left, streams } = await openSite(t, (request) => {
    request.on('error', () => {})
    request.once('data', () => reached.resolve())
  })
  async function* upload() {
    yield Buffer.from('begun')
    await reached.promise
    throw new Error('the plugin gave up')
  }
  const bodyStream = streams.open(upload())
  await assert.rejects(fetch({ url: origin, method: 'POST', bodyStream }))
  await left()
})

test('an upload ends when the server has answered without it', async (t) => {
  const { origin, fetch, body, streams } = await openSite(t, (_request, response) => {
    response.writeHead(413).end('too much')
  })
  const ended = Promise.withResolvers<void>()
  async function* upload() {
    try {
      for (;;) yield Buffer.alloc(1024)
    } finally {
      ended.resolve()
    }
  }
  const bodyStream = streams.open(upload())
  const answer = await fetch({ url: origin, method: 'POST', bodyStream })
  assert.equal(answer.status, 413)
  await body(answer)
  await ended.promise
})

test('connections are used again by the same plugin, never by another, and end with it', async (t) => {
  const site = await openSite(t, echo)
  const other = openNetwork(t, { granted: [site.origin] })
  await site.fetch({ url: site.origin })
  await site.fetch({ url: site.origin })
  assert.equal(site.connections(), 1)
  await other.fetch({ url: site.origin })
  assert.equal(site.connections(), 2)
  site.close()
  while (site.sockets.size > 1) await new Promise((resolve) => setImmediate(resolve))
  other.close()
  await site.left()
  await assert.rejects(site.fetch({ url: site.origin }), { code: 'unavailable_provider' })
})

test('a kept connection that the server has closed costs a read nothing', async (t) => {
  const { origin, fetch, sockets } = await openSite(t, echo)
  for (let i = 0; i < 5; i += 1) {
    assert.equal((await fetch({ url: origin })).status, 200)
    for (const socket of sockets) socket.resetAndDestroy()
  }
})

test('bytes in both directions are counted', async (t) => {
  const { origin, fetch, traffic, close, left } = await openSite(t, echo)
  await fetch({ url: origin, method: 'PUT', body: base64('x'.repeat(10_000)) })
  close()
  await left()
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(traffic.sent > 10_000 && traffic.sent < 11_000, `${traffic.sent}`)
  assert.ok(traffic.received > 10_000 && traffic.received < 11_000, `${traffic.received}`)
})
