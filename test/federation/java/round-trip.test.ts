import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createJavaDialect } from '../../../core/federation/java/index.ts'
import { createJavaProvider } from '../../../core/federation/java/testing/java-provider.ts'
import { createJavaRequester } from '../../../core/federation/java/testing/java-requester.ts'
import { createModelOrders } from '../../../core/federation/java/testing/model-orders.ts'
import { createModelSite } from '../../../core/federation/java/testing/model-site.ts'
import { siteOf } from '../../../core/federation/site-jid.ts'
import { systemClock } from '../../../core/federation/xmpp/index.ts'
import { type Site, type Sites, startSites } from '../xmpp/site.ts'

const servers = ['prosody', 'prosody', 'ejabberd'] as const
const pairs: [string, number, number][] = [
  ['Prosody to Prosody', 0, 1],
  ['Prosody to ejabberd', 0, 2],
]
let all: Sites

before(async () => {
  all = await startSites(servers)
})
after(() => all.remove())

const site = (n: number) => all.sites[n] as Site
const idOf = ({ jid }: Site) => siteOf(jid) ?? ''

function createOurs(at: Site) {
  const model = createModelOrders()
  const ours = createModelSite({
    siteId: idOf(at),
    component: at.component,
    clock: systemClock,
    create: createJavaDialect(),
    answer: model.answer,
  })
  return { ours, model }
}

for (const [name, a, b] of pairs) {
  test(`${name}: an order at a site of the original service is made, read, deleted and ended`, async () => {
    const { ours } = createOurs(site(a))
    const theirs = idOf(site(b))
    const provider = createJavaProvider(theirs, site(b).component)
    const user = { id: 'eva', identityProviderId: idOf(site(a)), name: 'Eva', roles: [] }
    const about = { kind: 'compute', orderId: `order-${a}-${b}` }
    const request = { vCPU: 1, ram: 512, disk: 0, imageId: 'img-7', publicKey: "<ana & 'bob'>" }
    const creation = { ...about, cloudName: 'c1', name: 'ação', request }

    await ours.call(theirs, 'createOrder', creation, user)
    provider.fulfil(about.orderId)
    const report = (await ours.call(theirs, 'getInstance', about, user)) as {
      state: string
      instance: Record<string, unknown>
    }
    assert.equal(report.state, 'FULFILLED')
    assert.equal(report.instance.name, 'ação')
    assert.equal(provider.orders.get(about.orderId)?.publicKey, "<ana & 'bob'>")

    await ours.call(theirs, 'deleteOrder', about, user)
    assert.equal(await provider.checkDeletions(), 0)
    const told = ours.asked.map(({ params }) => [params.orderId, params.state])
    assert.deepEqual(told, [[about.orderId, 'CLOSED']])
  })

  test(`${name}: an order of a site of the original service lives here until it is deleted`, async () => {
    const { ours, model } = createOurs(site(a))
    const here = idOf(site(a))
    const requester = createJavaRequester(idOf(site(b)), site(b).component)
    const id = `order-${b}-${a}`
    const volume = { id, volumeSize: 3, name: 'data', actualAllocation: null, cloudName: 'c1' }

    const copy = await requester.create(here, 'VOLUME', volume)
    assert.equal(copy.orderState, 'PENDING')
    Object.assign(model.orders.get(id) ?? {}, {
      state: 'FULFILLED',
      allocation: { storage: 4 },
      instance: { state: 'READY', cloudState: 'available', size: 4 },
    })
    await requester.synchronise()
    assert.equal(copy.orderState, 'FULFILLED')
    assert.deepEqual(copy.actualAllocation, { instances: 1, storage: 4 })
    assert.equal((await requester.read(id)).size, 4)

    await requester.remove(id)
    const end = { orderId: id, generation: 1, state: 'CLOSED' }
    await ours.call(idOf(site(b)), 'orderChanged', end)
    assert.equal(requester.orders.size, 0)
  })
}
