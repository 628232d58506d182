import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { Answer, Client } from '../support/client.ts'
import { ADMIN_PASSWORD, siteConfig } from '../support/site-process.ts'
import { clear, createWorld, requests, runSite, type World } from './run-site.ts'

const SITE = 'site-a.test'
const CLOUD = 'emulated'
const unknownId = '00000000-0000-4000-8000-000000000000'

type Schema = Record<string, unknown>
interface Operation {
  operationId: string
  security: unknown[]
  parameters: { name: string; in: string }[]
  requestBody?: { content: { 'application/json': { schema: Schema } } }
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>
}
interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

let document: Document
let world: World
let ajv: Ajv2020

// Nobody listens there: what needs a registry says so.
const env = { npm_config_registry: 'http://127.0.0.1:9/' }
const site = runSite({ config: siteConfig(), env }, async ({ admin }) => {
  document = (await admin.get('/openapi.json', { token: null })).body as Document
  ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'openapi', ...(closed(document) as object) })
  world = await createWorld(admin)
})

/** The same schemas, allowing no property that is not documented. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, closed(inner)])
  const result = Object.fromEntries(entries)
  const describesObject = 'properties' in value && 'type' in value && value.type === 'object'
  return describesObject ? { additionalProperties: false, ...result } : result
}

/** Fails when an answer is not what the document says of that status. */
function assertDocumented(path: string, method: string, answer: Answer): void {
  const what = `${method.toUpperCase()} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`
  const response = operationAt(path, method).responses[answer.status]
  assert.ok(response, `${what} is not a documented status`)
  assert.ok(answer.headers.get('x-request-id'), `${what} has no request id`)
  const type = answer.headers.get('content-type')
  if (!response.content) {
    assert.equal(answer.body, undefined, `${what} is documented as empty`)
    assert.equal(type, null, what)
    return
  }
  assert.match(type ?? '', /^application\/json/, what)
  const pointer = [
    path,
    method,
    'responses',
    String(answer.status),
    'content',
    'application/json',
    'schema',
  ]
    .map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/')
  const validate = ajv.getSchema(`openapi#/paths/${pointer}`)
  assert.ok(validate, what)
  assert.ok(validate(answer.body), `${what}: ${ajv.errorsText(validate.errors)}`)
}

function operationAt(path: string, method: string): Operation {
  const operation = document.paths[path]?.[method]
  assert.ok(operation, `${method} ${path} is not documented`)
  return operation
}

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )

/** What a route is called with: values of its placeholders and a body. */
interface Example {
  params?: Record<string, string>
  body?: unknown
  /** Of another user than the administrator of the tests. */
  client?: Client
  /** What this site answers, where that is no success. */
  status?: number
}

/** A compute in that state, made for one call. */
async function computeIn(state: string, ...path: string[]): Promise<string> {
  const id = await site.admin.create('/ras/computes', requests.compute)
  await site.admin.until(`/ras/computes/${id}`, 'READY')
  for (const action of path) await site.admin.post(`/ras/computes/${id}/${action}`)
  await site.admin.until(`/ras/computes/${id}`, state)
  return id
}

async function made(path: string, body: unknown): Promise<string> {
  const id = await site.admin.create(`/ras/${path}`, body)
  await site.admin.until(`/ras/${path}/${id}`, 'READY')
  return id
}

async function ruleOf(parent: string): Promise<string> {
  return site.admin.create(`/ras/${parent}/securityRules`, rule)
}

async function loggedIn(): Promise<Client> {
  const client = site.process.client()
  await client.login('admin', ADMIN_PASSWORD)
  return client
}

const rule = { direction: 'IN', protocol: 'TCP', portFrom: 22, portTo: 22, cidr: '0.0.0.0/0' }
const federated = { name: 'fed', cidr: '10.0.0.0/24', providers: [SITE] }
const volumeFor = () => made('volumes', requests.volume)

/** Operation, its place under `/ras` or `/fns` apart → real data to call it with. */
const examples: Record<string, () => Promise<Example> | Example> = {
  createToken: () => ({ body: { credentials: { username: 'admin', password: ADMIN_PASSWORD } } }),
  revokeToken: async () => ({ client: await loggedIn() }),
  // Its users have passwords; what a site with a provider answers is tested with that.
  beginDeviceLogin: () => ({ params: { source: 'nobody' }, status: 404 }),
  pollDeviceLogin: () => ({
    params: { source: 'nobody' },
    body: { handle: 'made-up' },
    status: 401,
  }),
  createCompute: () => ({ body: requests.compute }),
  createVolume: () => ({ body: requests.volume }),
  createNetwork: () => ({ body: requests.network }),
  createAttachment: async () => ({
    body: { computeId: world.compute, volumeId: await volumeFor() },
  }),
  createPublicIp: () => ({ body: { computeId: world.compute } }),
  // This site is in none.
  examineFederation: () => ({ status: 404 }),
  deleteCompute: async () => ({ params: { id: await computeIn('READY') } }),
  deleteVolume: async () => ({ params: { id: await volumeFor() } }),
  deleteNetwork: async () => ({ params: { id: await made('networks', requests.network) } }),
  deleteAttachment: async () => {
    const body = { computeId: world.compute, volumeId: await volumeFor() }
    return { params: { id: await made('attachments', body) } }
  },
  deletePublicIp: async () => ({
    params: { id: await made('publicIps', { computeId: world.compute }) },
  }),
  createNetworkSecurityRule: () => ({ params: { id: world.network }, body: rule }),
  createPublicIpSecurityRule: () => ({ params: { id: world.publicIp }, body: rule }),
  listNetworkSecurityRules: async () => {
    await ruleOf(`networks/${world.network}`)
    return { params: { id: world.network } }
  },
  listPublicIpSecurityRules: async () => {
    await ruleOf(`publicIps/${world.publicIp}`)
    return { params: { id: world.publicIp } }
  },
  deleteNetworkSecurityRule: async () => ({
    params: { id: world.network, ruleId: await ruleOf(`networks/${world.network}`) },
  }),
  deletePublicIpSecurityRule: async () => ({
    params: { id: world.publicIp, ruleId: await ruleOf(`publicIps/${world.publicIp}`) },
  }),
  pauseCompute: async () => ({ params: { id: await computeIn('READY') } }),
  hibernateCompute: async () => ({ params: { id: await computeIn('READY') } }),
  stopCompute: async () => ({ params: { id: await computeIn('READY') } }),
  resumeCompute: async () => ({ params: { id: await computeIn('STOPPED', 'stop') } }),
  snapshotCompute: async () => ({
    params: { id: await computeIn('PAUSED', 'pause') },
    body: { name: 'documented' },
  }),
  getImage: () => ({ params: { id: 'debian-12' } }),
  getSpec: () => ({ params: { id: 'medium' } }),
  setPolicy: () => ({ body: { policy: JSON.stringify(policy) } }),
  updatePolicy: () => ({ body: { policy: '{"users": {}}' } }),
  getPlugin: () => ({ params: { name: 'emulated' } }),
  restartPlugin: () => ({ params: { name: 'emulated' } }),
  getPluginReference: () => ({ params: { name: 'emulated' } }),
  checkPluginSettings: () => ({ params: { instance: 'emulated' } }),
  describePackage: () => ({ params: { name: 'some-plugin' }, status: 503 }),
  planChange: () => ({ body: { ...change, reason: 'documented' } }),
  getPlan: async () => ({ params: { id: await planned() } }),
  discardPlan: async () => ({ params: { id: await planned() } }),
  applyPlan: async () => ({ params: { id: await planned() }, body: { accept: [] } }),
  // Nothing is being tried out.
  decideTrial: () => ({ params: { plugin: 'emulated' }, body: { verdict: 'revert' }, status: 404 }),
  revokePackage: () => ({ body: revocation }),
  withdrawRevocation: () => ({ body: { package: 'bad-plugin', versions: '<2' } }),
  isAuthorizedTarget: () => ({ body: { provider: SITE } }),
  isAuthorizedRequester: () => ({ body: { provider: SITE } }),
  createFederatedNetwork: () => ({ body: federated }),
}

const revocation = { package: 'bad-plugin', versions: '<2', action: 'warn', reason: 'documented' }
const change = { action: 'configure', instance: 'emulated', settings: { config: {} } }

async function planned(): Promise<string> {
  const { body } = await site.admin.post('/ras/admin/marketplace/plans', change)
  return (body as { id: string }).id
}

const policy = {
  roles: {
    user: { rules: [{ effect: 'allow' }] },
    admin: { rules: [{ effect: 'allow', anyOwner: true }] },
  },
  defaultRole: 'user',
}

/** Ids of the world for the routes that only read. */
function idFor(path: string): string {
  const kinds: Record<string, string> = {
    computes: world.compute,
    volumes: world.volume,
    networks: world.network,
    attachments: world.attachment,
    publicIps: world.publicIp,
  }
  return kinds[path.split('/')[2] ?? ''] ?? unknownId
}

async function exampleOf({ path, operation }: { path: string; operation: Operation }) {
  const id = operation.operationId.replace(/^fns([A-Z])/, (_, first: string) => first.toLowerCase())
  const given = (await examples[id]?.()) ?? {}
  const params: Record<string, string> = {
    id: idFor(path),
    provider: SITE,
    cloud: CLOUD,
    userId: 'nobody',
    providerId: SITE,
    ...given.params,
  }
  const url = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    assert.ok(params[name], `no value for {${name}} of ${path}`)
    return encodeURIComponent(params[name])
  })
  return { url, body: given.body, client: given.client ?? site.admin, status: given.status }
}

test('every documented route answers the real thing with the status, headers and body that are documented', async () => {
  const failures: string[] = []
  for (const entry of operations()) {
    const { path, method, operation } = entry
    const { url, body, client, status: told } = await exampleOf(entry)
    const answer = await client.call(method.toUpperCase(), url, body)
    try {
      assertDocumented(path, method, answer)
      const good = Object.keys(operation.responses).filter((status) => Number(status) < 400)
      const expected = told ? [String(told)] : good.filter((status) => status !== '304')
      if (expected.length > 0)
        assert.deepEqual([String(answer.status)], expected, `${method} ${url}`)
      else assert.ok(answer.status === 501 || answer.status === 404, `${method} ${url}`)
    } catch (error) {
      failures.push((error as Error).message)
    }
  }
  assert.deepEqual(failures, [])
  assert.ok(operations().length > 80)
})

test('every route that needs a token says 401 without one, as documented', async () => {
  for (const entry of operations()) {
    const { path, method, operation } = entry
    const url = path.replace(/\{\w+\}/g, 'x')
    if (operation.security.length === 0) continue
    const body = operation.requestBody && {}
    const answer = await site.admin.call(method.toUpperCase(), url, body, { token: null })
    assert.equal(answer.status, 401, `${method} ${path}`)
    assert.ok(answer.headers.get('www-authenticate'))
    assertDocumented(path, method, answer)
  }
})

test('every route with a body refuses one that is not JSON with 400, and another type with 415, as documented', async () => {
  for (const { path, method, operation } of operations()) {
    if (!operation.requestBody) continue
    const url = path.replace(/\{\w+\}/g, 'x')
    const broken = await site.admin.call(method.toUpperCase(), url, undefined, { text: '{"a": ' })
    assert.equal(broken.status, 400, `${method} ${path}`)
    assertDocumented(path, method, broken)
    const form = { text: 'a=b', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }
    const other = await site.admin.call(method.toUpperCase(), url, undefined, form)
    assert.equal(other.status, 415, `${method} ${path}`)
    assertDocumented(path, method, other)
  }
})

test('every route with an order id says 404 for one that does not exist, as documented', async () => {
  for (const { path, method, operation } of operations()) {
    if (!path.includes('{id}')) continue
    const url = path
      .replace('{id}', unknownId)
      .replace('{provider}', SITE)
      .replace('{cloud}', CLOUD)
      .replace('{ruleId}', 'x')
    const answer = await site.admin.call(method.toUpperCase(), url, operation.requestBody && rule)
    assert.equal(answer.status, 404, `${method} ${path}: ${JSON.stringify(answer.body)}`)
    assertDocumented(path, method, answer)
  }
})

test('a path serves exactly the methods that are documented', async () => {
  for (const [path, methods] of Object.entries(document.paths)) {
    const url = path.replace(/\{\w+\}/g, 'x')
    const { headers } = await site.admin.call('OPTIONS', url, undefined, { token: null })
    const allowed = (headers.get('allow') ?? '').split(', ').sort()
    const documented = Object.keys(methods).map((method) => method.toUpperCase())
    // Two templates can match one path, such as `/{id}` and `/status`: what either offers is offered.
    for (const method of documented) assert.ok(allowed.includes(method), `${method} ${path}`)
    const others = allowed.filter((method) => method !== 'OPTIONS' && !documented.includes(method))
    for (const method of others) {
      const template = operations().find(
        (other) =>
          other.path !== path && fits(other.path, url) && other.method.toUpperCase() === method,
      )
      assert.ok(template, `${method} ${path} is served and not documented`)
    }
  }
})

function fits(template: string, url: string): boolean {
  const pattern = template.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')
  return new RegExp(`^${pattern}$`).test(url)
}

test('whatever is served beside the API is known, and needs no token', async () => {
  const beside = [
    '/',
    '/docs',
    '/docs/docs.js',
    '/docs/docs.css',
    '/pages/page.css',
    '/openapi.json',
    '/healthz',
    '/readyz',
    '/metrics',
  ]
  for (const path of beside) {
    const answer = await site.admin.get(path, { token: null })
    assert.equal(answer.status, 200, path)
    assert.equal(document.paths[path], undefined)
  }
})

test('a path that is not there answers 404, and a method that is not offered 405 with those that are', async () => {
  const nowhere = await site.admin.get('/ras/genericRequest')
  assert.equal(nowhere.status, 404)
  assert.equal((nowhere.body as { code: string }).code, 'not_found')
  const patch = await site.admin.call('PATCH', `/ras/computes/${world.compute}`, {})
  assert.equal(patch.status, 405)
  assert.deepEqual((patch.headers.get('allow') ?? '').split(', ').sort(), ['DELETE', 'GET'])
})

test('what the web GUI and the command line client of the original call is documented', () => {
  const resources = ['computes', 'volumes', 'networks', 'attachments', 'publicIps']
  for (const base of ['/ras', '/fns']) {
    for (const resource of resources) {
      operationAt(`${base}/${resource}`, 'post')
      operationAt(`${base}/${resource}/status`, 'get')
      operationAt(`${base}/${resource}/{id}`, 'get')
      operationAt(`${base}/${resource}/{id}`, 'delete')
    }
    for (const resource of resources.filter((name) => name !== 'attachments')) {
      operationAt(`${base}/${resource}/allocation/{provider}/{cloud}`, 'get')
    }
    for (const resource of ['networks', 'publicIps']) {
      operationAt(`${base}/${resource}/{id}/securityRules`, 'post')
      operationAt(`${base}/${resource}/{id}/securityRules`, 'get')
      operationAt(`${base}/${resource}/{id}/securityRules/{ruleId}`, 'delete')
    }
    for (const path of [
      'clouds',
      'clouds/{provider}',
      'quota/{provider}/{cloud}',
      'computes/quota/{provider}/{cloud}',
      'images/{provider}/{cloud}',
      'images/{provider}/{cloud}/{id}',
      'specs/{provider}/{cloud}',
      'specs/{provider}/{cloud}/{id}',
      'publicKey',
      'version',
    ]) {
      operationAt(`${base}/${path}`, 'get')
    }
  }
  for (const path of [
    '/as/publicKey',
    '/as/version',
    '/ms/members',
    '/ms/version',
    '/ms/publicKey',
  ])
    operationAt(path, 'get')
  operationAt('/as/tokens', 'post')
  operationAt('/fns/federatedNetworks', 'post')
})

test('a list that has not changed answers 304 with the headers of the list and no body, as documented', async () => {
  const { headers } = await site.admin.get('/ras/computes/status')
  const again = await site.admin.get('/ras/computes/status', {
    headers: { 'If-None-Match': headers.get('etag') ?? '' },
  })
  assert.equal(again.status, 304)
  assertDocumented('/ras/computes/status', 'get', again)
  await clear(site.admin)
})
