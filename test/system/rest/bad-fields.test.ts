import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nestedKinds, orderedKinds } from '@fogbow/plugin-sdk'
import type { Answer } from '../support/client.ts'
import { createWorld, ordersOf, requests, runSite, type World } from './run-site.ts'

interface Schema {
  type?: string
  properties?: Record<string, Schema>
  additionalProperties?: boolean | Schema
  required?: readonly string[]
  items?: Schema
  enum?: readonly unknown[]
  pattern?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  maxItems?: number
  maxProperties?: number
}

/** A value that the schema does not allow, however leniently it is read, as JSON text. */
interface Wrong {
  /** Where in the body, such as `['userData', 0, 'tag']`. */
  path: (string | number)[]
  json: string
}

let world: World
const site = runSite(undefined, async ({ admin }) => {
  world = await createWorld(admin)
})

const wrongTypes: Record<string, readonly string[]> = {
  string: ['{}', '[]', '{"toString": "x"}'],
  integer: ['"many"', '"12abc"', '"0x10"', '"NaN"', '1e999', 'true', '{}', '[]'],
  array: ['{}', '"text"', '5', 'true'],
  object: ['[]', '"text"', '5', 'true'],
}

function wrongValues(schema: Schema, path: Wrong['path']): Wrong[] {
  const at = (value: unknown): Wrong => ({ path, json: JSON.stringify(value) })
  const wrong = (wrongTypes[schema.type ?? ''] ?? []).map((json) => ({ path, json }))
  if (schema.minimum !== undefined)
    wrong.push(at(schema.minimum - 1), at(String(schema.minimum - 1)))
  if (schema.maximum !== undefined) wrong.push(at(schema.maximum + 1))
  if (schema.minLength) wrong.push(at(''))
  if (schema.maxLength !== undefined) wrong.push(at('x'.repeat(schema.maxLength + 1)))
  if (schema.enum) wrong.push(at('none of them'), at(''))
  if (schema.pattern) wrong.push(at('no match'), at('10.0.0.0/24/24'), at('\u0000'))
  if (schema.maxItems !== undefined && schema.items) {
    wrong.push(at(Array.from({ length: schema.maxItems + 1 }, () => goodItem(schema.items))))
  }
  if (schema.items) wrong.push(...wrongValues(schema.items, [...path, 0]))
  if (schema.maxProperties !== undefined) {
    const names = Array.from({ length: schema.maxProperties + 1 }, (_, index) => `k${index}`)
    wrong.push(at(Object.fromEntries(names.map((name) => [name, 'v']))))
  }
  if (typeof schema.additionalProperties === 'object') {
    wrong.push(...wrongValues(schema.additionalProperties, [...path, 'key']))
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    wrong.push(...wrongValues(property, [...path, name]))
  }
  return wrong
}

const goodItem = (schema: Schema | undefined) => (schema?.type === 'object' ? {} : 'x')

/** The body with the value put where it belongs, as JSON text. */
function withValue(body: object, { path, json }: Wrong): string {
  const marker = '@@value@@'
  const root = structuredClone(body) as Record<string | number, unknown>
  let at = root
  path.slice(0, -1).forEach((key, index) => {
    at[key] = typeof path[index + 1] === 'number' ? [] : {}
    at = at[key] as Record<string | number, unknown>
  })
  at[path.at(-1) ?? ''] = marker
  return JSON.stringify(root).replace(`"${marker}"`, () => json)
}

function assertRefused(answer: Answer, field: string, what: string): void {
  const told = `${what.slice(0, 300)}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`
  assert.equal(answer.status, 400, told)
  const { message, code, field: named } = answer.body as Record<string, string>
  assert.equal(code, 'invalid_parameter', told)
  assert.ok(message?.includes(field), `${told}: the message does not name ${field}`)
  assert.ok(named?.includes(field), `${told}: field is ${named}`)
  assert.doesNotMatch(JSON.stringify(answer.body), /\n\s+at |\.ts:\d|node:internal/)
}

/** Kind → where it is made and a body that would do. */
function targets() {
  const bodies: Record<string, object> = {
    ...requests,
    attachment: { computeId: world.compute, volumeId: world.volume },
    publicIp: { computeId: world.compute },
    securityRule: {
      direction: 'IN',
      protocol: 'TCP',
      portFrom: 1,
      portTo: 65535,
      cidr: '0.0.0.0/0',
    },
  }
  const places: Record<string, string> = { securityRule: `networks/${world.network}/securityRules` }
  return [...orderedKinds, ...nestedKinds].map((kind) => ({
    kind,
    path: `/ras/${places[kind.name] ?? kind.path}`,
    body: bodies[kind.name] ?? {},
  }))
}

async function rules(): Promise<unknown> {
  return (await site.admin.get(`/ras/networks/${world.network}/securityRules`)).body
}

test('a wrong value of any field of any kind is refused with 400 that names the field, and nothing is made', async () => {
  const [before, rulesBefore] = [await ordersOf(site.admin), await rules()]
  let count = 0
  for (const { kind, path, body } of targets()) {
    for (const wrong of wrongValues(kind.request as Schema, [])) {
      if (wrong.path.length === 0) continue
      const field = String(wrong.path.filter((key) => typeof key === 'string').at(-1))
      const text = withValue(body, wrong)
      const answer = await site.admin.post(path, undefined, { text })
      assertRefused(answer, field, `POST ${path} ${text}`)
      count++
    }
    for (const [alias, field] of Object.entries(kind.aliases)) {
      const schema = kind.request.properties[field] as Schema
      const { [field]: _, ...rest } = body as Record<string, unknown>
      for (const wrong of wrongValues(schema, [alias])) {
        const answer = await site.admin.post(path, undefined, { text: withValue(rest, wrong) })
        assertRefused(answer, field, `${alias} ${wrong.json}`)
        count++
      }
    }
  }
  assert.ok(count > 150, `only ${count} values`)
  assert.deepEqual(await ordersOf(site.admin), before)
  assert.deepEqual(await rules(), rulesBefore)
})

test('a required field of any kind that is missing or null is refused with 400 that names it', async () => {
  const before = await ordersOf(site.admin)
  for (const { kind, path, body } of targets()) {
    for (const field of kind.request.required ?? []) {
      const { [field]: _, ...rest } = body as Record<string, unknown>
      assertRefused(await site.admin.post(path, rest), field, `${kind.name} without ${field}`)
      const withNull = { ...rest, [field]: null }
      assertRefused(await site.admin.post(path, withNull), field, `${kind.name} with ${field} null`)
    }
  }
  assert.deepEqual(await ordersOf(site.admin), before)
})

test('fields that contradict each other are refused with 400 that names one of them', async () => {
  const cases: [string, object, string][] = [
    ['networks', { cidr: '10.0.0.0/24', gateway: '10.1.0.1' }, 'gateway'],
    ['networks', { gateway: '10.0.0.1' }, 'gateway'],
    ['networks', { cidr: '300.0.0.0/24' }, 'cidr'],
    [
      'computes',
      { ...requests.compute, userData: [{ extraUserDataFileContent: 'not base64!' }] },
      'userData',
    ],
    ['computes', { ...requests.compute, provider: 'nobody.test' }, 'provider'],
    ['computes', { ...requests.compute, cloudName: 'nowhere' }, 'cloudName'],
    ['volumes', { size: 1, cloudName: '__proto__' }, 'cloudName'],
    ['volumes', { size: 1, cloudName: 'constructor' }, 'cloudName'],
  ]
  const ruleCases: [object, string][] = [
    [{ portFrom: 2, portTo: 1 }, 'portTo'],
    [{ cidr: '::/0', etherType: 'IPv4' }, 'cidr'],
    [{ cidr: '10.0.0.0/33' }, 'cidr'],
    [{ cidr: 'everywhere' }, 'cidr'],
  ]
  for (const [path, body, field] of cases) {
    assertRefused(await site.admin.post(`/ras/${path}`, body), field, JSON.stringify(body))
  }
  const rule = { direction: 'IN', protocol: 'TCP', cidr: '0.0.0.0/0' }
  for (const [change, field] of ruleCases) {
    const path = `/ras/networks/${world.network}/securityRules`
    assertRefused(
      await site.admin.post(path, { ...rule, ...change }),
      field,
      JSON.stringify(change),
    )
  }
})

test('a reference to nothing, to another kind, to somebody else’s or to something deleted is refused with 400 that names the field', async () => {
  const ana = await site.user('ana')
  const foreign = await createWorld(ana)
  const deleted = await site.admin.create('/ras/volumes', requests.volume)
  await site.admin.delete(`/ras/volumes/${deleted}`)
  await site.admin.until(`/ras/volumes/${deleted}`, 'GONE')
  const { compute, volume, network } = world
  const before = await ordersOf(site.admin)
  const cases: [string, object, string][] = [
    ['attachments', { computeId: compute, volumeId: deleted }, 'volumeId'],
    ['attachments', { computeId: compute, volumeId: foreign.volume }, 'volumeId'],
    ['attachments', { computeId: foreign.compute, volumeId: volume }, 'computeId'],
    ['attachments', { computeId: volume, volumeId: compute }, 'Id'],
    ['publicIps', { computeId: 'nothing' }, 'computeId'],
    ['publicIps', { computeId: foreign.compute }, 'computeId'],
    ['publicIps', { computeId: network }, 'computeId'],
    ['computes', { ...requests.compute, networkIds: [foreign.network] }, 'networkIds'],
    ['computes', { ...requests.compute, networkIds: [network, volume] }, 'networkIds'],
    ['computes', { ...requests.compute, networkIds: ['nothing'] }, 'networkIds'],
  ]
  for (const [path, body, field] of cases) {
    assertRefused(await site.admin.post(`/ras/${path}`, body), field, JSON.stringify(body))
  }
  assert.deepEqual(await ordersOf(site.admin), before)
})

test('keys that name what every object has are no fields, and spoil nothing', async () => {
  const texts = [
    '{"__proto__": {"imageId": "debian-12"}}',
    '{"constructor": {"prototype": {"imageId": "debian-12"}}, "toString": 1}',
  ]
  for (const text of texts) {
    assertRefused(await site.admin.post('/ras/computes', undefined, { text }), 'imageId', text)
  }
  const hidden = '{"imageId": "debian-12", "requirements": {"__proto__": "x", "constructor": "y"}}'
  const answer = await site.admin.post('/ras/computes', undefined, { text: hidden })
  assert.ok([201, 400].includes(answer.status))
  assertRefused(await site.admin.post('/ras/computes', {}), 'imageId', 'an empty body')
})

test('credentials, policies and member questions of a wrong shape are refused with 400 that names the field', async () => {
  const cases: [string, object, string][] = [
    ['/as/tokens', {}, 'credentials'],
    ['/as/tokens', { credentials: 'admin' }, 'credentials'],
    ['/as/tokens', { credentials: [] }, 'credentials'],
    ['/as/tokens', { credentials: { username: {}, password: 'x' } }, 'credentials'],
    ['/as/tokens', { credentials: { username: 'x'.repeat(16_385) } }, 'credentials'],
    ['/ras/admin/policy', {}, 'policy'],
    ['/ras/admin/policy', { policy: {} }, 'policy'],
    ['/ms/authorized/target', {}, 'provider'],
    ['/ms/authorized/requester', { provider: [] }, 'provider'],
    ['/fns/computes', { compute: 'text' }, 'compute'],
    ['/fns/computes', { compute: [] }, 'compute'],
    ['/fns/computes', { compute: {} }, 'imageId'],
  ]
  for (const [path, body, field] of cases) {
    const { status, body: answer } = await site.admin.post(path, body)
    assert.equal(
      status,
      400,
      `${path} ${JSON.stringify(body).slice(0, 100)} ${JSON.stringify(answer)}`,
    )
    assert.ok((answer as { message: string }).message.includes(field), JSON.stringify(answer))
  }
  const compute = (await site.admin.get('/ras/computes/status')).body as { instanceId: string }[]
  const path = `/ras/computes/${compute[0]?.instanceId}/snapshot`
  for (const name of ['', 'x'.repeat(256), {}, 7]) {
    const { status, body } = await site.admin.post(path, { name })
    assert.equal(status, 400)
    assert.match((body as { message: string }).message, /name/)
  }
})

test('an id in a path that is nobody’s, of another kind or somebody else’s is refused and tells nothing', async () => {
  const bea = await site.user('bea')
  const { compute, volume, network } = world
  for (const method of ['GET', 'DELETE']) {
    assert.equal((await site.admin.call(method, `/ras/computes/${volume}`)).status, 403)
    const foreign = await bea.call(method, `/ras/computes/${compute}`)
    assert.equal(foreign.status, 403)
    assert.doesNotMatch(JSON.stringify(foreign.body), /admin|worker/)
    assert.equal((await bea.call(method, '/ras/computes/nothing')).status, 404)
    assert.equal(
      (await bea.call(method, `/ras/computes/${compute}`, undefined, { token: null })).status,
      401,
    )
    assert.equal(
      (await bea.call(method, '/ras/computes/nothing', undefined, { token: null })).status,
      401,
    )
  }
  for (const action of ['pause', 'resume', 'snapshot']) {
    assert.equal((await bea.post(`/ras/computes/${compute}/${action}`, {})).status, 403)
  }
  const rulesPath = `/ras/networks/${network}/securityRules`
  assert.equal((await bea.get(rulesPath)).status, 403)
  assert.equal((await bea.delete(`${rulesPath}/x`)).status, 403)
  assert.equal((await site.admin.get(`/ras/publicIps/${network}/securityRules`)).status, 404)
  assert.equal((await site.admin.get(`/ras/networks/${compute}/securityRules`)).status, 404)
  assert.equal((await bea.get(`/ras/computes/${compute}/history`)).status, 403)
  await site.admin.until(`/ras/computes/${compute}`, 'READY')
})

test('an id that is not even an id is answered with 404 or 400', async () => {
  const odd = [
    '%00',
    '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    "'%20or%201%3D1%20--",
    '%F0%9F%98%80',
    'x'.repeat(3000),
    'x'.repeat(10_000),
    '%E0%A4%A',
    '{id}',
    '__proto__',
    'constructor',
    '*',
  ]
  for (const id of odd) {
    for (const path of [
      `computes/${id}`,
      `networks/${id}/securityRules`,
      `images/site-a.test/emulated/${id}`,
      `quota/site-a.test/${id}`,
      `quota/${id}/emulated`,
      `clouds/${id}`,
    ]) {
      const { status, body } = await site.admin.get(`/ras/${path}`)
      assert.ok(status === 404 || status === 400, `${path.slice(0, 60)}: ${status}`)
      assert.equal(typeof (body as { message: unknown }).message, 'string')
    }
  }
})
