import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { createXmppComponent, type XmppComponent } from './component.ts'
import { createPeerDiscovery, type SelfDescription, serveDiscovery } from './discovery.ts'
import { childNamed, childText, element } from './stanza.ts'
import { type FakeServer, SECRET, startFakeServer } from './testing/fake-server.ts'
import { createManualClock } from './testing/manual-clock.ts'
import { XmppError } from './xmpp-error.ts'

const INFO = 'http://jabber.org/protocol/disco#info'
const options = { timeoutMs: 5_000 }
let server: FakeServer
let asking: XmppComponent
let asked: XmppComponent
let described: SelfDescription
let descriptions: number

async function join(jid: string): Promise<XmppComponent> {
  const log = { info() {}, warn() {}, error() {} }
  const component = createXmppComponent(
    { jid, host: '127.0.0.1', port: server.port, secret: SECRET },
    { log },
  )
  component.start()
  await server.stream()
  return component
}

beforeEach(async () => {
  server = await startFakeServer()
  server.routing = true
  asking = await join('ras-a.test')
  asked = await join('ras-b.test')
  descriptions = 0
  described = {
    identities: [{ category: 'component', type: 'generic', name: 'Site <B>' }],
    features: ['urn:fogbow:order:1', INFO],
    forms: [
      { type: 'urn:fogbow:limits', fields: { 'max-stanza': ['49152'], versions: ['1', '2'] } },
    ],
    software: { name: 'fogbow', version: '0.1.0' },
  }
  serveDiscovery(asked, () => {
    descriptions += 1
    return described
  })
})

afterEach(async () => {
  await Promise.all([asking.stop(), asked.stop()])
  await server.close()
})

test('a peer learns identities, features and limits', async () => {
  const peers = createPeerDiscovery(asking, createManualClock())
  const info = await peers.ask('ras-b.test')
  assert.deepEqual(info.identities, described.identities)
  assert.deepEqual([...info.features].sort(), [
    INFO,
    'http://jabber.org/protocol/disco#items',
    'jabber:iq:version',
    'urn:fogbow:order:1',
    'urn:xmpp:ping',
  ])
  assert.deepEqual(
    info.forms.map(({ type, fields }) => ({ type, fields: { ...fields } })),
    described.forms,
  )
})

test('an answer is remembered until it expires or is to be forgotten', async () => {
  const clock = createManualClock()
  const peers = createPeerDiscovery(asking, clock, { keepMs: 1_000 })
  const [first, second] = await Promise.all([peers.ask('ras-b.test'), peers.ask('RAS-B.test')])
  assert.equal(first, second)
  clock.advance(999)
  await peers.ask('ras-b.test')
  assert.equal(descriptions, 1)
  clock.advance(1)
  await peers.ask('ras-b.test')
  assert.equal(descriptions, 2)
  peers.forget('ras-b.test')
  await peers.ask('ras-b.test')
  assert.equal(descriptions, 3)
})

test('a failure is not remembered', async () => {
  const peers = createPeerDiscovery(asking, createManualClock())
  const features = described
  described = null as unknown as SelfDescription
  await assert.rejects(
    peers.ask('ras-b.test'),
    (error) => error instanceof XmppError && error.condition === 'internal-server-error',
  )
  described = features
  assert.ok((await peers.ask('ras-b.test')).features.has('urn:fogbow:order:1'))
})

test('no more peers are remembered than allowed', async () => {
  const peers = createPeerDiscovery(asking, createManualClock(), { maxPeers: 1 })
  serveDiscovery(asking, () => described)
  await peers.ask('ras-b.test')
  await peers.ask('ras-a.test')
  await peers.ask('ras-b.test')
  assert.equal(descriptions, 2)
})

test('a description that is no description reads as one that says nothing', async () => {
  asked.serve('get', INFO, async () => [
    element('query', { xmlns: INFO }, [
      element('identity'),
      element('feature'),
      element('x', { xmlns: 'jabber:x:data' }, [element('field')]),
    ]),
  ])
  const info = await createPeerDiscovery(asking, createManualClock()).ask('ras-b.test')
  assert.deepEqual(info.identities, [{ category: '', type: '', name: '' }])
  assert.equal(info.features.size, 0)
  asked.serve('get', INFO, async () => [])
  const none = await createPeerDiscovery(asking, createManualClock()).ask('ras-b.test')
  assert.deepEqual(none.forms, [])
})

test('software, items and ping are answered; unknown nodes are not there', async () => {
  const ask = (name: string, xmlns: string, node?: string) =>
    asking.request('ras-b.test', 'get', [element(name, { xmlns, node })], options)
  const version = childNamed(await ask('query', 'jabber:iq:version'), 'query')
  assert.ok(version)
  assert.deepEqual([childText(version, 'name'), childText(version, 'version')], ['fogbow', '0.1.0'])
  const items = childNamed(await ask('query', 'http://jabber.org/protocol/disco#items'), 'query')
  assert.deepEqual(items?.children, [])
  assert.deepEqual((await ask('ping', 'urn:xmpp:ping')).children, [])
  await assert.rejects(
    ask('query', INFO, 'x'),
    (error) => error instanceof XmppError && error.condition === 'item-not-found',
  )
})
