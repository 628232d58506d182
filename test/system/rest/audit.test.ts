import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer, Client } from '../support/client.ts'
import { createWorld, requests, runSite, type World } from './run-site.ts'

const SITE = 'site-a.test'
const CLOUD = 'emulated'
let world: World
let ana: Client

const site = runSite(undefined, async ({ user }) => {
  ana = await user('ana')
  world = await createWorld(ana)
})

interface Entry {
  requestId: string
  operation: string
  resourceType: string
  userId: string | null
  identityProviderId: string | null
  cloudName: string | null
  orderId: string | null
  provider: string
  requester: string
  response: string
  timestamp: string
}

let requestNumber = 0

/** A request under an id of its own. */
async function traced(
  client: Client,
  method: string,
  path: string,
  body?: unknown,
  token?: string | null,
): Promise<{ requestId: string; answer: Answer }> {
  const requestId = `traced-${++requestNumber}`
  const options = { headers: { 'X-Request-Id': requestId }, ...(token !== undefined && { token }) }
  return { requestId, answer: await client.call(method, path, body, options) }
}

async function recordsOf(requestId: string): Promise<Entry[]> {
  const { body } = await site.admin.get('/ras/admin/audit?limit=1000')
  return (body as Entry[]).filter((entry) => entry.requestId === requestId)
}

/** Answer → what the record says of it. */
function responseIn({ status, body }: Answer): string {
  return status < 400 ? 'ok' : (body as { code: string }).code
}

test('each operation leaves one record that says who did what with which order and what came of it', async () => {
  const place = `${SITE}/${CLOUD}`
  const rules = `/ras/networks/${world.network}/securityRules`
  const rule = { direction: 'IN', protocol: 'TCP', cidr: '0.0.0.0/0' }
  const calls: [string, string, unknown, string, string, string | null][] = [
    ['GET', '/ras/computes/status', undefined, 'getAll', 'COMPUTE', null],
    ['GET', `/ras/computes/${world.compute}`, undefined, 'get', 'COMPUTE', world.compute],
    ['GET', `/ras/volumes/${world.volume}`, undefined, 'get', 'VOLUME', world.volume],
    ['GET', `/ras/publicIps/${world.publicIp}`, undefined, 'get', 'PUBLIC_IP', world.publicIp],
    ['GET', `/ras/computes/allocation/${place}`, undefined, 'getUserAllocation', 'COMPUTE', null],
    ['GET', '/ras/clouds', undefined, 'getAll', 'CLOUD_NAME', null],
    ['GET', `/ras/images/${place}`, undefined, 'getAll', 'IMAGE', null],
    ['GET', `/ras/images/${place}/debian-12`, undefined, 'get', 'IMAGE', null],
    ['GET', `/ras/specs/${place}`, undefined, 'getAll', 'SPEC', null],
    ['GET', `/ras/quota/${place}`, undefined, 'get', 'QUOTA', null],
    ['POST', rules, rule, 'create', 'SECURITY_RULE', world.network],
    ['GET', rules, undefined, 'getAll', 'SECURITY_RULE', world.network],
    ['DELETE', `${rules}/none`, undefined, 'delete', 'SECURITY_RULE', world.network],
    ['POST', `/ras/computes/${world.compute}/resume`, {}, 'resume', 'COMPUTE', world.compute],
    [
      'POST',
      `/ras/computes/${world.compute}/snapshot`,
      {},
      'takeSnapshot',
      'COMPUTE',
      world.compute,
    ],
    ['DELETE', `/ras/computes/${world.compute}`, undefined, 'delete', 'COMPUTE', world.compute],
    ['POST', '/ras/volumes', { size: 0 }, 'create', 'VOLUME', null],
    ['POST', '/ras/admin/reload', undefined, 'reload', 'CONFIGURATION', null],
    ['POST', '/ras/admin/policy', { policy: '{}' }, 'setPolicy', 'POLICY', null],
    ['POST', `/ras/computes/stop/admin/${SITE}`, undefined, 'stopAll', 'COMPUTE', null],
    ['DELETE', `/ras/admin/purge/admin/${SITE}`, undefined, 'purge', 'USER', null],
  ]
  for (const [method, path, body, operation, resourceType, orderId] of calls) {
    const { requestId, answer } = await traced(ana, method, path, body)
    const [entry, ...more] = await recordsOf(requestId)
    const what = `${method} ${path}: ${answer.status}`
    assert.ok(entry, what)
    assert.equal(more.length, 0, what)
    assert.deepEqual(
      {
        operation: entry.operation,
        resourceType: entry.resourceType,
        orderId: entry.orderId,
        response: entry.response,
        userId: entry.userId,
        identityProviderId: entry.identityProviderId,
        provider: entry.provider,
        requester: entry.requester,
      },
      {
        operation,
        resourceType,
        orderId,
        response: responseIn(answer),
        userId: 'ana',
        identityProviderId: SITE,
        provider: SITE,
        requester: SITE,
      },
      what,
    )
    assert.ok(Math.abs(Date.parse(entry.timestamp) - Date.now()) < 60_000)
  }
})

test('what was made is in its record, and its own history and audit can be read by its id', async () => {
  const { requestId, answer } = await traced(ana, 'POST', '/ras/volumes', requests.volume)
  const { id } = answer.body as { id: string }
  const [entry] = await recordsOf(requestId)
  assert.equal(entry?.orderId, id)
  assert.equal(entry?.cloudName, CLOUD)
  await ana.until(`/ras/volumes/${id}`, 'READY')
  const { body } = await site.admin.get(`/ras/admin/audit?orderId=${id}`)
  assert.ok((body as Entry[]).length >= 2)
  for (const { orderId } of body as Entry[]) assert.equal(orderId, id)
  const { body: history } = await ana.get(`/ras/volumes/${id}/history`)
  const states = (history as { state: string }[]).map(({ state }) => state)
  assert.deepEqual(states, ['OPEN', 'SELECTED', 'SPAWNING', 'FULFILLED'])
  await ana.delete(`/ras/volumes/${id}`)
})

test('the record of a refused request says who was refused, and of an unknown caller that he is unknown', async () => {
  const ben = await site.user('ben')
  const path = `/ras/volumes/${world.volume}`
  const foreign = await traced(ben, 'DELETE', path)
  assert.equal(foreign.answer.status, 403)
  const [denied] = await recordsOf(foreign.requestId)
  assert.deepEqual(
    [denied?.userId, denied?.response, denied?.orderId],
    ['ben', 'unauthorized', world.volume],
  )
  for (const token of [null, 'made-up']) {
    const unknown = await traced(ben, 'DELETE', path, undefined, token)
    assert.equal(unknown.answer.status, 401)
    const [entry] = await recordsOf(unknown.requestId)
    assert.deepEqual([entry?.userId, entry?.response], [null, 'unauthenticated'])
  }
})

test('a login is recorded with its user name, whether it succeeds or not, and never with its password', async () => {
  const attempts = [
    ['ana', 'a-password-of-a-user', 201, 'ok'],
    ['ana', 'a-wrong-password-9731', 401, 'unauthenticated'],
    ['nobody', 'a-wrong-password-9731', 401, 'unauthenticated'],
  ] as const
  for (const [username, password, status, response] of attempts) {
    const body = { credentials: { username, password } }
    const { requestId, answer } = await traced(ana, 'POST', '/as/tokens', body, null)
    assert.equal(answer.status, status)
    const [entry, ...more] = await recordsOf(requestId)
    assert.equal(more.length, 0)
    assert.deepEqual(
      [entry?.operation, entry?.userId, entry?.response],
      ['login', username, response],
    )
  }
  const { body } = await site.admin.get('/ras/admin/audit?limit=1000')
  assert.doesNotMatch(JSON.stringify(body), /password/)
})

test('every route that needs a token leaves exactly one record of each request, whatever came of it', async () => {
  const { body } = await site.admin.get('/openapi.json')
  const { paths } = body as {
    paths: Record<string, Record<string, { security: unknown[]; requestBody?: object }>>
  }
  const made: { requestId: string; answer: Answer; what: string }[] = []
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { security, requestBody }] of Object.entries(methods)) {
      if (security.length === 0 || path === '/as/tokens') continue
      const url = path
        .replace('{provider}', SITE)
        .replace('{cloud}', CLOUD)
        .replace(/\{\w+\}/g, 'none')
      const what = `${method.toUpperCase()} ${url}`
      made.push({ what, ...(await traced(ana, method.toUpperCase(), url, requestBody && {})) })
    }
  }
  assert.ok(made.length > 80)
  const { body: all } = await site.admin.get('/ras/admin/audit?limit=1000')
  for (const { requestId, answer, what } of made) {
    const records = (all as Entry[]).filter((entry) => entry.requestId === requestId)
    assert.equal(records.length, 1, `${what}: ${answer.status}`)
    assert.equal(records[0]?.userId, 'ana', what)
    assert.equal(records[0]?.response, responseIn(answer), what)
  }
})

test('the records survive a kill of the site once they were read', async () => {
  const { requestId } = await traced(ana, 'GET', '/ras/clouds')
  assert.equal((await recordsOf(requestId)).length, 1)
  await site.killAndRestart()
  assert.equal((await recordsOf(requestId)).length, 1)
})
