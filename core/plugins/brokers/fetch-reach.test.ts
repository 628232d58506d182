import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FetchAnswer } from './fetch.ts'
import { createNameResolver } from './resolve.ts'
import { type HttpSite, headerOf, openSite, serveHttp } from './testing/http-site.ts'
import { startNameServer } from './testing/name-server.ts'
import { openNetwork, type PluginNetworkOptions } from './testing/plugin-network.ts'

/** A server that nobody may reach, and a plugin that tries to: what counts is whether somebody came. */
async function attempt(
  t: TestContext,
  options: PluginNetworkOptions,
  urlOf: (site: HttpSite) => unknown,
): Promise<void> {
  const site = await serveHttp(t, (_request, response) => response.end('secret'))
  const { fetch } = openNetwork(t, options)
  await assert.rejects(fetch({ url: urlOf(site) }), (error: Error & { code: string }) =>
    ['unauthorized', 'invalid_parameter', 'unavailable_provider'].includes(error.code),
  )
  assert.equal(site.connections(), 0)
}

test('a host that was not granted is refused, with what would grant it', async (t) => {
  const { fetch } = openNetwork(t, { granted: ['cloud.example'] })
  await assert.rejects(fetch({ url: 'http://other.example:81/x?secret=1' }), {
    code: 'unauthorized',
    message:
      "Plugin 'cloud' may not reach http://other.example:81; if its manifest asks for it, add 'http://other.example:81' to plugins.cloud.grants.network",
  })
})

test('a granted name that leads to an address that is not public is refused before anybody is called', async (t) => {
  const addresses = ['127.0.0.1', '::1', '::ffff:127.0.0.1', '0.0.0.0', '::', '64:ff9b::7f00:1']
  for (const address of addresses) {
    const options = { granted: ['http://cloud.example:*'], names: { 'cloud.example': [address] } }
    await attempt(t, options, ({ port }) => `http://cloud.example:${port}/`)
  }
})

test('what a name leads to is told, with the range that would allow it', async (t) => {
  const { fetch } = openNetwork(t, {
    granted: ['http://cloud.example'],
    names: { 'cloud.example': ['169.254.169.254', 'fd00::1'] },
  })
  await assert.rejects(fetch({ url: 'http://cloud.example/latest/meta-data' }), {
    code: 'unauthorized',
    message:
      "Plugin 'cloud' may not reach cloud.example: it leads to 169.254.169.254 (link-local, where metadata services are), fd00::1 (private); if that is meant, add '169.254.169.254/32' to plugins.cloud.grants.addresses",
  })
})

test('a name that leads to a granted range is reached, by its name', async (t) => {
  const site = await serveHttp(t, (request, response) => response.end(request.headers.host))
  const { fetch, body } = openNetwork(t, {
    granted: ['http://cloud.example:*'],
    addresses: ['127.0.0.0/8'],
    names: { 'cloud.example': ['127.0.0.1'] },
  })
  const answer = await fetch({ url: `http://cloud.example:${site.port}/` })
  assert.equal((await body(answer)).toString(), `cloud.example:${site.port}`)
})

test('of the addresses of a name only those that may be reached are', async (t) => {
  const allowed = await serveHttp(t, (_request, response) => response.end('allowed'))
  const { fetch, body } = openNetwork(t, {
    granted: [`http://cloud.example:${allowed.port}`],
    addresses: ['127.0.0.1/32'],
    names: { 'cloud.example': ['127.0.0.2', '10.0.0.1', '127.0.0.1', '::1'] },
  })
  const answer = await fetch({ url: `http://cloud.example:${allowed.port}/` })
  assert.equal((await body(answer)).toString(), 'allowed')
})

test('an address that only the vendor wrote is refused when it is not public', async (t) => {
  const site = await serveHttp(t, (_request, response) => response.end())
  const { fetch } = openNetwork(t, { asked: [site.origin] })
  await assert.rejects(fetch({ url: site.origin }), {
    code: 'unauthorized',
    message:
      /127\.0\.0\.1 \(loopback\).*add '127\.0\.0\.1\/32' to plugins\.cloud\.grants\.addresses/,
  })
  assert.equal(site.connections(), 0)
})

test('an address that the administrator wrote is meant, but no name that leads there', async (t) => {
  const site = await serveHttp(t, (_request, response) => response.end())
  const { fetch } = openNetwork(t, {
    granted: [site.origin, `http://*.example:${site.port}`],
    names: { 'cloud.example': ['127.0.0.1'] },
  })
  assert.equal((await fetch({ url: site.origin })).status, 200)
  const byName = fetch({ url: `http://cloud.example:${site.port}` })
  await assert.rejects(byName, { code: 'unauthorized' })
})

test('other ports and schemes of a granted host are refused', async (t) => {
  const { origin, port, fetch, connections } = await openSite(t, (_request, response) =>
    response.end(),
  )
  const others = [
    `http://127.0.0.1:${port + 1}/`,
    'http://127.0.0.1/',
    `https://127.0.0.1:${port}/`,
    `http://127.0.0.2:${port}/`,
  ]
  for (const url of others) await assert.rejects(fetch({ url }), { code: 'unauthorized' }, url)
  for (const scheme of ['ftp', 'file', 'ws', 'data', 'blob', 'javascript', 'gopher', 'unix'])
    await assert.rejects(fetch({ url: `${scheme}://127.0.0.1:${port}/` }), {
      code: 'invalid_parameter',
    })
  assert.equal(connections(), 0)
  assert.equal((await fetch({ url: origin })).status, 200)
})

const likeGranted = {
  'a user name': (host: string, other: string) => `http://${host}@${other}/`,
  'a user name and password': (host: string, other: string) => `http://${host}:x@${other}/`,
  'a backslash': (host: string, other: string) => `http://${other}\\@${host}/`,
  'a fragment': (host: string, other: string) => `http://${other}/#@${host}/`,
  'a query': (host: string, other: string) => `http://${other}?@${host}/`,
  'a longer name': (host: string, other: string) => `http://${host}.${other}/`,
  'tabs and line ends': (host: string, other: string) => `http://\t${other}\n/\r#${host}`,
}

for (const [what, urlOf] of Object.entries(likeGranted)) {
  test(`a URL that looks like a granted one by ${what} leads nowhere else`, async (t) => {
    const options = { granted: ['http://cloud.example:*'], names: { 'cloud.example': ['1.1.1.1'] } }
    await attempt(t, options, ({ port }) => urlOf('cloud.example', `127.0.0.1:${port}`))
  })
}

test('user names and passwords in URLs are refused, also at a granted host', async (t) => {
  const { port, fetch } = await openSite(t, (_request, response) => response.end())
  for (const user of ['a@', 'a:b@', ':b@'])
    await assert.rejects(fetch({ url: `http://${user}127.0.0.1:${port}/` }), {
      code: 'invalid_parameter',
      message: /must not hold a user name or password/,
    })
})

const oddAddresses = {
  decimal: '2130706433',
  octal: '0177.0.0.1',
  hexadecimal: '0x7f000001',
  'shortened hexadecimal': '0x7f.1',
  shortened: '127.1',
  'IPv4-mapped': '[::ffff:127.0.0.1]',
  'IPv4-mapped hexadecimal': '[::ffff:7f00:1]',
  NAT64: '[64:ff9b::127.0.0.1]',
  unspecified: '0',
  'IPv6 unspecified': '[::]',
  'IPv6 with zone': '[fe80::1%25lo]',
  'full width': '１２７.0.0.1',
  'percent encoded': '%31%32%37.0.0.1',
  'with a trailing dot': '127.0.0.1.',
  'by name': 'localhost',
  'by a name in other letters': 'ⓛocalhost',
  'by a name with a trailing dot': 'localhost.',
}

for (const [form, host] of Object.entries(oddAddresses)) {
  test(`the loopback address in ${form} form is refused, whatever names are granted`, async (t) => {
    const resolver = createNameResolver()
    t.after(() => resolver.close())
    const granted = ['http://*.example:*', 'http://localhost:*']
    const asked = [
      'http://127.0.0.1:*',
      'http://[::]:*',
      'http://0.0.0.0:*',
      'http://[::ffff:7f00:1]:*',
    ]
    await attempt(t, { granted, asked, names: resolver }, ({ port }) => `http://${host}:${port}/`)
  })
}

test('an odd form of a granted address is that address', async (t) => {
  const { port, fetch } = await openSite(t, (_request, response) => response.end())
  for (const host of ['2130706433', '0x7f.1', '127.1', '127.0.0.1.'])
    assert.equal((await fetch({ url: `http://${host}:${port}/` })).status, 200, host)
})

test('a name is the same with a trailing dot, in capitals and in its own letters', async (t) => {
  const site = await serveHttp(t, (request, response) => response.end(request.headers.host))
  const { fetch, body } = openNetwork(t, {
    granted: [`http://xn--bcher-kva.example:${site.port}`],
    addresses: ['127.0.0.0/8'],
    names: { 'xn--bcher-kva.example': ['127.0.0.1'] },
  })
  for (const host of ['bücher.example', 'BÜCHER.EXAMPLE', 'xn--bcher-kva.example.']) {
    const answer = await fetch({ url: `http://${host}:${site.port}/` })
    assert.equal((await body(answer)).toString(), `xn--bcher-kva.example:${site.port}`)
  }
})

test('a name server that answers otherwise the second time is not asked a second time', async (t) => {
  const inside = await serveHttp(t, (_request, response) => response.end('inside'))
  let answers = 0
  const server = await startNameServer(t, (_name, type) => {
    if (type === 'AAAA') return []
    answers += 1
    // Nobody is at the first: it is for documentation, and was granted as if it were public.
    return answers === 1 ? ['127.0.0.3'] : ['127.0.0.1']
  })
  const resolver = createNameResolver({ servers: [server.address] })
  const { fetch } = openNetwork(t, {
    granted: ['http://rebinding.example:*'],
    addresses: ['127.0.0.3/32'],
    names: resolver,
  })
  const first = fetch({ url: `http://rebinding.example:${inside.port}/` })
  await assert.rejects(first, { code: 'unavailable_provider', message: /ECONNREFUSED/ })
  assert.deepEqual(server.asked.filter((question) => question.endsWith(' A')).length, 1)
  const second = fetch({ url: `http://rebinding.example:${inside.port}/` })
  await assert.rejects(second, { code: 'unauthorized', message: /127\.0\.0\.1 \(loopback\)/ })
  assert.equal(inside.connections(), 0)
})

test('a name with many addresses is reached at one that answers', async (t) => {
  const site = await serveHttp(t, (_request, response) => response.end('here'))
  const dead = Array.from({ length: 12 }, (_, i) => `127.0.1.${i + 1}`)
  const server = await startNameServer(t, () => [...dead, '127.0.0.1'])
  const resolver = createNameResolver({ servers: [server.address] })
  const { fetch, body } = openNetwork(t, {
    granted: ['http://many.example:*'],
    addresses: ['127.0.0.0/8'],
    names: resolver,
  })
  const answer = await fetch({ url: `http://many.example:${site.port}/` })
  assert.equal((await body(answer)).toString(), 'here')
})

test('the Host field is that of the URL, whatever the plugin says', async (t) => {
  const seen: string[][] = []
  const { origin, port, fetch } = await openSite(t, (request, response) => {
    seen.push(request.rawHeaders)
    response.end()
  })
  const headers = [
    ['Host', 'internal.example'],
    ['hOsT', 'other.example'],
  ]
  await fetch({ url: origin, headers })
  const hosts = seen[0]?.filter((_part, i, all) => all[i - 1]?.toLowerCase() === 'host')
  assert.deepEqual(hosts, [`127.0.0.1:${port}`])
})

test('fields of the connection are the host’s own', async (t) => {
  let seen: string[] = []
  const { origin, fetch } = await openSite(t, (request, response) => {
    seen = request.rawHeaders.filter((_part, i) => i % 2 === 0).map((name) => name.toLowerCase())
    response.end()
  })
  const own = [
    'Connection',
    'Keep-Alive',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'Expect',
  ]
  const more = [
    'Content-Length',
    'Proxy-Authorization',
    'Proxy-Connection',
    'Cookie2',
    'HTTP2-Settings',
  ]
  const headers = [...own, ...more].map((name) => [
    name,
    name === 'Content-Length' ? '5' : 'chunked',
  ])
  const answer: FetchAnswer = await fetch({ url: origin, method: 'POST', headers })
  assert.deepEqual(seen.toSorted(), ['accept-encoding', 'connection', 'content-length', 'host'])
  assert.equal(headerOf(answer, 'connection'), undefined)
  assert.equal(headerOf(answer, 'keep-alive'), undefined)
})

test('names, values and methods that would make another request are refused before anything is sent', async (t) => {
  const { origin, fetch, connections } = await openSite(t, (_request, response) => response.end())
  const header = (name: unknown, value: unknown) => ({ url: origin, headers: [[name, value]] })
  const wrong: unknown[] = [
    header('A', 'b\r\nHost: x'),
    header('A', 'b\nX: y'),
    header('A', 'b\0'),
    header('A', 'ü€'),
    header('A\r\nB', 'c'),
    header('A: b', 'c'),
    header('A ', 'c'),
    header('', 'c'),
    header(' Transfer-Encoding', 'chunked'),
    header('A', 1),
    header(7, 'a'),
    header('A', ['b']),
    { url: origin, headers: ['A: b'] },
    { url: origin, headers: { A: 'b' } },
    { url: origin, headers: [['A', 'b', 'c']] },
    { url: origin, headers: Array(300).fill(['A', 'b']) },
    { url: origin, method: 'GET / HTTP/1.1\r\nHost: x\r\n\r\nGET' },
    ...['CONNECT', 'TRACE', 'get', '', 'G ET', 7, null].map((method) => ({ url: origin, method })),
    { url: origin, method: 'POST', body: 7 },
    { url: origin, method: 'GET', body: 'YQ==' },
    { url: origin, method: 'POST', bodyStream: 12 },
    { url: [origin] },
    { url: { href: origin, toString: origin } },
    { url: `${origin}/${'x'.repeat(20_000)}` },
    null,
    {},
    'http://127.0.0.1',
  ]
  for (const request of wrong)
    await assert.rejects(fetch(request), { code: 'invalid_parameter' }, JSON.stringify(request))
  assert.equal(connections(), 0)
})

test('a path cannot end the line that it stands in', async (t) => {
  let seen = ''
  const { origin, fetch } = await openSite(t, (request, response) => {
    seen = request.url ?? ''
    response.end()
  })
  await fetch({ url: `${origin}/a b\r\n\u{2028}?x=\u{d}\u{a}"<>` })
  assert.match(seen, /^\/[\x21-\x7e]*$/)
})

test('no text of an error holds the path, the query, a header or the body of a request', async (t) => {
  const { origin, fetch } = await openSite(t, (request) => request.socket.destroy())
  const secret = 'hunter2'
  const requests = [
    { url: `${origin}/${secret}?${secret}`, headers: [['authorization', secret]] },
    { url: `http://other.example/${secret}?${secret}#${secret}` },
    { url: `http://user:${secret}@cloud.example/` },
    { url: origin, headers: [['authorization', `${secret}\n`]] },
    { url: origin, method: secret },
    { url: `nothing:${secret}` },
  ]
  for (const request of requests) {
    await assert.rejects(fetch(request), (error: Error) => {
      assert.doesNotMatch(`${error.message} ${JSON.stringify(error)}`, /hunter2/)
      return true
    })
  }
})
