import assert from 'node:assert/strict'
import { test } from 'node:test'
import { childText, type Element } from '../xmpp/index.ts'
import { createSites, OURS, THEIRS } from './testing/sites.ts'

const ID = '0b9f3c1e-0000-4f0c-8e9c-0b2f2c7c1f0a'
const compute = {
  id: ID,
  vCPU: 2,
  ram: 2048,
  disk: 20,
  userData: [],
  name: 'worker-1',
  imageId: 'img-7',
  publicKey: 'ssh-ed25519 AAAA rui',
  actualAllocation: { instances: 0, vCPU: 0, ram: 0, disk: 0 },
  networkOrderIds: [],
  cloudName: 'c1',
  requirements: { gpu: 'yes' },
}
const network = { id: ID, name: 'net-1', cidr: '10.5.0.0/24', cloudName: 'c1' }
const rule =
  '{"protocol":"TCP","etherType":"IPv4","direction":"IN","portFrom":22,"portTo":22,"cidr":"0.0.0.0/0"}'

test('an order of a peer lives here and is followed by the peer until it is gone', async () => {
  const { model, requester, ours } = createSites()
  const copy = await requester.create(OURS, 'COMPUTE', compute)
  assert.equal(copy.orderState, 'PENDING')
  const order = model.orders.get(ID)
  assert.ok(order)
  assert.deepEqual(order.request, {
    vCPU: 2,
    ram: 2048,
    disk: 20,
    userData: [],
    imageId: 'img-7',
    publicKey: 'ssh-ed25519 AAAA rui',
    networkIds: [],
    requirements: { gpu: 'yes' },
  })
  assert.deepEqual(order.owner, { id: 'u9', identityProviderId: THEIRS, name: 'rui', roles: [] })

  await requester.synchronise()
  assert.equal(copy.orderState, 'OPEN')
  Object.assign(order, {
    state: 'FULFILLED',
    instanceId: 'i-1',
    allocation: { vCPU: 4, ram: 4096, disk: 40 },
    instance: { state: 'READY', cloudState: 'active', vCPU: 4, ram: 4096, disk: 40 },
  })
  await requester.synchronise()
  assert.equal(copy.orderState, 'FULFILLED')
  assert.deepEqual(copy.actualAllocation, { instances: 1, vCPU: 4, ram: 4096, disk: 40 })
  const instance = await requester.read(ID)
  assert.equal(instance.state, 'READY')
  assert.equal(instance.isReady, true)
  assert.equal(instance.publicKey, 'ssh-ed25519 AAAA rui')

  await requester.remove(ID)
  assert.equal(order.state, 'ASSIGNED_FOR_DELETION')
  await ours.call(THEIRS, 'orderChanged', { orderId: ID, generation: 9, state: 'CLOSED' })
  assert.equal(requester.orders.size, 0)
})

test('an instance is read before the cloud has accepted the order', async () => {
  const { requester } = createSites()
  await requester.create(OURS, 'COMPUTE', compute)
  const instance = await requester.read(ID)
  assert.equal(instance.state, 'DISPATCHED')
  assert.equal(instance.vCPU, 0)
  assert.equal(instance.name, 'worker-1')
  assert.equal(instance.isReady, false)
})

test('only the eleven states of the first version are told', async () => {
  const { requester, model } = createSites()
  const copy = await requester.create(OURS, 'COMPUTE', compute)
  const order = model.orders.get(ID)
  assert.ok(order)
  for (const state of ['PAUSED', 'STOPPED', 'HIBERNATING', 'RESUMING']) {
    order.state = state
    await requester.synchronise()
    assert.equal(copy.orderState, 'FULFILLED')
    assert.equal((await requester.read(ID)).state, 'READY')
  }
  order.state = 'A_STATE_TO_COME'
  await requester.synchronise()
  assert.equal(copy.orderState, 'UNABLE_TO_CHECK_STATUS')
})

test('a fault is told in as many characters as fit there', async () => {
  const { requester, model } = createSites()
  const copy = await requester.create(OURS, 'COMPUTE', compute)
  Object.assign(model.orders.get(ID) ?? {}, {
    state: 'FAILED_ON_REQUEST',
    faultMessage: 'x'.repeat(400),
  })
  await requester.synchronise()
  assert.equal(copy.orderState, 'FAILED_ON_REQUEST')
  assert.equal(String(copy.faultMessage).length, 255)
})

test('the same order again is accepted and made once, also while the first is under way', async () => {
  const { requester, model, ours } = createSites()
  const all = await Promise.all([1, 2, 3].map(() => requester.create(OURS, 'COMPUTE', compute)))
  assert.deepEqual(
    all.map(({ orderState }) => orderState),
    ['PENDING', 'PENDING', 'PENDING'],
  )
  assert.equal(model.orders.size, 1)
  Object.assign(model.orders.get(ID) ?? {}, { state: 'FULFILLED', allocation: { vCPU: 8 } })
  assert.equal((await requester.create(OURS, 'COMPUTE', compute)).orderState, 'PENDING')
  const made = ours.asked.filter(({ method }) => method.name === 'createOrder')
  assert.equal(made.length, 1)
})

test('another order under the id of an earlier one is refused', async () => {
  const { requester, model } = createSites()
  await requester.create(OURS, 'COMPUTE', compute)
  const other = await requester.create(OURS, 'COMPUTE', { ...compute, vCPU: 3 })
  assert.equal(other.orderState, 'FAILED_ON_REQUEST')
  const kind = await requester.create(OURS, 'VOLUME', { id: ID, volumeSize: 3, name: 'v' })
  assert.equal(kind.orderState, 'FAILED_ON_REQUEST')
  assert.equal(model.orders.get(ID)?.request.vCPU, 2)
})

test('a repeated deletion is acknowledged, one that is refused is not', async () => {
  const { requester, model } = createSites()
  await requester.create(OURS, 'COMPUTE', compute)
  await requester.remove(ID)
  await requester.remove(ID)
  assert.equal(model.orders.get(ID)?.state, 'ASSIGNED_FOR_DELETION')
  model.orders.delete(ID)
  await assert.rejects(requester.remove(ID), { condition: 'item-not-found' })
})

test('an order without a name gets one', async () => {
  const { requester, model } = createSites()
  const attachment = { id: ID, computeOrderId: 'c', volumeOrderId: 'v', device: '/dev/sdb' }
  await requester.create(OURS, 'ATTACHMENT', attachment)
  assert.equal(model.orders.get(ID)?.name, `fogbow-${ID}`)
  assert.deepEqual(model.orders.get(ID)?.request, {
    computeId: 'c',
    volumeId: 'v',
    device: '/dev/sdb',
  })
})

test('a security rule is made, listed and deleted; its id is told as an addition', async () => {
  const { requester, model } = createSites()
  await requester.create(OURS, 'NETWORK', network)
  const systemUser = JSON.stringify(requester.user)
  const on = { orderId: ID, systemUser }
  const made = await requester.ask(OURS, 'set', 'remoteCreateSecurityRule', {
    ...on,
    securityRule: rule,
  })
  assert.equal(made && childText(made, 'ruleId'), 'rule-1')
  const list = await requester.ask(OURS, 'get', 'remoteGetAllSecurityRules', on)
  assert.match(String(childText(list as Element, 'securityRuleList')), /"id":"rule-1"/)

  const deletion = (cloudName: string, ruleId: string) =>
    requester.ask(OURS, 'set', 'remoteDeleteSecurityRule', { cloudName, systemUser, ruleId })
  await assert.rejects(deletion('c2', 'rule-1'), { condition: 'item-not-found' })
  await assert.rejects(deletion('c1', 'rule-2'), { condition: 'item-not-found' })
  await deletion('c1', 'rule-1')
  assert.equal(model.rules.length, 0)
})

test('a rule that the peer was never told of cannot be deleted by guessing its id', async () => {
  const { requester, model } = createSites()
  await requester.create(OURS, 'NETWORK', network)
  model.rules.push({ orderId: ID, rule: { id: 'rule-1' } })
  const systemUser = JSON.stringify(requester.user)
  const args = { cloudName: 'c1', systemUser, ruleId: 'rule-1' }
  await assert.rejects(requester.ask(OURS, 'set', 'remoteDeleteSecurityRule', args), {
    condition: 'item-not-found',
    text: /list the rules of its order first/,
  })
  assert.equal(model.rules.length, 1)
})

test('clouds whose names the peer could not read are not offered to it', async () => {
  const { requester } = createSites()
  const args = { systemUser: JSON.stringify(requester.user) }
  const answer = await requester.ask(OURS, 'get', 'remoteGetCloudNames', args)
  assert.equal(answer && childText(answer, 'cloudNamesList'), '["c1","c2"]')
})

test('later actions are understood from a peer that knows them', async () => {
  const { requester, model, ours } = createSites()
  await requester.create(OURS, 'COMPUTE', compute)
  const args = {
    orderId: ID,
    instanceType: 'COMPUTE',
    systemUser: JSON.stringify(requester.user),
  }
  for (const name of ['Pause', 'Hibernate', 'Stop', 'Resume'])
    await requester.ask(OURS, 'set', `remote${name}Order`, args)
  assert.equal(model.orders.get(ID)?.state, 'PAUSED')
  const { orderId: order, systemUser } = args
  const snapshot = { order, snapshotName: 'before', systemUser }
  await requester.ask(OURS, 'get', 'remoteTakeSnapshot', snapshot)
  const done = ours.asked.map(({ method, params }) => params.action ?? method.name).slice(-5)
  assert.deepEqual(done, ['pause', 'hibernate', 'stop', 'resume', 'takeSnapshot'])
})
