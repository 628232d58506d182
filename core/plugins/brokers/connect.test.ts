import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { after, before, type TestContext, test } from 'node:test'
import { TLSSocket } from 'node:tls'
import type { ConnectAnswer } from './connect.ts'
import {
  openNetwork,
  type PluginNetwork,
  type PluginNetworkOptions,
} from './testing/plugin-network.ts'
import { createPrivateCa, type PrivateCa } from './testing/private-ca.ts'
import { startRawServer } from './testing/raw-server.ts'

let ca: PrivateCa
let identity: { key: string; cert: string }
before(async () => {
  ca = await createPrivateCa()
  identity = await ca.issue('DNS:ldap.example', 'IP:127.0.0.1')
})
after(() => ca.remove())

const echo = (socket: Socket) => void socket.pipe(socket)

async function openTo(
  t: TestContext,
  serve: (socket: Socket) => void,
  options: PluginNetworkOptions = {},
) {
  const server = await startRawServer(t, serve)
  const network = openNetwork(t, {
    granted: [`tcp://127.0.0.1:${server.port}`, `tcp://ldap.example:${server.port}`],
    addresses: ['127.0.0.0/8'],
    names: { 'ldap.example': ['127.0.0.1'] },
    settings: { authorities: [ca.certificate] },
    ...options,
  })
  return { ...server, ...network }
}

/** A plugin's end of a connection. */
function ends({ streams }: PluginNetwork, { readable, writable }: ConnectAnswer) {
  const source = streams.source(readable)
  const sink = streams.sink(writable)
  return {
    sink,
    say: (text: string) => sink.write(Buffer.from(text)),
    async hear() {
      const { done, value } = await source.next()
      return done ? undefined : Buffer.from(value).toString()
    },
    leave: () => source.return?.(),
  }
}

/** Serves TLS from the start. */
const underTls = (serve: (socket: Socket) => void) => (socket: Socket) => {
  const secured = new TLSSocket(socket, { isServer: true, ...identity })
  secured.on('error', () => {})
  serve(secured)
}

/** Serves a protocol in which the client asks for TLS. */
const withStartTls = (answer: string) => (socket: Socket) =>
  void socket.once('data', () => {
    socket.write(answer)
    underTls(echo)(socket)
  })

test('bytes go both ways, and the address is told', async (t) => {
  const network = await openTo(t, echo)
  const answer = await network.connect({ hostname: 'ldap.example', port: network.port })
  assert.equal(answer.remoteAddress, '127.0.0.1')
  const { say, hear } = ends(network, answer)
  await say('hello')
  assert.equal(await hear(), 'hello')
})

test('hosts, ports and forms of an address that were not granted are refused before anybody is called', async (t) => {
  let called = 0
  const { port, connect } = await openTo(t, () => {
    called += 1
  })
  const refused: [hostname: string, port: number][] = [
    ['127.0.0.1', port + 1],
    ['127.0.0.2', port],
    ['2130706434', port],
    ['other.example', port],
    ['evil-ldap.example', port],
    ['a.ldap.example', port],
  ]
  for (const [hostname, number] of refused)
    await assert.rejects(connect({ hostname, port: number }), {
      code: 'unauthorized',
      message: /add 'tcp:\/\/.*' to plugins\.cloud\.grants\.network/,
    })
  assert.equal(called, 0)
})

test('a granted name that leads to an address that is not public is refused', async (t) => {
  let called = 0
  const count = () => {
    called += 1
  }
  const { port, connect } = await openTo(t, count, { addresses: [] })
  const request = { hostname: 'ldap.example', port }
  await assert.rejects(connect(request), {
    code: 'unauthorized',
    message: /127\.0\.0\.1 \(loopback\)/,
  })
  assert.equal(called, 0)
})

test('what is no request is refused', async (t) => {
  const { connect, startTls } = openNetwork(t, { granted: ['tcp://a.example:*'] })
  const wrong: unknown[] = [
    null,
    {},
    { hostname: 'a.example' },
    { hostname: 'a.example', port: '80' },
    { hostname: 'a.example', port: 0 },
    { hostname: 'a.example', port: 65_536 },
    { hostname: 'a.example', port: 1.5 },
    { hostname: 'a.example/', port: 1 },
    { hostname: 'x@a.example', port: 1 },
    { hostname: '', port: 1 },
    { hostname: 'fe80::1%lo', port: 1 },
    { hostname: 'a.example', port: 1, secureTransport: 'yes' },
    { hostname: ['a.example'], port: 1 },
  ]
  for (const request of wrong)
    await assert.rejects(connect(request), { code: 'invalid_parameter' }, JSON.stringify(request))
  for (const id of [1, '1', null, {}, 'constructor'])
    await assert.rejects(startTls(id), { code: 'invalid_parameter' })
})

test('each direction ends by itself: what comes after one was closed is still read', async (t) => {
  const network = await openTo(t, (socket) => {
    const heard: unknown[] = []
    socket.on('data', (chunk) => heard.push(chunk))
    socket.on('end', () => socket.end(`heard ${heard.join('')}`))
  })
  const { say, hear, sink } = ends(
    network,
    await network.connect({ hostname: '127.0.0.1', port: network.port }),
  )
  await say('all')
  await sink.close()
  assert.equal(await hear(), 'heard all')
  assert.equal(await hear(), undefined)
  await network.left()
})

test('a direction that the server ended leaves the other one open', async (t) => {
  const heard = Promise.withResolvers<string>()
  const network = await openTo(t, (socket) => {
    socket.end('bye')
    socket.on('data', (chunk) => heard.resolve(String(chunk)))
  })
  const { say, hear, sink } = ends(
    network,
    await network.connect({ hostname: '127.0.0.1', port: network.port }),
  )
  assert.equal(await hear(), 'bye')
  assert.equal(await hear(), undefined)
  await say('still here')
  assert.equal(await heard.promise, 'still here')
  await sink.close()
  await network.left()
})

test('a plugin that leaves both directions ends the connection, also while it waits', async (t) => {
  const network = await openTo(t, () => {})
  const { hear, leave, sink } = ends(
    network,
    await network.connect({ hostname: '127.0.0.1', port: network.port }),
  )
  const waiting = hear()
  await leave()
  assert.equal(await waiting, undefined)
  sink.abort(new Error('its sandbox ended'))
  await network.left()
})

test('a server that takes nothing holds the plugin back', async (t) => {
  const network = await openTo(t, (socket) => void socket.pause())
  const { sink } = ends(
    network,
    await network.connect({ hostname: '127.0.0.1', port: network.port }),
  )
  let written = 0
  const pour = async () => {
    for (; written < 1000; written += 1) await sink.write(Buffer.alloc(65_536))
  }
  pour().catch(() => {})
  for (let before = -1; before !== written || written === 0; ) {
    before = written
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.ok(written < 500, `${written} chunks were taken, though nobody reads`)
})

test('TLS shows the name, and the server has to prove it', async (t) => {
  const names: unknown[] = []
  const network = await openTo(
    t,
    underTls((socket) => {
      socket.on('data', (chunk) => {
        names.push((socket as TLSSocket).servername)
        socket.write(chunk)
      })
    }),
  )
  for (const hostname of ['ldap.example', '127.0.0.1']) {
    const { say, hear } = ends(
      network,
      await network.connect({ hostname, port: network.port, secureTransport: 'on' }),
    )
    await say(hostname)
    assert.equal(await hear(), hostname)
  }
  assert.deepEqual(names, ['ldap.example', false])
})

test('a server with a certificate for another name is refused', async (t) => {
  const network = await openTo(t, underTls(echo), {
    granted: ['tls://other.example:*'],
    names: { 'other.example': ['127.0.0.1'] },
  })
  const request = { hostname: 'other.example', port: network.port, secureTransport: 'on' }
  await assert.rejects(network.connect(request), {
    code: 'unavailable_provider',
    message: /other\.example:\d+ cannot be reached: ERR_TLS_CERT_ALTNAME_INVALID/,
  })
  await network.left()
})

test('a private certificate authority is trusted only when the administrator named it', async (t) => {
  const network = await openTo(t, underTls(echo), { settings: { authorities: [] } })
  const request = { hostname: 'ldap.example', port: network.port, secureTransport: 'on' }
  await assert.rejects(network.connect(request), {
    code: 'unavailable_provider',
    message: /UNABLE_TO_VERIFY_LEAF_SIGNATURE.*network\.caFiles/,
  })
})

test('a pattern for TLS grants nothing without TLS', async (t) => {
  const network = await openTo(t, underTls(echo), { granted: ['tls://ldap.example:*'] })
  const { port, connect } = network
  for (const secureTransport of ['off', 'starttls'])
    await assert.rejects(connect({ hostname: 'ldap.example', port, secureTransport }), {
      code: 'unauthorized',
    })
  await connect({ hostname: 'ldap.example', port, secureTransport: 'on' })
})

test('TLS can be begun on an open connection, and the old streams are of no use then', async (t) => {
  const network = await openTo(t, withStartTls('ready\n'))
  const { streams, port, connect, startTls } = network
  const first = await connect({ hostname: 'ldap.example', port, secureTransport: 'starttls' })
  const plain = ends(network, first)
  await plain.say('start tls\n')
  assert.equal(await plain.hear(), 'ready\n')
  const waiting = plain.hear()
  const second = await startTls(first.id)
  assert.equal(await waiting, undefined)
  await assert.rejects(plain.say('x'), { code: 'unavailable_provider' })
  await plain.sink.close()
  await plain.leave()
  assert.deepEqual(streams.released, [first.readable, first.writable])
  const secured = ends(network, second)
  await secured.say('hello')
  assert.equal(await secured.hear(), 'hello')
  await assert.rejects(startTls(first.id), { code: 'invalid_parameter' })
  await assert.rejects(startTls(second.id), { code: 'invalid_parameter' })
  await secured.sink.close()
  await secured.leave()
  await network.left()
})

test('what was sent in the clear is not taken for what is said under TLS', async (t) => {
  const sent = Promise.withResolvers<void>()
  const network = await openTo(t, (socket) => {
    socket.once('data', () => {
      socket.write('ready\n')
      socket.once('data', () => socket.write('injected', () => sent.resolve()))
    })
  })
  const { port, connect, startTls } = network
  const request = { hostname: 'ldap.example', port, secureTransport: 'starttls' }
  const answer = await connect(request)
  const { say, hear } = ends(network, answer)
  await say('start tls\n')
  await hear()
  await say('go on\n')
  await sent.promise
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  await assert.rejects(startTls(answer.id), {
    code: 'unavailable_provider',
    message: /sent more than was read before TLS was begun/,
  })
  await network.left()
})

test('a server that cannot prove its name after STARTTLS is left', async (t) => {
  const network = await openTo(t, withStartTls('ready\n'), { settings: { authorities: [] } })
  const { port, connect, startTls } = network
  const answer = await connect({ hostname: 'ldap.example', port, secureTransport: 'starttls' })
  const { say, hear } = ends(network, answer)
  await say('start tls\n')
  await hear()
  await assert.rejects(startTls(answer.id), { code: 'unavailable_provider' })
  await network.left()
})

test('a server that says nothing once TLS was begun is given up in time', async (t) => {
  const network = await openTo(t, () => {}, { limits: { connectMs: 100 } })
  const { port, connect, startTls } = network
  const { id } = await connect({ hostname: 'ldap.example', port, secureTransport: 'starttls' })
  await assert.rejects(startTls(id), { code: 'timeout', message: /not connected within 100 ms/ })
  await network.left()
})

test('a plugin has so many connections and no more, until one ends', async (t) => {
  const network = await openTo(t, echo, { limits: { connections: 2 } })
  const request = { hostname: '127.0.0.1', port: network.port }
  const first = ends(network, await network.connect(request))
  await network.connect(request)
  await assert.rejects(network.connect(request), {
    code: 'too_many_requests',
    message: "Connections of plugin 'cloud': 2 at once is all that is allowed",
  })
  first.sink.abort(new Error('no longer needed'))
  const again = () => network.connect(request).catch(() => undefined)
  while (!(await again())) await new Promise((resolve) => setImmediate(resolve))
  await assert.rejects(network.connect(request), { code: 'too_many_requests' })
})

test('a connection that fails gives its place back', async (t) => {
  const { connect } = openNetwork(t, { granted: ['tcp://127.0.0.1:1'], limits: { connections: 1 } })
  for (let i = 0; i < 3; i += 1)
    await assert.rejects(connect({ hostname: '127.0.0.1', port: 1 }), {
      code: 'unavailable_provider',
      message: '127.0.0.1:1 cannot be reached: ECONNREFUSED',
    })
})

test('a connection that is silent for too long ends', async (t) => {
  const network = await openTo(t, () => {}, { limits: { connectionIdleMs: 50 } })
  const { hear, say } = ends(
    network,
    await network.connect({ hostname: '127.0.0.1', port: network.port }),
  )
  await assert.rejects(hear(), { code: 'timeout', message: /was silent for 50 ms/ })
  await assert.rejects(say('x'), { code: 'timeout' })
  await network.left()
})

test('connections end with the plugin', async (t) => {
  const network = await openTo(t, echo)
  const request = { hostname: 'ldap.example', port: network.port }
  const { hear } = ends(network, await network.connect(request))
  const waiting = hear()
  waiting.catch(() => {})
  network.close()
  await assert.rejects(waiting, { code: 'unavailable_provider' })
  await network.left()
  await assert.rejects(network.connect(request), { code: 'unavailable_provider' })
})

test('bytes under TLS are counted, too', async (t) => {
  const network = await openTo(t, underTls(echo))
  const request = { hostname: 'ldap.example', port: network.port, secureTransport: 'on' }
  const { say, hear } = ends(network, await network.connect(request))
  await say('x'.repeat(10_000))
  for (let heard = 0; heard < 10_000; ) heard += (await hear())?.length ?? 10_000
  network.close()
  await network.left()
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(network.traffic.sent > 10_000, `${network.traffic.sent}`)
  assert.ok(network.traffic.received > 10_000, `${network.traffic.received}`)
})

test('what cannot speak TLS is unavailable', async (t) => {
  const network = await openTo(t, (socket) => socket.end('220 ready\r\n'))
  const request = { hostname: 'ldap.example', port: network.port, secureTransport: 'on' }
  await assert.rejects(network.connect(request), { code: 'unavailable_provider' })
})
