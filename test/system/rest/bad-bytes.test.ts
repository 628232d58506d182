import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { clear, createWorld, ordersOf, requests, runSite, type World } from './run-site.ts'

const FUZZED_BODIES = 600
const FUZZED_CONNECTIONS = 40
let world: World

const site = runSite(undefined, async ({ admin }) => {
  world = await createWorld(admin)
})

interface Raw {
  status: number
  text: string
}

async function send(
  path: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Raw> {
  const response = await fetch(site.process.url + path, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Fogbow-User-Token': site.admin.token ?? '',
      ...headers,
    },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  })
  return { status: response.status, text: await response.text() }
}

function assertHonest({ status, text }: Raw, what: string, ...also: number[]): void {
  const told = `${what.slice(0, 300)}: ${status} ${text.slice(0, 300)}`
  assert.ok(status < 500 || also.includes(status), told)
  assert.doesNotMatch(text, /\n\s+at |\.ts:\d|node:internal|SQLITE|kysely/i, told)
  if (status >= 400) {
    const { message, code, requestId } = JSON.parse(text) as Record<string, string>
    assert.ok(message && code && requestId, told)
    assert.ok(message.length < 1100, told)
  }
}

test('JSON with a mistake is refused with 400 that says where the mistake is', async () => {
  const before = await ordersOf(site.admin)
  const wrong: [string, RegExp][] = [
    ['{', /line 1, column 2/],
    ['{"size": 1,}', /line 1, column 12/],
    ['{"size": 1}{"size": 1}', /line 1, column 12/],
    ["{'size': 1}", /line 1, column 2/],
    ['{\n  "size": 01\n}', /line 2/],
    ['{"name": "a\nb"}', /line 1/],
    ['{"size": NaN}', /line 1, column 10/],
    ['[]', /JSON object/],
    ['"text"', /JSON object/],
    ['1', /JSON object/],
    ['true', /JSON object/],
  ]
  for (const [text, place] of wrong) {
    const answer = await send('/ras/volumes', text)
    assert.equal(answer.status, 400, text)
    assert.match(JSON.parse(answer.text).message, place, text)
  }
  const invalidText = await send('/ras/volumes', new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]))
  assert.equal(invalidText.status, 400)
  assert.match(JSON.parse(invalidText.text).message, /UTF-8/)
  assert.deepEqual(await ordersOf(site.admin), before)
})

test('a body of another type or encoding is refused with 415', async () => {
  const types = [
    'text/plain',
    'text/xml',
    'multipart/form-data; boundary=x',
    'application/json; charset=latin1',
    'application/octet-stream',
    'json',
  ]
  for (const type of types) {
    const answer = await send('/ras/volumes', '{"size": 1}', { 'Content-Type': type })
    assert.equal(answer.status, 415, type)
    assertHonest(answer, type)
  }
  const packed = await send('/ras/volumes', '{"size": 1}', { 'Content-Encoding': 'gzip' })
  assert.equal(packed.status, 415)
})

test('a body beyond the limit is refused with 413, however it is sent', async () => {
  const large = JSON.stringify({ size: 1, name: 'x'.repeat(2 * 1024 * 1024) })
  const answer = await send('/ras/volumes', large)
  assert.equal(answer.status, 413)
  assertHonest(answer, 'large body')
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(large))
      controller.close()
    },
  })
  const response = await fetch(`${site.process.url}/ras/volumes`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Fogbow-User-Token': site.admin.token ?? '' },
    body: stream,
    duplex: 'half',
  } as RequestInit)
  assert.equal(response.status, 413)
  await response.text()
})

test('a body nested very deeply is refused or read without harm', async () => {
  const depth = 200_000
  const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`
  const bodies: [string, string][] = [
    ['/ras/computes', `{"other": ${deep}}`],
    ['/ras/computes', `{"imageId": ${deep}}`],
    ['/ras/computes', `{"imageId": "x", "requirements": {"a": ${deep}}}`],
    ['/ras/computes', `{"imageId": "x", "userData": ${deep}}`],
    ['/fns/computes', `{"compute": ${deep}}`],
    ['/as/tokens', `{"credentials": ${deep}}`],
    ['/ras/admin/policy', `{"policy": ${deep}}`],
    ['/ms/authorized/target', `{"provider": ${deep}}`],
    [`/ras/computes/${world.compute}/snapshot`, `{"name": ${deep}}`],
  ]
  for (const [path, body] of bodies) {
    const answer = await send(path, body, {
      'Idempotency-Key': `deep ${path} ${body.slice(0, 40)}`,
    })
    assert.equal(answer.status, 400, `${path}: ${answer.text.slice(0, 200)}`)
    assertHonest(answer, path)
  }
})

test('no body that can be made up is answered with a 5xx or a stack, and only what was acknowledged is made', async () => {
  const before = await ordersOf(site.admin)
  const bodies: Record<string, object> = {
    '/ras/computes': requests.compute,
    '/fns/computes': { compute: requests.compute },
    '/ras/volumes': requests.volume,
    '/ras/networks': requests.network,
    '/ras/attachments': { computeId: world.compute, volumeId: world.volume, device: '/dev/sdx' },
    '/ras/publicIps': { computeId: world.compute },
    [`/ras/networks/${world.network}/securityRules`]: {
      direction: 'IN',
      protocol: 'TCP',
      cidr: '0.0.0.0/0',
    },
    [`/ras/computes/${world.compute}/snapshot`]: { name: 'x' },
    '/ras/admin/policy': { policy: '{}' },
    '/ms/authorized/target': { provider: 'x' },
    '/fns/federatedNetworks': { name: 'x' },
  }
  const path = fc.constantFrom(...Object.keys(bodies))
  const anything = fc.jsonValue({ maxDepth: 4 })
  const changed = path.chain((to) => {
    const good = (bodies[to] ?? {}) as Record<string, unknown>
    return fc
      .dictionary(
        fc.constantFrom(
          ...Object.keys(good),
          'provider',
          'cloudName',
          'name',
          'userData',
          'requirements',
          'networkIds',
          'gateway',
        ),
        anything,
        { maxKeys: 3 },
      )
      .map((change) => ({ to, body: JSON.stringify({ ...good, ...change }) }))
  })
  const request = fc.oneof(
    { weight: 4, arbitrary: changed },
    { weight: 2, arbitrary: fc.record({ to: path, body: fc.json({ maxDepth: 6 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ to: path, body: fc.string({ unit: 'binary', maxLength: 200 }) }),
    },
    { weight: 1, arbitrary: fc.record({ to: path, body: fc.uint8Array({ maxLength: 200 }) }) },
  )
  const acknowledged: string[] = []
  const property = fc.asyncProperty(request, async ({ to, body }) => {
    const answer = await send(to, body)
    assertHonest(
      answer,
      `POST ${to} ${body}`,
      ...(to === '/fns/federatedNetworks' || to === '/fns/computes' ? [501] : []),
    )
    const isOrder = /^\/(ras|fns)\/\w+$/.test(to)
    if (answer.status === 201 && isOrder) acknowledged.push(JSON.parse(answer.text).id)
  })
  await fc.assert(property, { numRuns: FUZZED_BODIES, endOnFailure: true })
  assert.deepEqual(await ordersOf(site.admin), [...before, ...acknowledged].sort())
  assert.ok(acknowledged.length > 0)
})

test('whatever was made of odd bodies can be deleted again', async () => {
  await clear(site.admin)
  assert.deepEqual(await ordersOf(site.admin), [])
})

/** Sends bytes over a connection of their own; answers what comes back until it is closed. */
async function exchange(bytes: Uint8Array): Promise<string> {
  const { hostname, port } = new URL(site.process.url)
  const socket = connect(Number(port), hostname)
  socket.setTimeout(5000, () => socket.destroy())
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  socket.end(bytes)
  await once(socket, 'close')
  return answer
}

test('bytes that are no HTTP get a 400 or a closed connection, and the site goes on', async () => {
  const property = fc.asyncProperty(
    fc.uint8Array({ minLength: 1, maxLength: 500 }),
    async (bytes) => {
      const answer = await exchange(bytes)
      if (answer !== '') assert.match(answer, /^HTTP\/1\.1 4\d\d /)
    },
  )
  await fc.assert(property, { numRuns: FUZZED_CONNECTIONS, endOnFailure: true })
  assert.equal((await site.admin.get('/ras/clouds')).status, 200)
})

const token = () => `Fogbow-User-Token: ${site.admin.token}\r\n`

test('a body shorter than it says it is makes nothing', async () => {
  const before = await ordersOf(site.admin)
  const text = `POST /ras/volumes HTTP/1.1\r\nHost: x\r\n${token()}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"size": 1}`
  await exchange(new TextEncoder().encode(text))
  assert.deepEqual(await ordersOf(site.admin), before)
})

test('a request that two servers could read differently is refused with 400', async () => {
  const before = await ordersOf(site.admin)
  const body = '{"size": 1}'
  const both = `Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n`
  const twice = `Content-Length: ${body.length}\r\nContent-Length: 5\r\n`
  for (const lengths of [both, twice]) {
    const text = `POST /ras/volumes HTTP/1.1\r\nHost: x\r\n${token()}Content-Type: application/json\r\n${lengths}\r\n${body}`
    assert.match(await exchange(new TextEncoder().encode(text)), /^HTTP\/1\.1 400 /)
  }
  assert.deepEqual(await ordersOf(site.admin), before)
})

test('headers beyond the limit are refused with 431 and a path beyond it with a 4xx', async () => {
  const { status, body } = await site.admin.get('/ras/clouds', {
    headers: { 'X-Long': 'x'.repeat(64 * 1024) },
  })
  assert.equal(status, 431)
  assert.equal(typeof (body as { message: unknown }).message, 'string')
  const long = await site.admin.get(`/ras/${'a/'.repeat(4000)}`)
  assert.equal(long.status, 404)
  const longer = await site.admin.get(`/ras/computes/${'x'.repeat(64 * 1024)}`)
  assert.ok(longer.status === 431 || longer.status === 414, String(longer.status))
})

test('methods and targets that are not meant for a server are refused', async () => {
  const lines = [
    'CONNECT example.com:443 HTTP/1.1',
    'TRACE /ras/clouds HTTP/1.1',
    'GET http://example.com/ras/clouds HTTP/1.1',
    'GET /../../etc/passwd HTTP/1.1',
    'GET //example.com/%2e%2e HTTP/1.1',
    'PROPFIND / HTTP/1.1',
  ]
  for (const line of lines) {
    const answer = await exchange(
      new TextEncoder().encode(`${line}\r\nHost: x\r\nConnection: close\r\n\r\n`),
    )
    if (answer !== '') assert.match(answer, /^HTTP\/1\.1 4\d\d /, line)
    assert.doesNotMatch(answer, /root:/)
  }
  assert.equal((await site.admin.get('/ras/clouds')).status, 200)
})

test('none of it left a stack or a defect in the log', () => {
  assert.doesNotMatch(site.process.output, /request failed|internal_error|"level":"(error|fatal)"/)
})
