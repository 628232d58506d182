import assert from 'node:assert/strict'
import { Agent, type ClientRequest, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { RequestContext } from '../operations/index.ts'
import { startTestEdge, type TestEdge } from './testing/test-edge.ts'

const token = { 'Fogbow-User-Token': 'secret-token' }

interface ErrorBody {
  message: string
  details: string
  code: string
  field?: string
  requestId: string
}

async function errorOf(response: Response): Promise<ErrorBody> {
  return (await response.json()) as ErrorBody
}

function contextOf({ calls }: TestEdge): RequestContext {
  const [first] = calls
  assert.ok(first, 'no operation was called')
  return first.args[0] as RequestContext
}

test('a creation answers 201 and the id alone', async (t) => {
  const edge = await startTestEdge(t)
  const response = await edge.post('/ras/computes', '{"imageId":"i1","vCPU":"2"}')
  assert.equal(response.status, 201)
  assert.deepEqual(Object.keys((await response.json()) as object), ['id'])
  assert.deepEqual(edge.calls[0]?.args.slice(1), ['compute', { imageId: 'i1', vCPU: '2' }])
})

test('operations learn who asks, from where, and under which ids', async (t) => {
  const edge = await startTestEdge(t)
  const headers = { 'X-Request-Id': 'my-id', 'Idempotency-Key': 'once' }
  const response = await edge.post('/ras/volumes', '{"size":1}', headers)
  assert.equal(response.headers.get('x-request-id'), 'my-id')
  const { signal, ...context } = contextOf(edge)
  assert.deepEqual(context, {
    requestId: 'my-id',
    requester: 'site-a',
    remoteAddress: '127.0.0.1',
    tokenValue: 'secret-token',
    idempotencyKey: 'once',
  })
  assert.equal(signal.aborted, false)
})

test('a request id that could forge a log line is replaced', async (t) => {
  const edge = await startTestEdge(t)
  const response = await edge.fetch('/ms/members', { headers: { 'X-Request-Id': 'a b "c"' } })
  assert.match(response.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
})

test('doubled and trailing slashes reach the same route, and case matters', async (t) => {
  const edge = await startTestEdge(t)
  for (const path of ['/fns/clouds/', '//fns//clouds', '/ras//images/site-a/c1/']) {
    assert.equal((await edge.fetch(path, { headers: token })).status, 200, path)
  }
  assert.equal((await edge.fetch('/RAS/clouds', { headers: token })).status, 404)
})

test('values in a path are decoded once and not cut at a dot or an encoded slash', async (t) => {
  const edge = await startTestEdge(t)
  await edge.fetch('/ras/images/site.a/cloud.b/a%2Fb%2520c', { headers: token })
  assert.deepEqual(edge.calls[0]?.args.slice(1), ['site.a', 'cloud.b', 'a/b%20c'])
})

test('a path that does not exist is answered 404, a method that it does not offer 405', async (t) => {
  const edge = await startTestEdge(t)
  const missing = await edge.fetch('/ras/nothing?token=x')
  assert.equal(missing.status, 404)
  assert.equal((await errorOf(missing)).details, 'uri=/ras/nothing')
  const patched = await edge.fetch('/ras/computes/x', { method: 'PATCH' })
  assert.equal(patched.status, 405)
  assert.equal(patched.headers.get('allow'), 'GET, DELETE')
  assert.equal((await errorOf(patched)).code, 'method_not_allowed')
})

test('a path that is not percent-encoded rightly is answered 400', async (t) => {
  const edge = await startTestEdge(t)
  const response = await edge.fetch('/ras/computes/%E0%A4%A')
  assert.equal(response.status, 400)
  assert.match((await errorOf(response)).message, /percent-encoded/)
})

test('HEAD answers like GET without a body', async (t) => {
  const edge = await startTestEdge(t)
  const response = await edge.fetch('/ms/members', { method: 'HEAD' })
  assert.equal(response.status, 200)
  assert.equal(await response.text(), '')
})

test('bodies that cannot be read are answered with what is wrong and where', async (t) => {
  const edge = await startTestEdge(t, { bodyLimitBytes: 2048 })
  const cases: [
    body: string | Uint8Array<ArrayBuffer>,
    type: string,
    status: number,
    message: RegExp,
  ][] = [
    ['{"imageId": }', 'application/json', 400, /"}" is not expected at line 1, column 13 \(pos/],
    ['{"a":1,\n"b" 2}', 'application/json;charset=UTF-8', 400, /line 2, column 5/],
    ['{"a":', 'application/json', 400, /the end is not expected/],
    ['[1]', 'application/json', 400, /must be a JSON object/],
    ['"text"', 'application/json', 400, /must be a JSON object/],
    [new Uint8Array([0x7b, 0xff, 0x7d]), 'application/json', 400, /not UTF-8/],
    [`{"a":"${'x'.repeat(3000)}"}`, 'application/json', 413, /larger than 2048 bytes/],
    ['a=1', 'application/x-www-form-urlencoded', 415, /send the body as application\/json/],
    ['{}', 'application/json; charset=latin1', 415, /in UTF-8/],
  ]
  for (const [body, type, status, message] of cases) {
    const response = await edge.fetch('/ras/computes', {
      method: 'POST',
      body,
      headers: { ...token, 'Content-Type': type },
    })
    assert.equal(response.status, status, String(body).slice(0, 20))
    assert.match((await errorOf(response)).message, message)
  }
  assert.equal(edge.calls.length, 0)
})

test('a body that is too large does not keep its connection busy', {
  timeout: 10_000,
}, async (t) => {
  const edge = await startTestEdge(t, { bodyLimitBytes: 1024 })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const statusOf = (path: string, body: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(edge.url + path, { agent, method: body ? 'POST' : 'GET' })
      request.on('response', (response) =>
        response.resume().on('end', () => resolve(response.statusCode)),
      )
      request.on('error', reject)
      request.end(body)
    })
  assert.equal(await statusOf('/ras/computes', 'x'.repeat(3_000_000)), 413)
  assert.equal(await statusOf('/ms/members', ''), 200)
})

test('a compressed body is refused', async (t) => {
  const edge = await startTestEdge(t)
  const response = await edge.post('/ras/computes', '{}', { 'Content-Encoding': 'gzip' })
  assert.equal(response.status, 415)
  assert.match((await errorOf(response)).message, /uncompressed/)
})

test('an absent body, null and an absent content type are all read as an empty object', async (t) => {
  const edge = await startTestEdge(t)
  await edge.fetch('/ras/networks', { method: 'POST', headers: token })
  await edge.post('/ras/networks', 'null')
  await edge.post('/ras/networks', ' \n')
  await edge.fetch('/ras/networks', {
    method: 'POST',
    headers: token,
    body: new Uint8Array([0x7b, 0x7d]),
  })
  assert.deepEqual(
    edge.calls.map(({ args }) => args[2]),
    [{}, {}, {}, {}],
  )
})

test('a body is not read where none is expected', async (t) => {
  const edge = await startTestEdge(t)
  const response = await edge.post('/ras/computes/x/pause', '{not json')
  assert.equal(response.status, 200)
  assert.equal(await response.text(), '')
  assert.equal(edge.calls[0]?.operation, 'actOnOrder')
})

test('errors of the catalogue keep status and field and name the request', async (t) => {
  const edge = await startTestEdge(t)
  edge.answer('createOrder', async () => {
    throw new FogbowError('invalid_parameter', 'compute.vCPU: must be integer', {
      details: { field: 'compute.vCPU' },
    })
  })
  const response = await edge.post('/ras//computes?x=1', '{}', { 'X-Request-Id': 'r1' })
  assert.equal(response.status, 400)
  assert.deepEqual(await response.json(), {
    message: 'compute.vCPU: must be integer',
    details: 'uri=/ras//computes',
    code: 'invalid_parameter',
    field: 'compute.vCPU',
    requestId: 'r1',
  })
})

test('an unexpected error shows neither its text nor its stack, and the log has it', async (t) => {
  const edge = await startTestEdge(t)
  edge.answer('getOrder', async () => {
    throw new TypeError('secret detail of the inside')
  })
  const response = await edge.fetch('/ras/computes/x', { headers: token })
  const text = await response.text()
  assert.equal(response.status, 500)
  assert.doesNotMatch(text, /secret detail|TypeError|\.ts:/)
  const logged = edge.logLines.find(({ msg }) => msg === 'request failed')
  assert.match(JSON.stringify(logged), /secret detail of the inside/)
  assert.equal(logged?.requestId, JSON.parse(text).requestId)
})

test('401 says how to authenticate; 503 says when to come again', async (t) => {
  const edge = await startTestEdge(t)
  edge.answer('getOrder', async () => {
    throw new FogbowError('unauthenticated', 'The token has expired. Log in again')
  })
  const refused = await edge.fetch('/ras/computes/x', { headers: token })
  assert.equal(refused.status, 401)
  assert.match(refused.headers.get('www-authenticate') ?? '', /^Fogbow-User-Token /)
  edge.answer('getOrder', async () => {
    throw new FogbowError('unavailable_provider', 'Cloud c1 does not answer', {
      details: { retryAfterSeconds: 12 },
    })
  })
  const unavailable = await edge.fetch('/ras/computes/x', { headers: token })
  assert.equal(unavailable.headers.get('retry-after'), '12')
})

test('filters and paging of a list reach the operation', async (t) => {
  const edge = await startTestEdge(t)
  const query = 'limit=2&cursor=abc&state=ready,FAILED&state=CREATING&cloudName=c1&name=w%20k'
  await edge.fetch(`/ras/computes/status?${query}`, { headers: token })
  assert.deepEqual(edge.calls[0]?.args[2], {
    limit: 2,
    cursor: 'abc',
    state: ['READY', 'FAILED', 'CREATING'],
    cloudName: 'c1',
    name: 'w k',
  })
})

test('a query value that is unknown or malformed is refused by name', async (t) => {
  const edge = await startTestEdge(t)
  const cases: [query: string, field: string][] = [
    ['limit=0', 'limit'],
    ['limit=abc', 'limit'],
    ['limit=5000', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['state=HAPPY', 'state[0]'],
    ['stat=READY', 'stat'],
    ['__proto__=1', '__proto__'],
    ['name=%E0%A4%A', 'query'],
    ['cursor=', 'cursor'],
  ]
  for (const [query, field] of cases) {
    const response = await edge.fetch(`/ras/computes/status?${query}`, { headers: token })
    assert.equal(response.status, 400, query)
    assert.equal((await errorOf(response)).field, field)
  }
  assert.equal(edge.calls.length, 0)
})

test('a page of a list stays an array and links to the next with the same filters', async (t) => {
  const edge = await startTestEdge(t)
  edge.answer('listOrders', async () => ({ items: [], next: 'c&2', version: 'v7' }))
  const response = await edge.fetch('/ras/volumes/status?limit=2&state=READY', { headers: token })
  assert.deepEqual(await response.json(), [])
  assert.equal(
    response.headers.get('link'),
    '</ras/volumes/status?limit=2&state=READY&cursor=c%262>; rel="next"',
  )
})

test('an unchanged list is answered 304 without a body, to its tag only', async (t) => {
  const edge = await startTestEdge(t)
  const list = (tag?: string) =>
    edge.fetch('/ras/volumes/status', {
      headers: { ...token, ...(tag && { 'If-None-Match': tag }) },
      cache: 'no-store',
    })
  const tag = (await list()).headers.get('etag') ?? ''
  assert.match(tag, /^W\/"/)
  const unchanged = await list(`"other", ${tag}`)
  assert.equal(unchanged.status, 304)
  assert.equal(unchanged.headers.get('etag'), tag)
  assert.equal(await unchanged.text(), '')
  assert.equal((await list('"other"')).status, 200)
})

test('answers with data of users are not stored by anybody', async (t) => {
  const edge = await startTestEdge(t)
  const order = await edge.fetch('/ras/computes/x', { headers: token })
  assert.equal(order.headers.get('cache-control'), 'no-store')
  assert.equal(order.headers.get('x-content-type-options'), 'nosniff')
  const list = await edge.fetch('/ras/computes/status', { headers: token })
  assert.equal(list.headers.get('cache-control'), 'private, no-cache')
  assert.match(list.headers.get('vary') ?? '', /Fogbow-User-Token/)
})

test('quotas have the names of older clients too, at both paths', async (t) => {
  const edge = await startTestEdge(t)
  for (const path of ['/ras/quota/p/c', '/ras/computes/quota/p/c', '/fns/computes/quota/p/c']) {
    const quota = (await (await edge.fetch(path, { headers: token })).json()) as {
      usedQuota: Record<string, number>
    }
    assert.deepEqual([quota.usedQuota.storages, quota.usedQuota.fips], [10, 3], path)
  }
})

test('a compute under /fns may be wrapped or bare', async (t) => {
  const edge = await startTestEdge(t)
  await edge.post('/fns/computes', '{"compute":{"imageId":"i1"},"federatedNetworkId":""}')
  await edge.post('/fns/computes', '{"imageId":"i2"}')
  assert.deepEqual(
    edge.calls.map(({ args }) => args[2]),
    [{ imageId: 'i1' }, { imageId: 'i2' }],
  )
})

test('a compute in a federated network is refused instead of ordered without it', async (t) => {
  const edge = await startTestEdge(t)
  const body = '{"compute":{"imageId":"i1"},"federatedNetworkId":"n1"}'
  const response = await edge.post('/fns/computes', body)
  assert.equal(response.status, 501)
  assert.equal((await errorOf(response)).field, 'federatedNetworkId')
  assert.ok(!edge.calls.some(({ operation }) => operation === 'createOrder'))
})

test('what is not built names the way that is', async (t) => {
  const edge = await startTestEdge(t)
  const network = await edge.post('/fns/federatedNetworks', '{"name":"n"}')
  assert.equal(network.status, 501)
  assert.match((await errorOf(network)).message, /\/fns\/networks/)
  const member = await edge.post('/ms/admin/provider', '{"provider":"p"}')
  assert.equal(member.status, 501)
  assert.match((await errorOf(member)).message, /fogbow\.config\.ts/)
})

test('federated networks are told to nobody without a good token', async (t) => {
  const edge = await startTestEdge(t)
  edge.answer('answerTo', async () => {
    throw new FogbowError('unauthenticated', 'No token')
  })
  for (const path of ['/fns/federatedNetworks/status', '/fns/federatedNetworks/x', '/fns/services'])
    assert.equal((await edge.fetch(path)).status, 401, path)
})

test('actions on all computes of a user name the user', async (t) => {
  const edge = await startTestEdge(t)
  await edge.post('/ras/computes/hibernate/ana/idp.site-a', '{}')
  assert.deepEqual(edge.calls[0]?.args.slice(1), [
    'compute',
    'hibernate',
    { id: 'ana', identityProviderId: 'idp.site-a' },
  ])
})

test('pages of any origin may call the API, without credentials and on errors too', async (t) => {
  const edge = await startTestEdge(t)
  const headers = { ...token, Origin: 'https://gui.example' }
  for (const path of ['/ras/clouds', '/ras/nothing']) {
    const response = await edge.fetch(path, { headers })
    assert.equal(response.headers.get('access-control-allow-origin'), '*', path)
    assert.equal(response.headers.get('access-control-allow-credentials'), null)
    assert.match(response.headers.get('access-control-expose-headers') ?? '', /ETag, Link/)
  }
})

test('a preflight is answered without a token, for the methods of the path only', async (t) => {
  const edge = await startTestEdge(t)
  const preflight = (path: string, method: string) =>
    edge.fetch(path, {
      method: 'OPTIONS',
      headers: {
        Origin: 'https://gui.example',
        'Access-Control-Request-Method': method,
        'Access-Control-Request-Headers': 'content-type,fogbow-user-token',
      },
    })
  const good = await preflight('/fns//computes/x/', 'DELETE')
  assert.equal(good.status, 200)
  assert.equal(await good.text(), '')
  assert.equal(good.headers.get('access-control-allow-methods'), 'GET, DELETE')
  assert.equal(good.headers.get('access-control-allow-headers'), 'content-type,fogbow-user-token')
  assert.equal(good.headers.get('access-control-max-age'), '1800')
  assert.equal((await preflight('/fns/computes/x', 'PUT')).status, 403)
  assert.equal((await preflight('/fns/nothing', 'GET')).status, 404)
  assert.equal(edge.calls.length, 0)
})

test('with a list of origins, others get no permission', async (t) => {
  const edge = await startTestEdge(t, { corsOrigins: ['https://gui.example'] })
  const ask = (origin: string, method = 'GET') =>
    edge.fetch('/ms/members', {
      method,
      headers: { Origin: origin, 'Access-Control-Request-Method': 'GET' },
    })
  const allowed = await ask('https://gui.example')
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://gui.example')
  assert.match(allowed.headers.get('vary') ?? '', /Origin/)
  const other = await ask('https://evil.example')
  assert.equal(other.headers.get('access-control-allow-origin'), null)
  assert.equal((await ask('https://evil.example', 'OPTIONS')).status, 403)
})

test('a user beyond the limit waits, others do not, and the next minute is a new one', async (t) => {
  const edge = await startTestEdge(t, { requestsPerMinute: 2 })
  const ask = (value: string) =>
    edge.fetch('/ras/clouds', { headers: { 'Fogbow-User-Token': value } })
  const statuses = [await ask('a'), await ask('a'), await ask('a'), await ask('b')]
  assert.deepEqual(
    statuses.map(({ status }) => status),
    [200, 200, 429, 200],
  )
  assert.equal(statuses[2]?.headers.get('retry-after'), '60')
  edge.advance(60_000)
  assert.equal((await ask('a')).status, 200)
})

test('an address has so many logins at a provider as it has requests, and pages without limit', async (t) => {
  const edge = await startTestEdge(t, { requestsPerMinute: 2 })
  const visit = async (path: string) => {
    const { status } = await edge.fetch(path, { redirect: 'manual' })
    return status === 429
  }
  const begin = '/as/login/science'
  assert.deepEqual(
    [await visit(begin), await visit(begin), await visit(begin)],
    [false, false, true],
  )
  assert.equal(await visit('/as/login'), false)
})

test('made-up tokens are limited together, and do not hold up a good one', async (t) => {
  const edge = await startTestEdge(t, { requestsPerMinute: 3 })
  edge.answer('listClouds', async (context: RequestContext) => {
    if (context.tokenValue !== 'good') throw new FogbowError('unauthenticated', 'No such token')
    return { clouds: [] }
  })
  const ask = async (value: string) =>
    (await edge.fetch('/ras/clouds', { headers: { 'Fogbow-User-Token': value } })).status
  assert.equal(await ask('good'), 200)
  assert.deepEqual([await ask('1'), await ask('2'), await ask('3')], [401, 401, 401])
  assert.equal(await ask('4'), 429)
  assert.equal(await ask('good'), 200)
})

test('no limit is no limit', async (t) => {
  const edge = await startTestEdge(t, { requestsPerMinute: 0 })
  for (let i = 0; i < 20; i++)
    assert.equal((await edge.fetch('/ras/clouds', { headers: token })).status, 200)
})

test('who failed to log in too often is told when to come back', async (t) => {
  const edge = await startTestEdge(t)
  edge.answer('createToken', async () => {
    const details = { retryAfterSeconds: 8 }
    throw new FogbowError('too_many_requests', 'Too many failed log-ins. Try again in 8 s', {
      details,
    })
  })
  const response = await edge.post('/as/tokens', '{"credentials":{"username":"ana"}}')
  assert.equal(response.status, 429)
  assert.equal(response.headers.get('retry-after'), '8')
})

test('an idempotency key that no store could hold is refused by name', async (t) => {
  const edge = await startTestEdge(t)
  const response = await edge.post('/ras/networks', '{}', { 'Idempotency-Key': 'k'.repeat(256) })
  assert.equal(response.status, 400)
  assert.equal((await errorOf(response)).field, 'Idempotency-Key')
  assert.equal(edge.calls.length, 0)
})

test('behind a proxy the last address of X-Forwarded-For counts, otherwise none of them', async (t) => {
  const address = async (trustProxy: boolean) => {
    const edge = await startTestEdge(t, { trustProxy })
    await edge.fetch('/ras/clouds', {
      headers: { ...token, 'X-Forwarded-For': '6.6.6.6, 10.0.0.9' },
    })
    return contextOf(edge).remoteAddress
  }
  assert.equal(await address(true), '10.0.0.9')
  assert.equal(await address(false), '127.0.0.1')
})

test('the log has one line for a request, with its route and without token, ids or query', async (t) => {
  const edge = await startTestEdge(t)
  await edge.fetch('/ras/computes/some-id?limit=7', { headers: token })
  await edge.fetch('/healthz')
  const lines = edge.logLines.filter(({ level }) => level === 30)
  assert.equal(lines.length, 1)
  const { requestId, method, route, status, ms } = lines[0] ?? {}
  assert.deepEqual([method, route, status], ['GET', '/ras/computes/{id}', 200])
  assert.equal(typeof requestId, 'string')
  assert.equal(typeof ms, 'number')
  assert.doesNotMatch(JSON.stringify(lines), /secret-token|some-id|limit/)
})

test('metrics see the template of the route, and are served', async (t) => {
  const seen: unknown[] = []
  const edge = await startTestEdge(t, {
    metrics: {
      observe: (route, method, status) => seen.push([route, method, status]),
      text: async () => 'fogbow_up 1\n',
    },
  })
  await edge.fetch('/ras/volumes/x', { headers: token })
  await edge.fetch('/nowhere')
  assert.deepEqual(seen, [
    ['/ras/volumes/{id}', 'GET', 200],
    ['none', 'GET', 404],
  ])
  const response = await edge.fetch('/metrics')
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  assert.equal(await response.text(), 'fogbow_up 1\n')
})

test('a site that is not ready is alive and says what is missing', async (t) => {
  const isReady = () => ({ ready: false, reasons: ['cloud c1: its plugin is starting'] })
  const edge = await startTestEdge(t, { isReady })
  assert.equal((await edge.fetch('/healthz')).status, 200)
  const response = await edge.fetch('/readyz')
  assert.equal(response.status, 503)
  assert.match((await errorOf(response)).message, /cloud c1: its plugin is starting/)
})

test('closing lets a running request finish and takes no new one', async (t) => {
  const edge = await startTestEdge(t)
  const started = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  edge.answer('listClouds', async () => {
    started.resolve()
    await release.promise
    return { clouds: ['c1'] }
  })
  const running = edge.fetch('/ras/clouds', { headers: token })
  await started.promise
  const closed = edge.close()
  await assert.rejects(edge.fetch('/ms/members'))
  release.resolve()
  assert.deepEqual(await (await running).json(), { clouds: ['c1'] })
  await closed
})

test('closing ends what does not finish within the time allowed', async (t) => {
  const edge = await startTestEdge(t, { closeTimeoutMs: 1 })
  const started = Promise.withResolvers<void>()
  edge.answer('listClouds', () => {
    started.resolve()
    return new Promise(() => {})
  })
  const running = edge.fetch('/ras/clouds', { headers: token })
  await started.promise
  const refused = assert.rejects(running)
  await edge.close()
  await refused
})

test('an operation learns that its client has gone', async (t) => {
  const edge = await startTestEdge(t)
  const aborted = Promise.withResolvers<void>()
  let request: ClientRequest | undefined
  edge.answer('listClouds', (context: RequestContext) => {
    context.signal.addEventListener('abort', () => aborted.resolve(), { once: true })
    request?.destroy()
    return aborted.promise
  })
  request = httpRequest(`${edge.url}/ras/clouds`, { headers: token })
  request.on('error', () => {})
  request.end()
  await aborted.promise
  assert.equal(edge.calls[0]?.operation, 'listClouds')
})

test('what is not HTTP, and a token beyond all limits, are answered like other errors', async (t) => {
  const edge = await startTestEdge(t)
  const answerTo = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(edge.url).port), '127.0.0.1')
      let answer = ''
      socket.on('data', (chunk) => {
        answer += chunk
      })
      socket.on('close', () => resolve(answer))
      socket.write(text)
    })
  assert.match(await answerTo('HELLO\r\n\r\n'), /^HTTP\/1\.1 400 .*"message":/s)
  const huge = `GET / HTTP/1.1\r\nHost: x\r\nFogbow-User-Token: ${'x'.repeat(20_000)}\r\n\r\n`
  assert.match(await answerTo(huge), /^HTTP\/1\.1 431 .*"message":/s)
})

test('a port that is taken is named together with what to do', async (t) => {
  const edge = await startTestEdge(t)
  const other = await import('./server.ts')
  const server = other.createHttpServer(() => {}, 1)
  await assert.rejects(
    server.listen(Number(new URL(edge.url).port), '127.0.0.1'),
    /Cannot listen at 127\.0\.0\.1:\d+: another program listens there; set PORT/,
  )
})
