import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { openSite, serveHttp } from './testing/http-site.ts'
import { openNetwork } from './testing/plugin-network.ts'
import { startRawServer } from './testing/raw-server.ts'

const MIB = 1_048_576

test('of many requests some run, some wait for their turn, and the rest is refused', async (t) => {
  const waiting: ServerResponse[] = []
  let most = 0
  const { origin, fetch } = await openSite(
    t,
    (_request, response) => {
      waiting.push(response)
      most = Math.max(most, waiting.length)
      if (waiting.length === 2) for (const each of waiting.splice(0)) each.end()
    },
    { limits: { parallelRequests: 2, waitingRequests: 4 } },
  )
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => fetch({ url: origin })))
  const refused = all.filter(({ status }) => status === 'rejected')
  assert.equal(all.length - refused.length, 6)
  assert.equal(most, 2)
  for (const { reason } of refused as PromiseRejectedResult[]) {
    assert.equal(reason.code, 'too_many_requests')
    assert.match(reason.message, /^Requests of plugin 'cloud': 2 at once and 4 waiting/)
  }
  const [one, two] = [fetch({ url: origin }), fetch({ url: origin })]
  assert.equal((await one).status + (await two).status, 400)
})

test('a request that waits for its turn can be given up', async (t) => {
  const { origin, fetch, connections } = await openSite(t, () => {}, {
    limits: { parallelRequests: 1 },
  })
  const running = new AbortController()
  const first = fetch({ url: origin }, running.signal)
  const waiting = new AbortController()
  const second = fetch({ url: origin }, waiting.signal)
  waiting.abort()
  await assert.rejects(second)
  running.abort()
  await assert.rejects(first)
  assert.ok(connections() <= 1)
})

test('a body without end is cut at the limit', async (t) => {
  const { origin, fetch, body, left } = await openSite(
    t,
    (_request, response) => {
      const push = () => {
        while (response.write(Buffer.alloc(65_536)));
        response.once('drain', push)
      }
      push()
    },
    { limits: { answerBytes: 2 * MIB } },
  )
  const answer = await fetch({ url: origin })
  await assert.rejects(body(answer), {
    code: 'payload_too_large',
    message: /The answer of 127\.0\.0\.1:\d+ is longer than 2097152 bytes/,
  })
  await left()
})

const bombs = { gzip: gzipSync, deflate: deflateSync }
for (const [coding, compress] of Object.entries(bombs)) {
  test(`a body that is small only while it is compressed with ${coding} is cut at the limit`, async (t) => {
    const bomb = compress(Buffer.alloc(16 * MIB))
    assert.ok(bomb.length < MIB / 8)
    const { origin, fetch, streams } = await openSite(
      t,
      (_request, response) => response.setHeader('content-encoding', coding).end(bomb),
      { limits: { answerBytes: MIB } },
    )
    const answer = await fetch({ url: origin })
    assert.ok('stream' in answer)
    const source = streams.source(answer.stream)
    let bytes = 0
    await assert.rejects(
      async () => {
        for (let next = await source.next(); !next.done; next = await source.next())
          bytes += next.value.length
      },
      { code: 'payload_too_large' },
    )
    assert.ok(bytes <= MIB)
  })
}

test('a body that is not what its coding says breaks off', async (t) => {
  const { origin, fetch, body } = await openSite(t, (_request, response) =>
    response.setHeader('content-encoding', 'gzip').end('no gzip'),
  )
  await assert.rejects(body(await fetch({ url: origin })), { code: 'unavailable_provider' })
})

test('a body that pauses too long breaks off, and its connection ends', async (t) => {
  const { origin, fetch, body, left } = await openSite(
    t,
    (_request, response) => {
      response.write('a little')
    },
    { limits: { idleMs: 50 } },
  )
  await assert.rejects(body(await fetch({ url: origin })), {
    code: 'timeout',
    message: /brought nothing for 50 ms/,
  })
  await left()
})

test('a body that never pauses for long still has to end in time', async (t) => {
  const { origin, fetch, body, left } = await openSite(
    t,
    (_request, response) => {
      const drip = setInterval(() => response.write('.'), 10)
      response.on('close', () => clearInterval(drip))
    },
    { limits: { idleMs: 5_000, totalMs: 200 } },
  )
  await assert.rejects(body(await fetch({ url: origin })), {
    code: 'timeout',
    message: /took longer than 200 ms/,
  })
  await left()
})

test('a body that nobody reads holds its place only until its time is over', async (t) => {
  const { origin, fetch } = await openSite(
    t,
    (request, response) => response.end(request.url === '/short' ? '' : Buffer.alloc(4 * MIB)),
    { limits: { parallelRequests: 1, totalMs: 200 } },
  )
  await fetch({ url: origin })
  assert.equal((await fetch({ url: `${origin}/short` })).status, 200)
})

test('headers that do not come in time end the request', async (t) => {
  const server = await startRawServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n')
    const drip = setInterval(() => socket.write('A: b\r\n'), 10)
    socket.on('close', () => clearInterval(drip))
  })
  const { fetch } = openNetwork(t, { granted: [server.origin], limits: { headersMs: 100 } })
  await assert.rejects(fetch({ url: server.origin }), {
    code: 'timeout',
    message: /did not answer within 100 ms/,
  })
  await server.left()
})

test('early answers without end do not hold up the time for the real one', async (t) => {
  const server = await startRawServer(t, (socket) => {
    const drip = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 10)
    socket.on('close', () => clearInterval(drip))
  })
  const { fetch } = openNetwork(t, { granted: [server.origin], limits: { headersMs: 100 } })
  await assert.rejects(fetch({ url: server.origin }), { code: 'timeout' })
  await server.left()
})

test('headers that are too long end the request', async (t) => {
  const server = await startRawServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n')
    const pour = () => {
      while (!socket.destroyed && socket.write(`X-${'a'.repeat(1000)}: b\r\n`));
      socket.once('drain', pour)
    }
    pour()
  })
  const { fetch } = openNetwork(t, { granted: [server.origin] })
  await assert.rejects(fetch({ url: server.origin }), {
    code: 'payload_too_large',
    message: /headers of the answer .* longer than 65536 bytes/,
  })
  await server.left()
})

const noAnswers = {
  'nothing at all': '',
  'no HTTP': 'SSH-2.0-OpenSSH\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 5\r\n\r\nabcde',
  'a length and chunks':
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'another protocol':
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
  'line ends in a header': 'HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n',
}
for (const [what, text] of Object.entries(noAnswers)) {
  test(`a server that answers with ${what} is unavailable`, async (t) => {
    const server = await startRawServer(t, (socket) => socket.end(text))
    const { fetch } = openNetwork(t, { granted: [server.origin] })
    await assert.rejects(fetch({ url: server.origin }), { code: 'unavailable_provider' })
    await server.left()
  })
}

test('an upload beyond the limit is cut, and the connection with it', async (t) => {
  const { origin, fetch, streams, left } = await openSite(t, (request) => void request.resume(), {
    limits: { uploadBytes: MIB },
  })
  async function* endless() {
    for (;;) yield Buffer.alloc(65_536)
  }
  const bodyStream = streams.open(endless())
  await assert.rejects(fetch({ url: origin, method: 'POST', bodyStream }), {
    code: 'payload_too_large',
    message: /The body is longer than 1048576 bytes/,
  })
  await left()
})

test('an upload that the server does not take ends in time', async (t) => {
  const { origin, fetch, streams } = await openSite(t, (request) => void request.pause(), {
    limits: { idleMs: 100 },
  })
  async function* endless() {
    for (;;) yield Buffer.alloc(1024 * 1024)
  }
  const bodyStream = streams.open(endless())
  await assert.rejects(fetch({ url: origin, method: 'POST', bodyStream }), { code: 'timeout' })
})

test('headers of a request have a limit', async (t) => {
  const { origin, fetch } = await openSite(t, (_request, response) => response.end())
  const headers = [['A', 'b'.repeat(70_000)]]
  await assert.rejects(fetch({ url: origin, headers }), { code: 'payload_too_large' })
})

test('a host that does not take the connection is given up in time', async (t) => {
  const hanging = {
    lookUp: () => new Promise<never>(() => {}),
    close() {},
  }
  const { fetch } = openNetwork(t, {
    granted: ['cloud.example'],
    names: hanging,
    limits: { connectMs: 50 },
  })
  await assert.rejects(fetch({ url: 'https://cloud.example/' }), {
    code: 'timeout',
    message: 'cloud.example:443 was not connected within 50 ms',
  })
})

test('what is unreachable says how', async (t) => {
  const { origin } = await serveHttp(t, (_request, response) => response.end())
  const { fetch } = openNetwork(t, { granted: ['http://127.0.0.1:1', 'gone.example', origin] })
  await assert.rejects(fetch({ url: 'http://127.0.0.1:1' }), {
    code: 'unavailable_provider',
    message: '127.0.0.1:1 cannot be reached: ECONNREFUSED',
  })
  await assert.rejects(fetch({ url: 'https://gone.example' }), {
    code: 'unavailable_provider',
    message: 'gone.example has no address: ENOTFOUND',
  })
})

test('a plugin that is stopped ends what is under way', async (t) => {
  const { origin, fetch, close, left, streams } = await openSite(t, (request, response) => {
    if (request.url === '/streaming') response.write('a little')
  })
  const answer = await fetch({ url: `${origin}/streaming` })
  assert.ok('stream' in answer)
  const waiting = fetch({ url: origin })
  const reading = streams.source(answer.stream)
  await reading.next()
  const next = reading.next()
  next.catch(() => {})
  close()
  await assert.rejects(waiting, { code: 'unavailable_provider' })
  await assert.rejects(next, { code: 'unavailable_provider' })
  await left()
})
