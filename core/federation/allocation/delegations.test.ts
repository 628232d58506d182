import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { orderHistory } from '../../orders/index.ts'
import { TestClock } from '../../orders/testing/bench.ts'
import { MemoryNetwork, type Road } from './testing/memory-network.ts'
import { pass, SiteBench, settle } from './testing/site-bench.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const TOKEN_MS = 60_000
/** Token of Ana: the stand-in reads her name and role out of it. */
const ANA = 'ana:user'

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

const vm = { imageId: 'debian-12', vCPU: 2, ram: 2048, name: 'vm' }
const there = (road: Road) => network.roads.set('site-a site-b', road)
const back = (road: Road) => network.roads.set('site-b site-a', road)
const wait = (ms: number) => pass(network, clock, ms)

async function create(provider: string): Promise<string> {
  const { id } = await a.operations.createOrder(a.as(ANA), 'compute', { ...vm, provider })
  await settle(network)
  return id
}
const get = (id: string) => a.operations.getOrder(a.as(ANA), 'compute', id)
const revoke = async (id: string, reason = 'the project is over', at = a, user = ANA) => {
  const view = await at.operations.revokeDelegation(at.as(user), 'compute', id, { reason })
  await settle(network)
  return view
}
const grant = async (id: string, body: object = {}, user = ANA) => {
  const view = await a.operations.grantDelegation(a.as(user), 'compute', id, body)
  await settle(network)
  return view
}

/** From a moment on each token lasts a minute. */
function endTokensSoon(site: SiteBench): void {
  const expiresAt = clock.time + TOKEN_MS
  const read = site.aaaPlugin.methods['federationIdentity.getFederationUserToken'] as (
    tokenValue: string,
  ) => object
  site.aaaPlugin.methods['federationIdentity.getFederationUserToken'] = (tokenValue: string) => ({
    ...read(tokenValue),
    expiresAt,
  })
}

for (const provider of ['site-a', 'site-b']) {
  const cloudOf = () => (provider === 'site-a' ? a : b).cloud

  test(`an order at ${provider} goes on after its owner's token has expired, also after a restart`, async () => {
    endTokensSoon(a)
    cloudOf().looksUntilDone = 100
    const id = await create(provider)
    await wait(2 * TOKEN_MS)
    await assert.rejects(get(id), { code: 'unauthenticated', message: /expired/ })
    await a.kill()
    await b.kill()
    await wait(HOUR_MS)
    assert.equal((await a.order(id))?.state, 'FULFILLED')
    const { delegation, owner } = (await a.order(id)) ?? {}
    assert.deepEqual(delegation?.owner, { id: owner?.id, identityProviderId: 'site-a' })
    assert.equal(delegation?.revokedAt, null)
  })

  test(`what is revoked of an order at ${provider} is not worked on any more, says why, and stays`, async () => {
    const id = await create(provider)
    const view = await revoke(id)
    assert.equal(view.active, false)
    assert.equal(view.revokedBy, 'ana@site-a')
    const calls = cloudOf().calls
    await wait(2 * DAY_MS)
    await a.kill()
    await b.kill()
    await wait(DAY_MS)
    assert.equal(cloudOf().calls, calls, 'nobody asked the cloud anything')
    assert.equal(cloudOf().instances.size, 1, 'nothing was deleted')
    const shown = await get(id)
    assert.match(shown.faultMessage, /Stopped: ana of site-a revoked .*: the project is over/)
    const history = await orderHistory(a.store.db, id)
    assert.match(history.at(-1)?.message ?? '', /the project is over/)
    await assert.rejects(a.operations.actOnOrder(a.as(ANA), 'compute', id, 'pause'), {
      code: 'unacceptable_operation',
      message: /^Stopped: /,
    })
    assert.equal(cloudOf().calls, calls)
  })

  test(`work on an order at ${provider} goes on when the delegation is granted anew`, async () => {
    cloudOf().looksUntilDone = 1000
    const id = await create(provider)
    await revoke(id)
    cloudOf().looksUntilDone = 0
    await wait(HOUR_MS)
    assert.equal((await a.order(id))?.state, 'SPAWNING')
    const view = await grant(id, { expiresAt: new Date(clock.time + DAY_MS).toISOString() })
    assert.equal(view.active, true)
    await wait(HOUR_MS)
    assert.equal((await a.order(id))?.state, 'FULFILLED')
    assert.equal((await get(id)).faultMessage, '')
    assert.equal(cloudOf().made.length, 1)
    await wait(2 * DAY_MS)
    const calls = cloudOf().calls
    await wait(2 * DAY_MS)
    assert.equal(cloudOf().calls, calls, 'until it ends')
    assert.match((await get(id)).faultMessage, /the delegation for this order ended at/)
  })

  test(`an order at ${provider} that was revoked can be deleted, and that is all that is done`, async () => {
    const id = await create(provider)
    await revoke(id)
    await a.operations.deleteOrder(a.as(ANA), 'compute', id)
    await settle(network)
    await wait(HOUR_MS)
    const { state, delegation } = (await a.order(id)) ?? {}
    assert.equal(state, 'CLOSED')
    assert.equal(delegation?.scope, 'deletion')
    assert.equal(cloudOf().instances.size, 0)
  })

  test(`a new order at ${provider} ends when the site says so`, async () => {
    a.config.orders.delegationDays = 2
    const id = await create(provider)
    await wait(DAY_MS)
    assert.equal((await get(id)).faultMessage, '')
    await wait(3 * DAY_MS)
    const calls = cloudOf().calls
    await wait(3 * DAY_MS)
    assert.equal(cloudOf().calls, calls)
    assert.match((await get(id)).faultMessage, /the delegation for this order ended at/)
    assert.equal(cloudOf().instances.size, 1)
  })
}

test('a deletion that was asked for goes on when what allowed work before has ended', async () => {
  a.config.orders.delegationDays = 1
  for (const provider of ['site-a', 'site-b']) {
    const id = await create(provider)
    const { cloud } = provider === 'site-a' ? a : b
    cloud.weather = 'down'
    await a.operations.deleteOrder(a.as(ANA), 'compute', id)
    await wait(2 * DAY_MS)
    assert.notEqual((await a.order(id))?.state, 'CLOSED')
    cloud.weather = 'fine'
    await wait(DAY_MS)
    assert.equal((await a.order(id))?.state, 'CLOSED', provider)
    assert.equal(cloud.instances.size, 0)
  }
})

test('a provider that is told of an end when it is over ends as well', async () => {
  a.config.orders.delegationDays = 1
  back('cut')
  const id = await create('site-b')
  there('cut')
  await wait(3 * DAY_MS)
  there('open')
  back('open')
  await wait(DAY_MS)
  const calls = b.cloud.calls
  await wait(DAY_MS)
  assert.equal(b.cloud.calls, calls)
  assert.match((await b.order(id))?.faultMessage ?? '', /ended at/)
})

test('a provider that cannot be reached is told as soon as it can be', async () => {
  b.cloud.looksUntilDone = 10_000
  const id = await create('site-b')
  there('cut')
  await revoke(id)
  await wait(60_000)
  assert.match((await a.order(id))?.faultMessage ?? '', /Provider 'site-b' was not told yet/)
  assert.equal((await b.order(id))?.delegation?.revokedAt, null)
  there('open')
  await wait(HOUR_MS)
  assert.ok((await b.order(id))?.delegation?.revokedAt)
  const calls = b.cloud.calls
  await wait(DAY_MS)
  assert.equal(b.cloud.calls, calls)
})

test('what arrives late or twice changes nothing that was said later', async () => {
  const id = await create('site-b')
  for (const road of ['echo', 'late', 'jumbled'] as const) {
    there(road)
    await revoke(id)
    await grant(id)
    there('open')
    await wait(HOUR_MS)
    assert.equal((await b.order(id))?.delegation?.revokedAt, null, road)
    assert.equal((await get(id)).faultMessage, '', road)
  }
})

test('an administrator of the provider can revoke: the requester is told why, and its user cannot take it back', async () => {
  const id = await create('site-b')
  await revoke(id, 'maintenance of the rack', b, 'root:admin')
  await wait(1000)
  assert.match((await get(id)).faultMessage, /root of site-b revoked .*: maintenance of the rack/)
  await grant(id)
  await wait(HOUR_MS)
  assert.ok((await b.order(id))?.delegation?.revokedAt)
  const calls = b.cloud.calls
  await wait(DAY_MS)
  assert.equal(b.cloud.calls, calls)
})

test('nobody revokes or grants for somebody else, but an administrator', async () => {
  const id = await create('site-a')
  for (const change of [revoke(id, '', a, 'eve:user'), grant(id, {}, 'eve:user')])
    await assert.rejects(change, { code: 'unauthorized' })
  await revoke(id, 'unpaid', a, 'root:admin')
  await assert.rejects(grant(id), {
    code: 'unauthorized',
    message: /root of site-a revoked this delegation; ask an administrator/,
  })
  assert.equal((await grant(id, {}, 'root:admin')).active, true)
})

test('what was asked of the cloud when it was revoked is kept, and no second one is made later', async () => {
  const request = a.plugin.methods['compute.requestInstance'] as (...args: never[]) => unknown
  const gate = Promise.withResolvers<void>()
  a.plugin.methods['compute.requestInstance'] = async (...args: never[]) => {
    const made = await request(...args)
    await gate.promise
    return made
  }
  const { id } = await a.operations.createOrder(a.as(ANA), 'compute', { ...vm, provider: 'site-a' })
  while (a.cloud.made.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const revoking = a.operations.revokeDelegation(a.as(ANA), 'compute', id, {})
  await revoking
  gate.resolve()
  await settle(network)
  await wait(HOUR_MS)
  const stopped = await a.order(id)
  assert.equal(stopped?.instanceId, 'vm-0')
  assert.match(stopped?.faultMessage ?? '', /^Stopped: /)
  await grant(id)
  await wait(HOUR_MS)
  assert.equal((await a.order(id))?.state, 'FULFILLED')
  assert.deepEqual(a.cloud.made, [id])
})

test('an order without delegation, or with that of somebody else, is left alone', async () => {
  const id = await create('site-a')
  const { delegation } = (await a.order(id)) ?? {}
  const strange = { ...delegation, owner: { id: 'eve', identityProviderId: 'site-a' } }
  for (const value of [null, JSON.stringify(strange)]) {
    await a.store.write((db) =>
      db.updateTable('orders').set({ delegation: value, next_due: 0 }).execute(),
    )
    await a.kill()
    const calls = a.cloud.calls
    await wait(DAY_MS)
    assert.equal(a.cloud.calls, calls)
    assert.match((await get(id)).faultMessage, /there is no delegation of its owner/)
  }
  assert.equal((await grant(id)).active, true)
})

test('an order that failed goes on to say why', async () => {
  a.cloud.weather = 'refusing'
  const id = await create('site-a')
  await revoke(id)
  await wait(HOUR_MS)
  assert.match((await a.order(id))?.faultMessage ?? '', /no room/)
})

test('no token of a user is in any store, in what sites say to each other, or with what maps to accounts', async () => {
  const [here, away] = [await create('site-a'), await create('site-b')]
  for (const id of [here, away]) {
    await a.operations.actOnOrder(a.as(ANA), 'compute', id, 'pause')
    await settle(network)
    await a.operations.actOnOrder(a.as(ANA), 'compute', id, 'resume')
    await settle(network)
    await get(id)
    await revoke(id)
    await grant(id)
  }
  const said = network.said.join()
  assert.ok(said.includes(away) && said.includes('"identityProviderId":"site-a"'))
  assert.ok(!said.includes(ANA))
  for (const site of [a, b]) {
    assert.ok(!(await everythingIn(site)).includes(ANA), site.id)
    const mapped = site.aaaPlugin.calls.filter(({ method }) => method.endsWith('getToken'))
    assert.ok(mapped.length > 0)
    assert.ok(!JSON.stringify(mapped).includes(ANA), 'the mapper gets who the user is')
    const asked = JSON.stringify(site.plugin.calls)
    assert.ok(!asked.includes(ANA))
  }
})

/** Each row of each table, as text. */
async function everythingIn({ store }: SiteBench): Promise<string> {
  const tables = await store.db.introspection.getTables()
  assert.ok(tables.length > 10)
  const rows = await Promise.all(
    tables.map(({ name }) =>
      store.db
        .selectFrom(name as 'orders')
        .selectAll()
        .execute(),
    ),
  )
  const text = JSON.stringify(rows)
  assert.ok(text.includes('"user_id":"ana"'))
  return text
}
