import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { orderHistory } from '../../orders/index.ts'
import { TestClock } from '../../orders/testing/bench.ts'
import { MemoryNetwork, type Road } from './testing/memory-network.ts'
import { pass, SiteBench, settle } from './testing/site-bench.ts'

const HOUR_MS = 3_600_000

let clock: TestClock
let network: MemoryNetwork
let a: SiteBench
let b: SiteBench
beforeEach(async () => {
  clock = new TestClock()
  network = new MemoryNetwork(clock)
  a = await SiteBench.open('site-a', network, clock)
  b = await SiteBench.open('site-b', network, clock)
})
afterEach(async () => {
  await a.close()
  await b.close()
})

const vm = { imageId: 'debian-12', vCPU: 2, ram: 2048, name: 'vm', provider: 'site-b' }
const there = (road: Road) => network.roads.set('site-a site-b', road)
const back = (road: Road) => network.roads.set('site-b site-a', road)
const wait = (ms: number) => pass(network, clock, ms)

async function create(kind = 'compute', body: object = vm, user = 'ana'): Promise<string> {
  const { id } = await a.operations.createOrder(a.as(user), kind, body)
  await settle(network)
  return id
}
async function remove(kind: string, id: string): Promise<void> {
  await a.operations.deleteOrder(a.as('ana'), kind, id)
  await settle(network)
}
const get = (kind: string, id: string) => a.operations.getOrder(a.as('ana'), kind, id)
const act = (id: string, action: string) =>
  a.operations.actOnOrder(a.as('ana'), 'compute', id, action)
const states = async (id: string) => [(await a.order(id))?.state, (await b.order(id))?.state]

test('an order at another member becomes an instance there, is shown here as it is, and goes away', async () => {
  const id = await create()
  const view = await get('compute', id)
  assert.equal(view.state, 'READY')
  assert.equal(view.provider, 'site-b')
  assert.equal(view.cloudName, 'one', 'the provider tells which cloud it took')
  assert.equal(view.vCPU, 2)
  assert.equal(view.ready, true)
  assert.equal((await b.order(id))?.requester, 'site-a')
  assert.equal((await b.order(id))?.owner.identityProviderId, 'site-a')
  await remove('compute', id)
  assert.deepEqual(await states(id), ['CLOSED', 'CLOSED'])
  assert.equal(b.cloud.instances.size, 0)
  assert.equal(a.cloud.made.length, 0)
})

test('the requester sees what the provider sees without asking', async () => {
  b.cloud.looksUntilDone = 3
  const id = await create()
  // States that pass are told only if they last for a moment.
  await wait(30)
  assert.deepEqual(await states(id), ['SPAWNING', 'SPAWNING'])
  const asked = () => network.done.filter((call) => /site-b get(Order|Instance)/.test(call)).length
  const before = asked()
  await wait(2000)
  assert.deepEqual(await states(id), ['FULFILLED', 'FULFILLED'])
  assert.ok(asked() - before <= 1, 'it asked again and again')
})

test('a change that could not be told is told when the way is open again, also by another process', async () => {
  b.cloud.looksUntilDone = 1
  const id = await create()
  back('cut')
  there('cut')
  await wait(5000)
  assert.equal((await b.order(id))?.state, 'FULFILLED')
  assert.notEqual((await a.order(id))?.state, 'FULFILLED')
  await b.kill()
  back('open')
  await wait(20_000)
  assert.equal((await a.order(id))?.state, 'FULFILLED', 'although it could not ask')
})

test('an answer that is lost makes no second order and no failure', async () => {
  there('one way')
  const id = await create()
  assert.equal((await a.order(id))?.state, 'FULFILLED', 'the provider told of it by itself')
  back('cut')
  const other = await create()
  assert.deepEqual(await states(other), ['SELECTED', 'FULFILLED'])
  await wait(60_000)
  network.roads.clear()
  await wait(200_000)
  assert.deepEqual(await states(other), ['FULFILLED', 'FULFILLED'])
  assert.equal(b.cloud.made.length, 2)
})

test('a request that arrives twice, or again after the provider died over it, makes one order', async () => {
  there('echo')
  const id = await create()
  await wait(30_000)
  assert.deepEqual(await states(id), ['FULFILLED', 'FULFILLED'])
  const { id: other } = await a.operations.createOrder(a.as('ana'), 'compute', vm)
  for (let turn = 0; turn < 30 && !(await b.order(other)); turn += 1)
    await new Promise((resolve) => setImmediate(resolve))
  await b.kill()
  await wait(60_000)
  assert.deepEqual(await states(other), ['FULFILLED', 'FULFILLED'])
  assert.equal(b.cloud.made.length, 2)
})

test('what was deleted before its request arrived leaves nothing behind', async () => {
  there('late')
  const id = await create()
  there('open')
  await remove('compute', id)
  await wait(HOUR_MS)
  assert.equal((await a.order(id))?.state, 'CLOSED')
  assert.ok([undefined, 'CLOSED'].includes((await b.order(id))?.state))
  assert.equal(b.cloud.instances.size, 0)
})

test('what a provider did not hear of for long is asked for anew, and does not fail', async () => {
  there('cut')
  const id = await create()
  await wait(HOUR_MS)
  assert.equal((await a.order(id))?.state, 'SELECTED')
  const { faultMessage } = await get('compute', id)
  assert.match(faultMessage, /site-b did not answer yet, trying again/)
  there('open')
  await wait(200_000)
  assert.deepEqual(await states(id), ['FULFILLED', 'FULFILLED'])
})

test('what the provider refuses has failed, says why, and can be deleted', async () => {
  const id = await create('compute', { ...vm, cloudName: 'three' })
  assert.deepEqual(await states(id), ['FAILED_ON_REQUEST', undefined])
  const view = await get('compute', id)
  assert.equal(view.state, 'ERROR')
  assert.match(view.faultMessage, /no cloud 'three' at site-b; clouds are one, two/)
  await remove('compute', id)
  assert.equal((await a.order(id))?.state, 'CLOSED')
})

test('what the cloud over there refuses has failed on both sides, and can be deleted', async () => {
  b.cloud.weather = 'refusing'
  const id = await create()
  assert.deepEqual(await states(id), ['FAILED_ON_REQUEST', 'FAILED_ON_REQUEST'])
  assert.equal((await get('compute', id)).faultMessage, 'no room')
  b.cloud.weather = 'fine'
  await remove('compute', id)
  await wait(60_000)
  assert.deepEqual(await states(id), ['CLOSED', 'CLOSED'])
})

test('a silent provider hides what it has, and nothing is failed or deleted for that', async () => {
  const id = await create()
  there('cut')
  await wait(60_000)
  assert.equal((await a.order(id))?.state, 'UNABLE_TO_CHECK_STATUS')
  const view = await get('compute', id)
  assert.equal(view.state, 'UNKNOWN')
  assert.match(view.faultMessage, /site-b does not answer/)
  assert.equal(view.vCPU, 2, 'what is known is shown')
  await wait(48 * HOUR_MS)
  there('open')
  await wait(200_000)
  assert.deepEqual(await states(id), ['FULFILLED', 'FULFILLED'])
  assert.equal(b.cloud.instances.size, 1)
})

test('a cloud over there that does not answer is shown as such', async () => {
  const id = await create()
  b.cloud.weather = 'down'
  await wait(2000)
  assert.equal((await get('compute', id)).state, 'UNKNOWN')
  b.cloud.weather = 'fine'
  await wait(200_000)
  assert.equal((await a.order(id))?.state, 'FULFILLED')
})

test('a power action is done over there once, and shown here when it is done', async () => {
  const id = await create()
  await act(id, 'pause')
  await settle(network)
  assert.deepEqual(await states(id), ['PAUSED', 'PAUSED'])
  there('one way')
  await act(id, 'resume')
  await settle(network)
  await wait(60_000)
  there('open')
  await wait(60_000)
  assert.deepEqual(await states(id), ['FULFILLED', 'FULFILLED'])
  const resumes = b.plugin.calls.filter(({ method }) => method === 'compute.resumeInstance')
  assert.equal(resumes.length, 1)
})

test('an action that the provider refuses is refused here, with the same code, and changes nothing', async () => {
  const id = await create()
  await assert.rejects(act(id, 'hibernate'), {
    code: 'not_implemented',
    message: /Cloud 'one' cannot hibernate a compute/,
  })
  assert.deepEqual(await states(id), ['FULFILLED', 'FULFILLED'])
})

test('an action that fails over there leaves the order as it is there, with the reason', async () => {
  const id = await create()
  b.cloud.weather = 'refusing'
  await act(id, 'pause')
  await wait(10_000)
  assert.deepEqual(await states(id), ['FULFILLED', 'FULFILLED'])
  assert.match((await a.order(id))?.faultMessage ?? '', /not now/)
})

test('a deletion that the provider refuses is asked for until it does not refuse any more', async () => {
  const id = await create()
  b.aaaPlugin.methods['authorization.isAuthorized'] = () => false
  await remove('compute', id)
  await wait(60_000)
  assert.equal((await a.order(id))?.state, 'ASSIGNED_FOR_DELETION')
  assert.match((await a.order(id))?.faultMessage ?? '', /may not delete COMPUTE/)
  assert.equal((await b.order(id))?.state, 'FULFILLED')
  b.aaaPlugin.methods['authorization.isAuthorized'] = () => true
  await wait(200_000)
  assert.deepEqual(await states(id), ['CLOSED', 'CLOSED'])
})

test('what an administrator over there ends is over here as well', async () => {
  const id = await create()
  await b.operations.purgeUser(b.as('root:admin'), { id: 'ana', identityProviderId: 'site-a' })
  await settle(network)
  assert.deepEqual(await states(id), ['CLOSED', 'CLOSED'])
})

test('references lead to orders over there, are kept while in use, and are released when that ends', async () => {
  const network1 = await create('network', { provider: 'site-b', cloudName: 'two' })
  const compute = await create('compute', { ...vm, networkIds: [network1] })
  assert.equal((await b.order(compute))?.cloudName, 'two', 'where its network is')
  const volume = await create('volume', { provider: 'site-b', cloudName: 'two', size: 1 })
  const attachment = await create('attachment', { computeId: compute, volumeId: volume })
  assert.equal((await a.order(attachment))?.provider, 'site-b')
  assert.deepEqual(await states(attachment), ['FULFILLED', 'FULFILLED'])
  await assert.rejects(remove('volume', volume), { code: 'unacceptable_operation' })
  await remove('attachment', attachment)
  await remove('volume', volume)
  assert.deepEqual(await states(volume), ['CLOSED', 'CLOSED'])
  await remove('compute', compute)
  await remove('network', network1)
  assert.equal(b.cloud.instances.size, 0)
})

test('something at another site cannot be referred to', async () => {
  const here = await create('network', {})
  await assert.rejects(create('compute', { ...vm, networkIds: [here] }), {
    code: 'invalid_parameter',
    message: /networkIds: network .* of site-a, not in/,
  })
})

test('rules, snapshots, images, specs, quota and clouds are those over there, with ids and codes', async () => {
  const rules: { id: string }[] = []
  Object.assign(b.plugin.methods, {
    'securityRule.requestSecurityRule': (rule: object) => {
      rules.push({ ...rule, id: 'rule-1' })
      return 'rule-1'
    },
    'securityRule.getSecurityRules': () => rules,
    'securityRule.deleteSecurityRule': () => rules.pop(),
    'compute.takeSnapshot': () => undefined,
    'image.getAllImages': () => [{ id: 'i', name: 'image' }],
    'image.getImage': (id: string) => ({ id, name: 'image' }),
    'spec.getAllSpecs': () => [{ id: 's', name: 'small' }],
    'spec.getFlavor': () => {
      throw new FogbowError('instance_not_found', 'no such flavor')
    },
    'quota.getUserQuota': () => {
      const amounts = { instances: 1, vCPU: 2, ram: 3, storage: 4, volumes: 5, networks: 6 }
      return { totalQuota: { ...amounts, publicIps: 7 }, usedQuota: { ...amounts, publicIps: 1 } }
    },
  })
  const { operations } = a
  const ana = a.as('ana')
  assert.deepEqual(await operations.listClouds(ana, 'site-b'), { clouds: ['one', 'two'] })
  assert.deepEqual(await operations.listImages(ana, 'site-b', 'one'), [{ id: 'i', name: 'image' }])
  const image = await operations.getImage(ana, 'site-b', 'two', 'i')
  assert.deepEqual([image.provider, image.cloudName, image.id], ['site-b', 'two', 'i'])
  assert.equal((await operations.listSpecs(ana, 'site-b', 'one')).length, 1)
  await assert.rejects(operations.getSpec(ana, 'site-b', 'one', 'x'), {
    code: 'instance_not_found',
    message: 'no such flavor',
  })
  assert.equal((await operations.getQuota(ana, 'site-b', 'one')).availableQuota?.publicIps, 6)
  const id = await create('network', { provider: 'site-b' })
  const rule = { protocol: 'TCP', direction: 'IN', portFrom: 22, portTo: 22, cidr: '10.0.0.0/8' }
  const made = await operations.createSecurityRule(ana, 'network', id, rule)
  assert.deepEqual(made, { id: 'rule-1' })
  const [listed] = await operations.listSecurityRules(ana, 'network', id)
  assert.deepEqual([listed?.id, listed?.portFrom, listed?.provider], ['rule-1', 22, 'site-b'])
  await operations.deleteSecurityRule(ana, 'network', id, 'rule-1')
  assert.equal(rules.length, 0)
  const compute = await create()
  await assert.rejects(operations.takeSnapshot(ana, 'compute', compute, { name: 's' }), {
    code: 'unacceptable_operation',
  })
  await act(compute, 'pause')
  await settle(network)
  await operations.takeSnapshot(ana, 'compute', compute, { name: 's' })
})

test('a request of a member passes authorization and leaves a record as one of this site does', async () => {
  const id = await create()
  const { items } = await b.operations.listAudit(b.as('root:admin'), { orderId: id })
  const creation = items.find(({ operation }) => operation === 'create')
  assert.partialDeepStrictEqual(
    { ...creation },
    {
      operation: 'create',
      resourceType: 'COMPUTE',
      userId: 'ana',
      identityProviderId: 'site-a',
      requester: 'site-a',
      provider: 'site-b',
      cloudName: 'one',
      orderId: id,
      response: 'ok',
    },
  )
  const asked: unknown[] = []
  b.aaaPlugin.methods['authorization.isAuthorized'] = (_user: never, operation: never) => {
    asked.push(operation)
    return false
  }
  const refused = await create('volume', { provider: 'site-b', size: 1 })
  assert.deepEqual(asked, [
    { name: 'create', provider: 'site-b', requester: 'site-a', cloud: 'one' },
  ])
  assert.deepEqual(await states(refused), ['FAILED_ON_REQUEST', undefined])
})

test('what users read leaves a record at the provider each time, and how their site follows it none', async () => {
  b.cloud.looksUntilDone = 1000
  const id = await create()
  const reads = async () => {
    const query = { orderId: id, limit: 1000 }
    const { items } = await b.operations.listAudit(b.as('root:admin'), query)
    return items.filter(({ operation }) => operation === 'get').map(({ response }) => response)
  }
  back('cut')
  await wait(HOUR_MS)
  const followed = network.done.filter((call) => call === 'site-b getOrder').length
  assert.ok(followed > 10, `it asked ${followed} times`)
  assert.deepEqual(await reads(), [])
  back('open')
  await get('compute', id)
  await wait(5000)
  await get('compute', id)
  assert.deepEqual(await reads(), ['ok', 'ok'])
  b.aaaPlugin.methods['authorization.isAuthorized'] = (user: { roles: string[] }) =>
    user.roles.includes('admin')
  back('cut')
  await wait(HOUR_MS)
  assert.equal((await reads()).at(0), 'unauthorized', 'what is refused is recorded')
})

test('a member reaches its own orders alone, whoever its users say they are', async () => {
  const c = await SiteBench.open('site-c', network, clock)
  try {
    const id = await create()
    const user = { id: 'ana', identityProviderId: 'site-a', name: 'ana', roles: ['admin'] }
    const asC = network.callerOf('site-c')
    const params = { kind: 'compute', orderId: id }
    for (const method of ['deleteOrder', 'getOrder', 'getInstance']) {
      await assert.rejects(asC.call('site-b', method, params, { user }), {
        code: 'instance_not_found',
      })
    }
    await assert.rejects(asC.call('site-b', 'readOrder', { orderId: id }), {
      code: 'instance_not_found',
    })
    const stolen = { ...params, name: 'vm', request: { imageId: 'i' } }
    await assert.rejects(asC.call('site-b', 'createOrder', stolen, { user }), {
      code: 'idempotency_conflict',
    })
    const closed = { orderId: id, generation: 99, state: 'CLOSED' }
    await asC.call('site-a', 'orderChanged', closed)
    assert.equal((await a.order(id))?.state, 'FULFILLED', 'somebody else ended it')
  } finally {
    await c.close()
  }
})

test('an order of this site is out of reach for the member whose user made it here', async () => {
  const { id } = await b.operations.createOrder(b.as('ana'), 'volume', { size: 1 })
  await settle(network)
  const user = { id: 'ana', identityProviderId: 'site-a', name: 'ana', roles: [] }
  const params = { kind: 'volume', orderId: id }
  await assert.rejects(network.callerOf('site-a').call('site-b', 'getOrder', params, { user }), {
    code: 'instance_not_found',
  })
})

test('what is older than what is known is not believed, whoever says it', async () => {
  const id = await create()
  const known = (await a.order(id))?.generation ?? 0
  const asB = network.callerOf('site-b')
  const report = { orderId: id, state: 'FAILED_AFTER_SUCCESSFUL_REQUEST', faultMessage: 'old' }
  await asB.call('site-a', 'orderChanged', { ...report, generation: known - 1 })
  assert.equal((await a.order(id))?.state, 'FULFILLED')
  await asB.call('site-a', 'orderChanged', { ...report, generation: known + 1 })
  assert.equal((await a.order(id))?.state, 'FAILED_AFTER_SUCCESSFUL_REQUEST')
  await asB.call('site-a', 'orderChanged', { ...report, orderId: 'unknown', generation: 1 })
})

test('an instance that is none of its kind is not shown to users', async () => {
  const id = await create()
  const generation = (await a.order(id))?.generation ?? 0
  await network.callerOf('site-b').call('site-a', 'orderChanged', {
    orderId: id,
    generation: generation + 1,
    state: 'STOPPED',
    instance: { state: 'READY', cloudState: 'x', vCPU: { evil: true }, ram: 1, disk: 1 },
    allocation: { vCPU: 2.5, nonsense: 7 },
  })
  const order = await a.order(id)
  assert.equal(order?.state, 'STOPPED')
  assert.equal(order?.instance?.vCPU, 2)
  assert.deepEqual(order?.allocation, {})
})

test('who may go where is decided here, and who is no member cannot be asked', async () => {
  Object.assign(a.config.members, { targets: ['site-c'] })
  await assert.rejects(create(), { code: 'unauthorized', message: /may not go to 'site-b'/ })
  await assert.rejects(create('compute', { ...vm, provider: 'site-z' }), {
    code: 'invalid_parameter',
    message: /'site-z' is no member/,
  })
})

test('what users hold at other sites does not count against what each may hold here', async () => {
  Object.assign(a.config, { userQuota: { instances: 1 } })
  await create()
  await create()
  await create('compute', { ...vm, provider: undefined })
  await assert.rejects(create('compute', { ...vm, provider: undefined }), {
    code: 'quota_exceeded',
  })
  Object.assign(b.config, { userQuota: { instances: 2 } })
  const third = await create()
  assert.match((await a.order(third))?.faultMessage ?? '', /you use 2 of 2 and ask for 1 more/)
})

test('the history of an order tells each state that its requester saw', async () => {
  const id = await create()
  const seen = (await orderHistory(a.store.db, id)).map(({ state }) => state)
  assert.deepEqual(seen.slice(0, 2), ['OPEN', 'SELECTED'])
  assert.equal(seen.at(-1), 'FULFILLED')
})
