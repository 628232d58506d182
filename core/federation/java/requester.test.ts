import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSites, eva, THEIRS } from './testing/sites.ts'

const ID = '8d0c2f1e-5f0f-4c8e-9c0b-2f2c7c1f0a11'
const creation = {
  orderId: ID,
  kind: 'compute',
  cloudName: 'c2',
  name: 'worker-1',
  request: { vCPU: 2, ram: 2048, disk: 20, imageId: 'img-7', userData: [], networkIds: [] },
}
const about = { kind: 'compute', orderId: ID }
const TEN_SECONDS = 10_000
const FIVE_MINUTES = 300_000

test('an order at a peer is created, read before and after the cloud has accepted it, and deleted', async () => {
  const { ours, provider } = createSites()
  const created = (await ours.call(THEIRS, 'createOrder', creation, eva)) as { state: string }
  assert.equal(created.state, 'OPEN')
  assert.equal(provider.orders.get(ID)?.name, 'worker-1')

  const early = (await ours.call(THEIRS, 'getInstance', about, eva)) as Record<string, unknown>
  assert.equal(early.state, 'OPEN')
  assert.equal(early.instance, null)
  assert.equal(early.allocation, null)

  provider.fulfil(ID)
  const ready = (await ours.call(THEIRS, 'getInstance', about, eva)) as Record<string, unknown>
  assert.equal(ready.state, 'FULFILLED')
  assert.deepEqual(ready.allocation, { vCPU: 4, ram: 4096, disk: 40 })
  assert.equal((ready.instance as { state: string }).state, 'READY')

  await ours.call(THEIRS, 'deleteOrder', about, eva)
  assert.equal(provider.orders.get(ID)?.orderState, 'ASSIGNED_FOR_DELETION')
})

test('when the peer says that the order is gone, this site hears of it as a change to CLOSED', async () => {
  const { ours, provider, model } = createSites()
  await ours.call(THEIRS, 'createOrder', creation, eva)
  await ours.call(THEIRS, 'deleteOrder', about, eva)
  await provider.checkDeletions()
  const heard = ours.asked.map(({ method, params }) => [method.name, params.state])
  assert.deepEqual(heard, [['orderChanged', 'CLOSED']])
  assert.equal(model.orders.size, 0)
  assert.equal(provider.orders.size, 0, 'an order that nobody knows is acknowledged all the same')
})

test('a creation whose answer was lost is found by reading the order', async () => {
  const { ours, provider, network, during } = createSites()
  network.fault = ({ children }) =>
    JSON.stringify(children).includes('remoteCreateOrder') ? 'lose answer' : undefined
  const created = (await during(ours.call(THEIRS, 'createOrder', creation, eva), TEN_SECONDS)) as {
    state: string
  }
  assert.equal(created.state, 'OPEN')
  assert.equal(provider.orders.size, 1)
})

test('a creation that was lost is of unknown outcome, and can be given again', async () => {
  const { ours, provider, network, during } = createSites()
  network.fault = ({ children }) =>
    JSON.stringify(children).includes('remoteCreateOrder') ? 'lose' : undefined
  await assert.rejects(during(ours.call(THEIRS, 'createOrder', creation, eva), TEN_SECONDS), {
    code: 'unavailable_provider',
    outcome: 'unknown',
  })
  network.fault = () => undefined
  await ours.call(THEIRS, 'createOrder', creation, eva)
  assert.equal(provider.orders.size, 1)
})

test('a creation given again after all answers were lost makes no second order', async () => {
  const { ours, provider, network, during } = createSites()
  network.fault = () => 'lose answer'
  await assert.rejects(
    during(ours.call(THEIRS, 'createOrder', creation, eva), TEN_SECONDS, TEN_SECONDS),
    { code: 'unavailable_provider' },
  )
  network.fault = () => undefined
  const again = (await ours.call(THEIRS, 'createOrder', creation, eva)) as { state: string }
  assert.equal(again.state, 'OPEN')
  assert.equal(provider.orders.size, 1)
})

test('a creation that the peer could not carry out is refused when it does not know the order', async () => {
  const { ours, network, clock } = createSites()
  network.fault = ({ children }) =>
    JSON.stringify(children).includes('remoteCreateOrder')
      ? { bounce: 'undefined-condition' }
      : undefined
  const create = () => ours.call(THEIRS, 'createOrder', creation, eva)
  await assert.rejects(create(), { outcome: 'unknown' }, 'an earlier process may have sent it')
  clock.advance(FIVE_MINUTES)
  await assert.rejects(create(), { code: 'unacceptable_operation', outcome: 'refused' })
})

test('such a refusal is not believed while an earlier creation may still be on its way', async () => {
  const { ours, network, during, clock } = createSites()
  clock.advance(FIVE_MINUTES)
  const isCreation = (iq: object) => JSON.stringify(iq).includes('remoteCreateOrder')
  network.fault = (iq) => (isCreation(iq) ? 'lose' : undefined)
  await assert.rejects(during(ours.call(THEIRS, 'createOrder', creation, eva), TEN_SECONDS))
  network.fault = (iq) => (isCreation(iq) ? { bounce: 'internal-server-error' } : undefined)
  const again = () => ours.call(THEIRS, 'createOrder', creation, eva)
  await assert.rejects(again(), { outcome: 'unknown' })
  clock.advance(FIVE_MINUTES)
  await assert.rejects(again(), { outcome: 'refused' })
})

test('a server that has no way to the peer leaves the outcome open', async () => {
  const { ours, network } = createSites()
  for (const bounce of [
    'remote-server-not-found',
    'service-unavailable',
    'remote-server-timeout',
  ]) {
    network.fault = () => ({ bounce })
    await assert.rejects(ours.call(THEIRS, 'deleteOrder', about, eva), {
      code: 'unavailable_provider',
      outcome: 'unknown',
    })
  }
})

test('a deletion that is running already counts as done, one that is refused does not', async () => {
  const { ours, provider, network } = createSites()
  await ours.call(THEIRS, 'createOrder', creation, eva)
  await ours.call(THEIRS, 'deleteOrder', about, eva)
  await ours.call(THEIRS, 'deleteOrder', about, eva)
  const order = provider.orders.get(ID)
  assert.ok(order)
  order.orderState = 'FULFILLED'
  network.fault = ({ children }) =>
    JSON.stringify(children).includes('remoteDeleteOrder')
      ? { bounce: 'not-acceptable' }
      : undefined
  await assert.rejects(ours.call(THEIRS, 'deleteOrder', about, eva), {
    code: 'unacceptable_operation',
  })
})

test('what a peer does not know any more is not found', async () => {
  const { ours } = createSites()
  for (const method of ['deleteOrder', 'getOrder', 'getInstance'])
    await assert.rejects(ours.call(THEIRS, method, about, eva), { code: 'instance_not_found' })
})

test('without a cloud the order goes to the first cloud of the peer, not to one of this site', async () => {
  const { ours, provider } = createSites()
  const { cloudName: _, ...anywhere } = creation
  await ours.call(THEIRS, 'createOrder', anywhere, eva)
  assert.equal(provider.orders.get(ID)?.cloudName, 'c1')
})

test('the id of a new security rule is found in the list, its ports are integers, and it can be deleted', async () => {
  const { ours } = createSites()
  const network = { kind: 'network', orderId: ID, cloudName: 'c1', name: 'net', request: {} }
  await ours.call(THEIRS, 'createOrder', network, eva)
  const parent = { kind: 'network', orderId: ID }
  const rule = {
    protocol: 'TCP',
    etherType: 'IPv4',
    direction: 'IN',
    portFrom: 22,
    portTo: 80,
    cidr: '10.0.0.0/8',
  }
  const made = await ours.call(THEIRS, 'createSecurityRule', { ...parent, rule }, eva)
  assert.deepEqual(made, { id: 'rule-1' })
  const list = await ours.call(THEIRS, 'listSecurityRules', parent, eva)
  assert.deepEqual(list, [{ ...rule, id: 'rule-1' }])
  await ours.call(THEIRS, 'deleteSecurityRule', { ...parent, ruleId: 'rule-1' }, eva)
  assert.deepEqual(await ours.call(THEIRS, 'listSecurityRules', parent, eva), [])
})

test('a rule whose making was not answered is looked for before it counts as unknown', async () => {
  const { ours, network, during } = createSites()
  const order = { kind: 'network', orderId: ID, cloudName: 'c1', name: 'net', request: {} }
  await ours.call(THEIRS, 'createOrder', order, eva)
  const rule = { protocol: 'ANY', etherType: 'IPv4', direction: 'OUT', cidr: '0.0.0.0/0' }
  const params = { kind: 'network', orderId: ID, rule: { ...rule, portFrom: 0, portTo: 0 } }
  const create = () => during(ours.call(THEIRS, 'createSecurityRule', params, eva), 30_000)
  const isCreation = (iq: object) => JSON.stringify(iq).includes('remoteCreateSecurityRule')
  network.fault = (iq) => (isCreation(iq) ? 'lose' : undefined)
  await assert.rejects(create(), { outcome: 'unknown' })
  network.fault = (iq) => (isCreation(iq) ? 'lose answer' : undefined)
  assert.deepEqual(await create(), { id: 'rule-1' })
})

test('a rule that looks like another one has no certain id', async () => {
  const { ours } = createSites()
  const order = { kind: 'network', orderId: ID, cloudName: 'c1', name: 'net', request: {} }
  await ours.call(THEIRS, 'createOrder', order, eva)
  const rule = { protocol: 'ANY', etherType: 'IPv4', direction: 'OUT', cidr: '0.0.0.0/0' }
  const params = { kind: 'network', orderId: ID, rule: { ...rule, portFrom: 0, portTo: 0 } }
  await ours.call(THEIRS, 'createSecurityRule', params, eva)
  assert.deepEqual(await ours.call(THEIRS, 'createSecurityRule', params, eva), { id: null })
})

test('images, quota and clouds of a peer are read', async () => {
  const { ours } = createSites()
  assert.deepEqual(await ours.call(THEIRS, 'listClouds', {}, eva), ['c1', 'c2'])
  const cloud = { cloudName: 'c1' }
  assert.deepEqual(await ours.call(THEIRS, 'listImages', cloud, eva), [
    { id: 'img-7', name: 'debian-12' },
  ])
  const image = (await ours.call(THEIRS, 'getImage', { ...cloud, id: 'img-7' }, eva)) as object
  assert.equal((image as { minRam: number }).minRam, 512)
  const quota = (await ours.call(THEIRS, 'getQuota', cloud, eva)) as { totalQuota: object }
  assert.equal((quota.totalQuota as { vCPU: number }).vCPU, 8)
})

test('a cloud whose name its parser could not read is sent in quotes', async () => {
  const { ours } = createSites()
  assert.deepEqual(await ours.call(THEIRS, 'listImages', { cloudName: 'my cloud: 1' }, eva), [
    { id: 'img-7', name: 'debian-12' },
  ])
})

test('what the peer does not offer is not sent, and the message says so', async () => {
  const { ours, network } = createSites()
  const asked: [string, Record<string, unknown>][] = [
    ['actOnOrder', { ...about, action: 'pause' }],
    ['actOnOrder', { ...about, action: 'createOrder' }],
    ['takeSnapshot', { ...about, name: 'snap' }],
    ['listSpecs', { cloudName: 'c1' }],
    ['getSpec', { cloudName: 'c1', id: 's' }],
  ]
  for (const [method, params] of asked)
    await assert.rejects(ours.call(THEIRS, method, params, eva), {
      code: 'not_implemented',
      message: /runs the original service, which does not offer/,
    })
  assert.equal(network.stanzas.length, 0)
})

test('a later action goes to a peer that is known to understand it, and no other action does', async () => {
  const { ours, network } = createSites({ laterMethods: ['hibernate'] })
  await assert.rejects(ours.call(THEIRS, 'actOnOrder', { ...about, action: 'hibernate' }, eva), {
    code: 'invalid_parameter',
  })
  assert.match(JSON.stringify(network.stanzas[0]), /remoteHibernateOrder/)
  await assert.rejects(ours.call(THEIRS, 'actOnOrder', { ...about, action: 'resume' }, eva), {
    code: 'not_implemented',
  })
})

test('a change that is not the end of an order is not sent: the peer asks', async () => {
  const { ours, network } = createSites()
  const change = { orderId: ID, generation: 1, state: 'FULFILLED' }
  await ours.call(THEIRS, 'orderChanged', change)
  assert.equal(network.stanzas.length, 0)
})

test('a peer that does not know an order has acknowledged its end', async () => {
  const { ours, network } = createSites()
  await ours.call(THEIRS, 'orderChanged', { orderId: ID, generation: 1, state: 'CLOSED' })
  assert.match(JSON.stringify(network.stanzas.at(-1)), /item-not-found/)
})

test('an answer that makes no sense is as good as none', async () => {
  const { ours, provider } = createSites()
  await ours.call(THEIRS, 'createOrder', creation, eva)
  await assert.rejects(ours.call(THEIRS, 'getOrder', { kind: 'volume', orderId: ID }, eva), {
    code: 'unavailable_provider',
  })
  const order = provider.orders.get(ID)
  assert.ok(order)
  order.vCPU = { deep: [] }
  await assert.rejects(ours.call(THEIRS, 'getOrder', about, eva), {
    code: 'unavailable_provider',
    message: /theirs\.example gave an answer that is none: order\.vCPU/,
  })
  order.vCPU = 2
  order.type = 'TIME_MACHINE'
  await assert.rejects(ours.call(THEIRS, 'getOrder', about, eva), { code: 'unavailable_provider' })
})

test('a ping counts, and so does a peer that does not know pings', async () => {
  const { ours, network } = createSites()
  await ours.dialect.ping(THEIRS, 1000)
  assert.deepEqual(ours.heard, [THEIRS])
  network.fault = () => ({ bounce: 'remote-server-not-found' })
  await assert.rejects(ours.dialect.ping(THEIRS, 1000), { condition: 'remote-server-not-found' })
})

test('what this dialect lacks is said once for each peer', async () => {
  const { ours } = createSites()
  await ours.call(THEIRS, 'listClouds', {}, eva)
  await ours.call(THEIRS, 'listClouds', {}, eva)
  assert.equal(ours.warnings.length, 1)
  assert.match(String(ours.warnings[0]), /theirs\.example .* nothing is signed/)
})
