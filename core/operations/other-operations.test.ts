import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { type OperationsBench, openOperationsBench, siteId } from './testing/operations-bench.ts'

let bench: OperationsBench
beforeEach(async () => {
  bench = await openOperationsBench()
})
afterEach(() => bench.close())

const admin = 'root:admin'
const unauthorized = { code: 'unauthorized' }

async function createNetwork(user: string): Promise<string> {
  const { id } = await bench.operations.createOrder(bench.as(user), 'network', {})
  await bench.settle()
  return id
}

async function auditOf(operation: string) {
  const { items } = await bench.operations.listAudit(bench.as(admin), {})
  return items.filter((entry) => entry.operation === operation)
}

test('a log-in takes credentials and gives a token; what is no credentials is named', async () => {
  const { createToken } = bench.operations
  const body = { credentials: { username: 'ana', password: 'x' }, publicKey: 'k' }
  assert.deepEqual(await createToken(bench.as(''), body), { token: 'ana' })
  const wrong: [unknown, RegExp][] = [
    [undefined, /body: must be a JSON object/],
    [{}, /credentials: is required/],
    [{ credentials: 'ana' }, /credentials: must be object/],
    [{ credentials: { username: { a: 1 } } }, /credentials\.username: must be string/],
  ]
  for (const [given, message] of wrong)
    await assert.rejects(createToken(bench.as(''), given), { code: 'invalid_parameter', message })
})

test('log-ins are recorded with the name, whether they succeed or not', async () => {
  await bench.operations.createToken(bench.as(''), { credentials: { username: 'ana' } })
  bench.aaaPlugin.methods['tokenGenerator.createTokenValue'] = () => {
    throw new FogbowError('unauthenticated', 'wrong password')
  }
  await assert.rejects(
    bench.operations.createToken(bench.as(''), { credentials: { username: 'eve' } }),
  )
  const logins = await auditOf('login')
  assert.deepEqual(
    logins.map((entry) => [entry.userId, entry.response]),
    [
      ['eve', 'unauthenticated'],
      ['ana', 'ok'],
    ],
  )
})

test('who one is can be asked, until the token is revoked', async () => {
  const who = await bench.operations.whoAmI(bench.as('ana'))
  assert.deepEqual(
    { ...who, expiresAt: 0 },
    {
      id: 'ana',
      identityProviderId: siteId,
      name: 'ana',
      roles: ['user'],
      expiresAt: 0,
    },
  )
  await bench.operations.revokeToken(bench.as('ana'))
  await assert.rejects(bench.operations.whoAmI(bench.as('ana')), { code: 'unauthenticated' })
})

test('every request is recorded, also when it was refused before anything was known of the user', async () => {
  await assert.rejects(bench.operations.getOrder(bench.as('nobody'), 'compute', 'x'))
  await assert.rejects(bench.operations.getOrder(bench.as('ana'), 'compute', 'x'))
  const gets = await auditOf('get')
  assert.deepEqual(
    gets.map(({ userId, response, orderId }) => [userId, response, orderId]),
    [
      ['ana', 'instance_not_found', 'x'],
      [null, 'unauthenticated', 'x'],
    ],
  )
})

test('the record can be read page by page, by user and by order, and by administrators alone', async () => {
  for (const id of ['x', 'y', 'z'])
    await assert.rejects(bench.operations.getOrder(bench.as('ana'), 'compute', id))
  const list = (query: object) => bench.operations.listAudit(bench.as(admin), query)
  const page = await list({ limit: 2 })
  assert.deepEqual(
    page.items.map((entry) => entry.orderId),
    ['z', 'y'],
  )
  assert.equal((await list({ limit: 2, cursor: page.next })).items[0]?.orderId, 'x')
  assert.equal((await list({ orderId: 'y' })).items.length, 1)
  assert.ok((await list({ userId: 'ana' })).items.every((entry) => entry.userId === 'ana'))
  for (const wrong of [{ limit: 0 }, { limit: 5000 }, { cursor: 'x' }])
    await assert.rejects(list(wrong), { code: 'invalid_parameter' })
  bench.aaaPlugin.methods['authorization.isAuthorized'] = () => false
  await assert.rejects(bench.operations.listAudit(bench.as('ana'), {}), unauthorized)
})

test('what only administrators may do is asked of the authorization plugin each time', async () => {
  const { operations } = bench
  await operations.reload(bench.as(admin))
  assert.equal(bench.reloads, 1)
  await operations.restartPlugin(bench.as(admin), 'cloud', {})
  assert.equal(bench.cloudPlugin.restarts, 1)
  await assert.rejects(operations.restartPlugin(bench.as(admin), 'none', {}), { code: 'not_found' })
  await assert.rejects(
    operations.restartPlugin(bench.as(admin), 'cloud', { originalIsolation: 'yes' }),
    { code: 'invalid_parameter', message: /originalIsolation/ },
  )
  assert.equal((await operations.listPlugins(bench.as(admin))).length, 2)
  assert.equal((await operations.getPlugin(bench.as(admin), 'cloud')).name, 'cloud')
  await assert.rejects(operations.getPlugin(bench.as(admin), 'none'), { code: 'not_found' })
  assert.equal((await operations.getIsolation(bench.as(admin))).level, 'worker')
  const alone = { code: 'not_found', message: /in no federation/ }
  await assert.rejects(operations.examineFederation(bench.as(admin)), alone)
  bench.aaaPlugin.methods['authorization.isAuthorized'] = () => false
  await assert.rejects(operations.reload(bench.as(admin)), unauthorized)
  await assert.rejects(operations.restartPlugin(bench.as(admin), 'cloud', {}), unauthorized)
  await assert.rejects(operations.listPlugins(bench.as(admin)), unauthorized)
  await assert.rejects(operations.getPlugin(bench.as(admin), 'cloud'), unauthorized)
  await assert.rejects(operations.getIsolation(bench.as(admin)), unauthorized)
  await assert.rejects(operations.examineFederation(bench.as(admin)), unauthorized)
  await assert.rejects(operations.backUp(bench.as(admin)), unauthorized)
  assert.equal(bench.reloads, 1)
})

test('a policy must be a text, and the plugin must take one', async () => {
  const { operations } = bench
  await assert.rejects(operations.setPolicy(bench.as(admin), { policy: 7 }), {
    code: 'invalid_parameter',
  })
  await assert.rejects(operations.setPolicy(bench.as(admin), { policy: 'p' }), {
    code: 'not_implemented',
  })
  bench.aaaPlugin.methods['authorization.updatePolicy'] = () => undefined
  await operations.updatePolicy(bench.as(admin), { policy: 'p' })
})

test('clouds, images, specs and quota are asked of the cloud that is named', async () => {
  const { operations, cloudPlugin } = bench
  Object.assign(cloudPlugin.methods, {
    'image.getAllImages': () => [{ id: 'i', name: 'image' }],
    'image.getImage': (id: string) => ({ id, name: 'image' }),
    'spec.getAllSpecs': () => [{ id: 's', name: 'small' }],
    'spec.getFlavor': (id: string) => ({ id, name: 'small', vCPU: 1, ram: 1, disk: 1 }),
    'quota.getUserQuota': () => ({
      totalQuota: { instances: 10, vCPU: -1 },
      usedQuota: { instances: 12, vCPU: 5 },
    }),
  })
  const ana = bench.as('ana')
  assert.deepEqual(await operations.listClouds(ana), { clouds: ['one', 'two'] })
  assert.deepEqual(await operations.listImages(ana, siteId, 'one'), [{ id: 'i', name: 'image' }])
  const image = await operations.getImage(ana, siteId, 'two', 'i')
  assert.deepEqual([image.cloudName, image.id, image.minDisk], ['two', 'i', -1])
  assert.deepEqual(await operations.listSpecs(ana, siteId, 'one'), [{ id: 's', name: 'small' }])
  assert.equal((await operations.getSpec(ana, siteId, 'one', 's')).vCPU, 1)
  const quota = await operations.getQuota(ana, siteId, 'one')
  assert.deepEqual(quota.availableQuota, { instances: -1, vCPU: -1 })
})

test('a cloud or provider that is none is told, and the cloud is not asked', async () => {
  const { operations } = bench
  const ana = bench.as('ana')
  await assert.rejects(operations.listImages(ana, siteId, 'three'), {
    code: 'not_found',
    message: /no cloud 'three' at site-a; clouds are one, two/,
  })
  await assert.rejects(operations.listImages(ana, 'site-z', 'one'), { code: 'invalid_parameter' })
  await assert.rejects(operations.listClouds(ana, 'site-b'), { code: 'unavailable_provider' })
  await assert.rejects(operations.listImages(ana, siteId, 'one'), { code: 'not_implemented' })
  assert.deepEqual(bench.cloudPlugin.calls, [])
})

test('a security rule is reached through its own parent alone', async () => {
  const { operations, cloudPlugin } = bench
  const rules: Record<string, string[]> = {}
  Object.assign(cloudPlugin.methods, {
    'securityRule.requestSecurityRule': (_rule: object, parent: { orderId: string }) => {
      rules[parent.orderId] = [...(rules[parent.orderId] ?? []), `rule-${parent.orderId}`]
      return `rule-${parent.orderId}`
    },
    'securityRule.getSecurityRules': ({ orderId }: { orderId: string }) =>
      (rules[orderId] ?? []).map((id) => ({ id })),
    'securityRule.deleteSecurityRule': (id: string, { orderId }: { orderId: string }) => {
      rules[orderId] = (rules[orderId] ?? []).filter((rule) => rule !== id)
    },
  })
  const anas = await createNetwork('ana')
  const bobs = await createNetwork('bob')
  const rule = { protocol: 'TCP', direction: 'IN', portFrom: 22, portTo: 22, cidr: '10.0.0.0/8' }
  const made = await operations.createSecurityRule(bench.as('ana'), 'network', anas, rule)
  const id = String(made.id)
  const bob = bench.as('bob')
  await assert.rejects(operations.deleteSecurityRule(bob, 'network', anas, id), unauthorized)
  await assert.rejects(operations.deleteSecurityRule(bob, 'network', bobs, id), {
    code: 'instance_not_found',
    message: /has no security rule/,
  })
  await assert.rejects(operations.listSecurityRules(bob, 'network', anas), unauthorized)
  await assert.rejects(operations.listSecurityRules(bob, 'publicIp', bobs), {
    code: 'instance_not_found',
  })
  const listed = await operations.listSecurityRules(bench.as('ana'), 'network', anas)
  assert.deepEqual(listed, [{ id, provider: siteId, cloudName: 'one' }])
  await operations.deleteSecurityRule(bench.as('ana'), 'network', anas, id)
  assert.deepEqual(rules[anas], [])
})

test('a security rule needs a parent that exists in the cloud, and must make sense', async () => {
  const { operations } = bench
  bench.cloud.weather = 'refusing'
  const failed = await createNetwork('ana')
  const rule = { protocol: 'TCP', direction: 'IN', portFrom: 22, portTo: 22, cidr: '10.0.0.0/8' }
  const ask = (body: object) =>
    operations.createSecurityRule(bench.as('ana'), 'network', failed, body)
  await assert.rejects(ask(rule), { code: 'unacceptable_operation', message: /no instance yet/ })
  bench.cloud.weather = 'fine'
  const network = await createNetwork('ana')
  await assert.rejects(
    operations.createSecurityRule(bench.as('ana'), 'network', network, { ...rule, portTo: 21 }),
    { code: 'invalid_parameter', message: /portTo: must not be less than portFrom/ },
  )
})

test('anybody may see the site, its clouds and why one of them is out of order', () => {
  const { operations } = bench
  bench.cloudPlugin.state = 'quarantined'
  const site = operations.site()
  assert.equal(site.id, siteId)
  assert.deepEqual(
    site.clouds.map((cloud) => [cloud.name, cloud.isDefault, cloud.health]),
    [
      ['one', true, 'cloud is quarantined: cloud is out of order'],
      ['two', false, 'cloud is quarantined: cloud is out of order'],
    ],
  )
  assert.deepEqual(operations.members(), [siteId, 'site-b'])
  const [here, there] = operations.memberStatus()
  assert.deepEqual([here?.id, here?.local, here?.liveness], [siteId, true, 'alive'])
  assert.match(there?.problem ?? '', /no connection/)
  assert.equal(operations.publicKey(), 'AAAA')
})

test('who may go to and come from which member is answered from the configuration', () => {
  const { operations } = bench
  const ask = (direction: 'target' | 'requester', provider: unknown) =>
    operations.isMemberAuthorized(direction, { provider }).authorized
  assert.equal(ask('target', 'site-b'), true)
  Object.assign(bench.config.members, { targets: [], requesters: ['site-b'] })
  assert.equal(ask('target', 'site-b'), false)
  assert.equal(ask('requester', 'site-b'), true)
  assert.equal(ask('target', siteId), true)
  assert.equal(ask('requester', 'site-z'), false)
  assert.throws(() => ask('target', 7), { code: 'invalid_parameter' })
})
