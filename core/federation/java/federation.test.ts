import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSqliteStore } from '../../store/index.ts'
import { allocationMethods } from '../allocation/methods.ts'
import { createFederation } from '../federation.ts'
import { defaultFederationSettings, type FederationSettings } from '../settings.ts'
import { makeSiteKeys } from '../testing/keys.ts'
import { writePublicKey } from '../trust/index.ts'
import { element, systemClock } from '../xmpp/index.ts'
import { createJavaDialect } from './java-dialect.ts'
import { createJavaProvider } from './testing/java-provider.ts'
import { createJavaRequester } from './testing/java-requester.ts'
import { createMemoryNetwork } from './testing/memory-network.ts'
import { createModelOrders } from './testing/model-orders.ts'

const OURS = 'ours.example'
const THEIRS = 'theirs.example'
const INFO = 'http://jabber.org/protocol/disco#info'
const eva = { id: 'eva', identityProviderId: OURS, name: 'Eva', roles: [] }
const volume = { id: 'order-9', volumeSize: 3, name: 'data', cloudName: 'c1' }
const creation = {
  orderId: 'order-1',
  kind: 'volume',
  cloudName: 'c1',
  name: 'data',
  request: { size: 3 },
}

/** The federation of a site as it is, with a peer of the original service. */
async function startFederation(settings: Partial<FederationSettings>) {
  const network = createMemoryNetwork(systemClock)
  const model = createModelOrders()
  const store = await openSqliteStore(':memory:')
  const log = { info() {}, warn() {}, error() {} }
  const federation = createFederation({
    component: network.component(`ras-${OURS}`),
    store,
    siteId: OURS,
    methods: allocationMethods,
    config: () => ({ ...defaultFederationSettings, members: [THEIRS], ...settings }),
    keys: makeSiteKeys(),
    clock: systemClock,
    log,
    dialects: [createJavaDialect()],
  })
  federation.serve(model.answer)
  const peer = network.component(`ras-${THEIRS}`)
  peer.serve('get', INFO, async () => [element('query', { xmlns: INFO })])
  return {
    federation,
    model,
    provider: createJavaProvider(THEIRS, peer),
    requester: createJavaRequester(THEIRS, peer),
    close: () => store.close(),
  }
}

test('a site of the original service is recognised, and both trade with each other', async () => {
  const { federation, model, provider, requester, close } = await startFederation({
    unsigned: 'allowed',
  })
  await federation.call(THEIRS, 'createOrder', creation, { user: eva, key: 'createOrder/order-1' })
  assert.equal(provider.orders.get('order-1')?.volumeSize, 3)
  assert.equal((await requester.create(OURS, 'VOLUME', volume)).orderState, 'PENDING')
  assert.equal(model.orders.size, 1)
  const [, theirs] = federation.members()
  assert.equal(theirs?.dialect, 'java')
  assert.equal(theirs?.liveness, 'alive')
  await close()
})

const { signing } = makeSiteKeys()
const refusing: [string, Partial<FederationSettings>][] = [
  ['wholly', { unsigned: 'refused' }],
  ['for one member', { unsigned: 'allowed', peers: { [THEIRS]: { dialect: 'own' } } }],
  [
    'by knowing keys of the member',
    { unsigned: 'allowed', peers: { [THEIRS]: { keys: [writePublicKey(signing)] } } },
  ],
  ['because it is no member', { unsigned: 'allowed', members: [] }],
]

for (const [how, settings] of refusing)
  test(`the protocol without signatures can be refused ${how}, in both directions`, async () => {
    const { federation, model, provider, requester, close } = await startFederation(settings)
    const call = federation.call(THEIRS, 'createOrder', creation, { user: eva, timeoutMs: 100 })
    await assert.rejects(call, { code: 'unavailable_provider' })
    assert.equal(provider.orders.size, 0)
    assert.equal((await requester.create(OURS, 'VOLUME', volume)).orderState, 'FAILED_ON_REQUEST')
    assert.equal(model.orders.size, 0)
    await federation.stop()
    await close()
  })
