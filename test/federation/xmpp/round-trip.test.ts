import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  childNamed,
  childText,
  createPeerDiscovery,
  element,
  StanzaError,
  serveDiscovery,
  systemClock,
  textOf,
  XmppError,
} from '../../../core/federation/xmpp/index.ts'
import { loopbackAddress } from '../servers/addresses.ts'
import type { Certificate } from '../servers/certificates.ts'
import { startProsody } from '../servers/prosody.ts'
import { echo, linkIs, NAMESPACE, query, type Site, type Sites, startSites } from './site.ts'

const STRANGER = 'ras.stranger.test'
let all: Sites
let strangerAddress: string

before(async () => {
  strangerAddress = await loopbackAddress()
  const names = { [STRANGER]: strangerAddress }
  all = await startSites(['prosody', 'prosody', 'ejabberd'], { names })
})
after(() => all.remove())

const pairs: [string, number, number][] = [
  ['Prosody to Prosody', 0, 1],
  ['Prosody to ejabberd', 0, 2],
  ['ejabberd to Prosody', 2, 1],
  ['ejabberd to itself', 2, 2],
  ['Prosody to itself', 0, 0],
]
const site = (n: number) => all.sites[n] as Site
const options = { timeoutMs: 10_000 }

for (const [name, a, b] of pairs) {
  test(`${name}: a request crosses both servers, and its result comes back`, async () => {
    const answer = await echo(site(a).component, site(b), 'hello')
    assert.equal(childText(answer, 'query'), 'hello')
    assert.equal(answer.attributes.from, site(b).jid)
  })

  test(`${name}: 60 KB of text that is not ASCII arrive whole, both ways, every time`, async () => {
    const text = 'ação – 東京 – 🦊 '.repeat(2_300)
    const bytes = Buffer.byteLength(text)
    assert.ok(bytes > 60_000, String(bytes))
    for (let n = 0; n < 5; n += 1)
      assert.equal(childText(await echo(site(a).component, site(b), text), 'query'), text)
  })

  test(`${name}: the two children of an older peer's request arrive`, async () => {
    site(b).component.serve('set', NAMESPACE, async ({ iq, payload, from }) => [
      query(`${from} ${childText(iq, 'systemUser')} ${childText(payload, 'orderId')}`),
    ])
    const answer = await site(a).component.request(
      site(b).jid,
      'set',
      [
        element('systemUser', {}, ['{"id":"u1"}']),
        element('query', { xmlns: NAMESPACE }, [element('orderId', {}, ['8d0c'])]),
      ],
      options,
    )
    assert.equal(childText(answer, 'query'), `${site(a).jid} {"id":"u1"} 8d0c`)
  })

  test(`${name}: an error arrives with its condition, type and text`, async () => {
    site(b).component.serve('get', 'urn:refusing', async () => {
      throw new StanzaError('item-not-found', 'no such order: é')
    })
    const call = site(a).component.request(
      site(b).jid,
      'get',
      [element('query', { xmlns: 'urn:refusing' })],
      options,
    )
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof XmppError)
      const { kind, condition, type, text } = error
      assert.deepEqual(
        [kind, condition, type, text],
        ['stanza', 'item-not-found', 'cancel', 'no such order: é'],
      )
      return true
    })
  })
}

test('sites learn of each other what they can do', async () => {
  for (const n of [1, 2])
    serveDiscovery(site(n).component, () => ({
      identities: [{ category: 'component', type: 'generic', name: `Site ${n}` }],
      features: [NAMESPACE],
      forms: [{ type: 'urn:test:limits', fields: { bytes: ['49152'] } }],
      software: { name: 'fogbow', version: '0.1.0' },
    }))
  const peers = createPeerDiscovery(site(0).component, systemClock)
  for (const n of [1, 2]) {
    const { identities, features, forms } = await peers.ask(site(n).jid)
    assert.equal(identities[0]?.name, `Site ${n}`)
    assert.ok(features.has(NAMESPACE))
    assert.deepEqual(forms[0]?.fields.bytes, ['49152'])
  }
})

test('a peer that does not exist is an answer of the own server, not a timeout', async () => {
  for (const n of [0, 2])
    await assert.rejects(
      site(n).component.request('ras-x.nowhere.test', 'get', [query('x')], options),
      (error) => error instanceof XmppError && error.kind === 'stanza' && error.sent,
    )
})

test('a site is a peer if its certificate is of the authority, and none if it signed its own', async (t) => {
  const { authority, names } = all
  const start = async (certificate: Certificate) => {
    const server = await startProsody({
      domain: 'stranger.test',
      address: strangerAddress,
      components: { [STRANGER]: 'secret' },
      authority,
      certificate,
      names,
    })
    const component = site(0).connect({
      jid: STRANGER,
      host: server.address,
      port: server.portOf(STRANGER),
      secret: 'secret',
    })
    component.start()
    await linkIs(component, 'online')
    const end = async () => {
      await component.stop()
      await server.remove()
    }
    t.after(end)
    return { component, end }
  }
  const stranger = await start(authority.selfSigned('stranger.test'))
  for (const n of [1, 2])
    await assert.rejects(
      echo(stranger.component, site(n), 'x'),
      (error) => error instanceof XmppError && error.kind === 'stanza',
    )
  await stranger.end()
  const member = await start(authority.issue('stranger.test'))
  for (const n of [1, 2]) await echo(member.component, site(n), 'x')
})

test('what is served in parallel comes back to who asked for it', async () => {
  const calls = Array.from({ length: 200 }, (_, n) =>
    echo(site(n % 3).component, site((n + 1) % 3), String(n)),
  )
  const answers = await Promise.all(calls)
  assert.deepEqual(
    answers.map((answer) => Number(textOf(childNamed(answer, 'query') ?? query('')))),
    calls.map((_, n) => n),
  )
})
