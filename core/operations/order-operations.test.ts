import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { type OperationsBench, openOperationsBench, siteId } from './testing/operations-bench.ts'

let bench: OperationsBench
beforeEach(async () => {
  bench = await openOperationsBench()
})
afterEach(() => bench.close())

const ana = 'ana'
const vm = { imageId: 'debian-12', vCPU: 2, ram: 2048, name: 'vm' }

async function create(kind: string, body: object, user = ana): Promise<string> {
  const { id } = await bench.operations.createOrder(bench.as(user), kind, body)
  await bench.settle()
  return id
}

const get = (kind: string, id: string, user = ana) =>
  bench.operations.getOrder(bench.as(user), kind, id)
const remove = (kind: string, id: string, user = ana) =>
  bench.operations.deleteOrder(bench.as(user), kind, id)
const act = (id: string, action: string, more = {}) =>
  bench.operations.actOnOrder(bench.as(ana, more), 'compute', id, action)

test('an order becomes an instance, is shown with everything of its kind, and goes away', async () => {
  const id = await create('compute', vm)
  const view = await get('compute', id)
  assert.equal(view.state, 'READY')
  assert.equal(view.provider, siteId)
  assert.equal(view.cloudName, 'one')
  assert.equal(view.ready, true)
  assert.equal(view.vCPU, 2)
  assert.equal(view.memory, 2048)
  assert.equal(view.faultMessage, '')
  await remove('compute', id)
  await bench.settle()
  await assert.rejects(get('compute', id), { code: 'instance_not_found' })
  assert.equal(bench.cloud.instances.size, 0)
})

test('an order of somebody else is refused, and so is one of another kind', async () => {
  const id = await create('compute', vm)
  await assert.rejects(get('compute', id, 'bob'), { code: 'unauthorized' })
  await assert.rejects(remove('compute', id, 'bob'), { code: 'unauthorized' })
  await assert.rejects(get('volume', id), {
    code: 'unauthorized',
    message: /is the id of a compute/,
  })
  await assert.rejects(get('compute', 'no-such'), { code: 'instance_not_found' })
  assert.equal((await get('compute', id, 'root:admin')).id, id)
})

test('a wrong reference is told when it is made, and makes nothing', async () => {
  const network = await create('network', { name: 'net' })
  const elsewhere = await create('network', { cloudName: 'two' })
  const others = await create('network', {}, 'bob')
  const wrong: [object, RegExp][] = [
    [{ ...vm, networkIds: ['no-such'] }, /networkIds: you have no active network with the id/],
    [{ ...vm, networkIds: [others] }, /networkIds: you have no active network/],
    [{ ...vm, networkIds: [elsewhere] }, /is in cloud 'two' of site-a, not in 'one'/],
    [
      { ...vm, cloudName: 'three' },
      /cloudName: there is no cloud 'three' at site-a; clouds are one, two/,
    ],
    [{ ...vm, provider: 'site-z' }, /provider: 'site-z' is no member/],
    [{ ...vm, vCPU: 'many' }, /compute\.vCPU: must be integer/],
    [{ vCPU: 1 }, /compute\.imageId: is required/],
  ]
  for (const [body, message] of wrong)
    await assert.rejects(create('compute', body), { code: 'invalid_parameter', message })
  await assert.rejects(create('compute', { ...vm, provider: 'site-b' }), {
    code: 'unavailable_provider',
  })
  const { items } = await bench.operations.listOrders(bench.as(ana), 'compute', {})
  assert.deepEqual(items, [])
  const id = await create('compute', { ...vm, networkIds: [network] })
  const view = await get('compute', id)
  assert.deepEqual(view.networks, [{ id: network, name: 'net' }])
})

test('what is in use is not deleted, and the answer names what uses it', async () => {
  const compute = await create('compute', vm)
  const volume = await create('volume', { size: 1 })
  const attachment = await create('attachment', { computeId: compute, volumeId: volume })
  for (const [kind, id] of [
    ['compute', compute],
    ['volume', volume],
  ] as const)
    await assert.rejects(remove(kind, id), {
      code: 'unacceptable_operation',
      message: new RegExp(`in use; delete first: ${attachment}`),
    })
  await remove('attachment', attachment)
  await bench.settle()
  await remove('volume', volume)
  await assert.rejects(remove('volume', volume), { message: /is being deleted already|no volume/ })
})

test('the same key makes one order, however often and however much at once', async () => {
  const context = () => bench.as(ana, { idempotencyKey: 'key' })
  const make = () => bench.operations.createOrder(context(), 'compute', vm)
  const answers = await Promise.all([make(), make(), make()])
  answers.push(await make())
  assert.equal(new Set(answers.map((answer) => answer.id)).size, 1)
  await bench.settle()
  assert.equal(bench.cloud.made.length, 1)
  await assert.rejects(bench.operations.createOrder(context(), 'compute', { ...vm, vCPU: 4 }), {
    code: 'idempotency_conflict',
  })
  const bobs = await bench.operations.createOrder(
    bench.as('bob', { idempotencyKey: 'key' }),
    'compute',
    vm,
  )
  assert.notEqual(bobs.id, answers[0]?.id)
})

test('a request that was refused does not use up its key', async () => {
  const context = () => bench.as(ana, { idempotencyKey: 'key' })
  await assert.rejects(
    bench.operations.createOrder(context(), 'compute', { ...vm, cloudName: 'three' }),
  )
  assert.ok((await bench.operations.createOrder(context(), 'compute', vm)).id)
})

test('an action happens once, in a state that allows it, and where the cloud can do it', async () => {
  const id = await create('compute', vm)
  await assert.rejects(act(id, 'resume'), {
    code: 'unacceptable_operation',
    message: /Cannot resume compute .*: it is READY/,
  })
  await assert.rejects(act(id, 'hibernate'), { code: 'not_implemented' })
  await assert.rejects(async () => act(id, 'explode'), { code: 'not_found' })
  await act(id, 'pause', { idempotencyKey: 'p' })
  await bench.settle()
  await act(id, 'pause', { idempotencyKey: 'p' })
  const view = await get('compute', id)
  assert.equal(view.state, 'PAUSED')
  assert.equal(view.paused, true)
  await act(id, 'resume')
  await bench.settle()
  assert.equal((await get('compute', id)).state, 'READY')
})

test('an action on all orders of a user says what became of each', async () => {
  const first = await create('compute', vm)
  const second = await create('compute', vm)
  await act(second, 'pause')
  await bench.settle()
  const owner = { id: ana, identityProviderId: siteId }
  const outcomes = await bench.operations.actOnOrdersOfUser(
    bench.as('root:admin'),
    'compute',
    'pause',
    owner,
  )
  assert.deepEqual(outcomes, [
    { id: first, outcome: 'done' },
    { id: second, outcome: 'unchanged' },
  ])
  await assert.rejects(
    bench.operations.actOnOrdersOfUser(bench.as('bob'), 'compute', 'pause', owner),
    { code: 'unauthorized' },
  )
})

test('a snapshot is taken of what is paused, and of nothing else', async () => {
  const names: unknown[] = []
  const id = await create('compute', vm)
  const take = (body: object) => bench.operations.takeSnapshot(bench.as(ana), 'compute', id, body)
  await assert.rejects(take({ name: 's' }), { code: 'not_implemented' })
  bench.cloudPlugin.methods['compute.takeSnapshot'] = (_order: never, name: never) =>
    void names.push(name)
  await assert.rejects(take({ name: 's' }), { code: 'unacceptable_operation' })
  await act(id, 'pause')
  await bench.settle()
  await take({ name: 's' })
  await take({})
  await assert.rejects(take({ name: '' }), { code: 'invalid_parameter' })
  assert.deepEqual(names, ['s', `fogbow-snapshot-${id}`])
})

test('a list shows the orders of its caller, filtered and page by page', async () => {
  const ids: string[] = []
  for (let index = 0; index < 5; index += 1)
    ids.push(
      await create('volume', {
        size: 1,
        name: `disk-${index}`,
        cloudName: index % 2 ? 'two' : 'one',
      }),
    )
  await create('volume', { size: 1 }, 'bob')
  const list = (query: object) => bench.operations.listOrders(bench.as(ana), 'volume', query)
  const page = await list({ limit: 3 })
  assert.deepEqual(
    page.items.map((item) => item.instanceId),
    ids.slice(0, 3),
  )
  const rest = await list({ limit: 3, cursor: page.next })
  assert.deepEqual(
    rest.items.map((item) => item.instanceId),
    ids.slice(3),
  )
  assert.equal(rest.next, undefined)
  assert.equal((await list({ cloudName: 'two' })).items.length, 2)
  assert.equal((await list({ state: ['READY'] })).items.length, 5)
  assert.equal((await list({ state: ['FAILED', 'ERROR'] })).items.length, 0)
  assert.equal((await list({ name: 'DISK-3' })).items.length, 1)
  for (const wrong of [{ limit: 0 }, { limit: 1001 }, { cursor: 'x' }, { state: ['BROKEN'] }])
    await assert.rejects(list(wrong), { code: 'invalid_parameter' })
})

test('a list that did not change is not read, and its version is the same for nobody else', async () => {
  await create('volume', { size: 1 })
  const list = (user: string, unlessVersion?: string) =>
    bench.operations.listOrders(bench.as(user), 'volume', {
      ...(unlessVersion !== undefined && { unlessVersion }),
    })
  const { version } = await list(ana)
  assert.deepEqual(await list(ana, version), { items: [], version })
  await create('volume', { size: 1 })
  const after = await list(ana, version)
  assert.notEqual(after.version, version)
  assert.equal(after.items.length, 2)
  assert.notEqual((await list('bob')).version, (await list('eve')).version)
})

test('allocation sums what the instances of the caller occupy in that cloud', async () => {
  await create('compute', vm)
  await create('compute', vm)
  await create('compute', { ...vm, cloudName: 'two' })
  await create('compute', vm, 'bob')
  const sums = await bench.operations.getAllocation(bench.as(ana), 'compute', siteId, 'one')
  assert.deepEqual(sums, { instances: 2, vCPU: 4, ram: 4096, disk: 40 })
})

test('a quota of the site is kept, also by requests that come at once', async () => {
  Object.assign(bench.config.userQuota, { instances: 2, vCPU: 100 })
  const outcomes = await Promise.allSettled(
    [1, 2, 3, 4].map(() => bench.operations.createOrder(bench.as(ana), 'compute', vm)),
  )
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
  assert.equal(refused.length, 2)
  assert.match(String(refused[0]?.reason), /instances: you use 2 of 2 and ask for 1 more/)
  await create('compute', vm, 'bob')
})

test('deleting everything of a user starts with what depends on the rest', async () => {
  const compute = await create('compute', vm)
  const volume = await create('volume', { size: 1 })
  const attachment = await create('attachment', { computeId: compute, volumeId: volume })
  const owner = { id: ana, identityProviderId: siteId }
  const outcomes = await bench.operations.purgeUser(bench.as('root:admin'), owner)
  assert.deepEqual(
    outcomes.map(({ id, outcome }) => [id, outcome]),
    [
      [attachment, 'done'],
      [volume, 'done'],
      [compute, 'done'],
    ],
  )
  await bench.settle()
  assert.equal(bench.cloud.instances.size, 0)
})

test('the history of an order tells each state and why', async () => {
  bench.cloud.weather = 'refusing'
  const id = await create('compute', vm)
  const history = await bench.operations.getOrderHistory(bench.as(ana), 'compute', id)
  assert.deepEqual(
    history.map((event) => event.state),
    ['OPEN', 'SELECTED', 'FAILED_ON_REQUEST'],
  )
  assert.equal(history.at(-1)?.message, 'no room')
  const view = await get('compute', id)
  assert.equal(view.state, 'ERROR')
  assert.equal(view.faultMessage, 'no room')
})

test('a read that the cloud does not answer in time shows what is known, and why', async () => {
  const id = await create('compute', vm)
  bench.config.orders.readTimeoutMs = 20
  let answer = () => {}
  bench.cloudPlugin.methods['compute.getInstance'] = () =>
    new Promise((resolve) => {
      answer = () => resolve({ state: 'READY', cloudState: 'active', vCPU: 2, ram: 2048, disk: 20 })
    })
  const view = await get('compute', id)
  assert.equal(view.state, 'UNKNOWN')
  assert.match(
    view.faultMessage,
    /Cloud 'one' did not answer within 20 ms; the last answer is shown/,
  )
  assert.equal(view.vCPU, 2)
  const { items } = await bench.operations.listOrders(bench.as(ana), 'compute', {})
  assert.equal(items[0]?.state, 'READY', 'a list does not wait')
  answer()
  await bench.settle()
})
