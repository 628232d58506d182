import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { jidOf } from '../site-jid.ts'
import type { Carried } from '../testing/fake-network.ts'
import { ended, type FederatedSite, startFederatedSites } from '../testing/federated-sites.ts'
import { makeSiteKeys } from '../testing/keys.ts'
import { createTrust, type RefusalReason, type SiteKeys } from '../trust/index.ts'
import { type Element, element, elementsOf, textOf, XmppError } from '../xmpp/index.ts'
import { NAMESPACE } from './protocol.ts'

const alive = { isOver: false, step() {} }
const SENT = 'sent by hand'

/** Three sites; stanzas in the name of the first are written by the test, with whatever keys. */
async function stage(t: TestContext) {
  const world = await startFederatedSites(['site-a', 'site-b', 'site-c'])
  t.after(() => world.close())
  const [a, b, c] = world.sites as [FederatedSite, FederatedSite, FederatedSite]
  const trustOf = (siteId: string, keys: SiteKeys, aheadMs = 0) =>
    createTrust({
      siteId,
      keys,
      store: c.store,
      settings: () => c.settings,
      clock: { ...world.time, now: () => world.time.now() + aheadMs },
      log: { info() {}, warn() {}, error() {} },
    })
  let count = 0
  const newId = () => `${SENT}-${++count}`.replaceAll(' ', '-').padEnd(22, 'x')
  const by = (id: string, keys: SiteKeys, aheadMs = 0) => {
    const trust = trustOf(id, keys, aheadMs)
    return (method: string, params: object, more: object = {}) =>
      trust.seal('request', {
        to: 'site-b',
        id: newId(),
        expiresAt: world.time.now() + 10_000,
        claims: { method, params },
        ...more,
      }).text
  }
  const component = world.network.attach(jidOf('site-a'), alive)

  /** @returns the answer, or what the stanza error says */
  async function send(type: 'get' | 'set', child: Element): Promise<Element | string> {
    const request = component.request(jidOf('site-b'), type, [child], { timeoutMs: 60_000 })
    const sent = ended(request)
    for (let ms = 0; ms < 61_000 && !sent.outcome; ms += 500) await world.pass(500)
    return request.catch((error) => {
      assert.ok(error instanceof XmppError)
      return error.text || error.kind
    })
  }
  const sendText = (text: string, type: 'get' | 'set' = 'set') =>
    send(type, element('request', { xmlns: NAMESPACE }, [text]))

  function opened(answer: Element | string) {
    assert.ok(typeof answer === 'object', String(answer))
    const [child] = elementsOf(answer)
    const envelope = trustOf('site-a', a.keys).open('answer', textOf(child as Element), {
      from: 'site-b',
    })
    return envelope.claims
  }
  return { ...world, a, b, c, by, component, send, sendText, opened, trustOf }
}

test('what cannot be believed has no effect, is counted by its reason, and leaves others served', async (t) => {
  const { a, b, c, by, sendText, pass, time } = await stage(t)
  const asA = by('site-a', a.keys)
  const make = () => asA('make', { name: 'x' })
  const inTwoMinutes = () => ({ expiresAt: time.now() + 120_000 })
  const cases: [RefusalReason, () => string, ('get' | 'set')?][] = [
    ['malformed', () => 'make me a machine'],
    ['malformed', () => ''],
    ['malformed', () => `${make().split('.').slice(0, 2).join('.')}.`],
    ['unknown-key', () => by('site-a', makeSiteKeys())('make', { name: 'x' })],
    ['unknown-key', () => by('site-c', c.keys)('make', { name: 'x' })],
    ['foreign-issuer', () => by('site-c', a.keys)('make', { name: 'x' })],
    ['foreign-audience', () => asA('make', { name: 'x' }, { to: 'site-c' })],
    ['not-yet-valid', () => by('site-a', a.keys, 60_000)('make', { name: 'x' }, inTwoMinutes())],
    ['too-long-lived', () => asA('make', { name: 'x' }, { expiresAt: time.now() + 1e9 })],
    ['malformed', make, 'get'],
    ['malformed', () => asA('echo', { text: 'x' }), 'set'],
    ['undecryptable', () => 'a.b.c.d.e'],
  ]
  for (const [reason, text, type] of cases) {
    const before = b.federation.counts().refusals[reason]
    assert.equal(await sendText(text(), type), reason)
    assert.equal(b.federation.counts().refusals[reason], before + 1, reason)
  }
  assert.deepEqual(b.effects, [])
  assert.match(b.logged.join('\n'), /"peer":"site-a","reason":"unknown-key"/)
  const other = ended(c.federation.call('site-b', 'make', { name: 'y' }))
  await pass(1000)
  assert.deepEqual(other.outcome, { result: { made: 'y' } })
})

test('a stranger is not answered, whatever it signs', async (t) => {
  const { b, network, pass } = await stage(t)
  const stranger = network.attach('ras-site-x', alive)
  const ask = stranger.request(jidOf('site-b'), 'get', [element('request', { xmlns: NAMESPACE })], {
    timeoutMs: 100,
  })
  const failed = ended(ask)
  await pass(200)
  assert.ok(failed.outcome && 'error' in failed.outcome)
  assert.equal(b.federation.counts().refusals['no-site'], 1)
})

test('a read is answered once, however often its envelope is sent', async (t) => {
  const { a, by, sendText, opened } = await stage(t)
  const read = by('site-a', a.keys)('echo', { text: 'x' })
  assert.equal(opened(await sendText(read, 'get')).result, 'x')
  assert.equal(await sendText(read, 'get'), 'replayed')
})

test('a read that comes too late is refused', async (t) => {
  const { a, by, sendText, pass } = await stage(t)
  const read = by('site-a', a.keys)('echo', { text: 'x' })
  await pass(40_001)
  assert.equal(await sendText(read, 'get'), 'expired')
})

test('a command that is sent again has one effect and one answer; under another content its id is refused', async (t) => {
  const { a, b, by, sendText, opened } = await stage(t)
  const asA = by('site-a', a.keys)
  const id = 'the-same-id-twice-or-more'
  const text = asA('make', { name: 'x' }, { id })
  const first = opened(await sendText(text))
  const second = opened(await sendText(text))
  assert.deepEqual(first.result, { made: 'x' })
  assert.deepEqual(second, first)
  const other = opened(await sendText(asA('make', { name: 'y' }, { id })))
  assert.equal(other.refused, 'conflict')
  assert.notEqual(other.to, first.to)
  assert.equal(b.effects.length, 1)
})

test('a command that comes too late is refused, signed, and never begun', async (t) => {
  const { a, b, by, sendText, opened, pass } = await stage(t)
  const text = by('site-a', a.keys)('make', { name: 'x' })
  await pass(40_001)
  assert.equal(opened(await sendText(text)).refused, 'expired')
  assert.deepEqual(b.effects, [])
})

test('a key that two sites share proves reads, never commands', async (t) => {
  const { b, c, network, pass, time, trustOf } = await stage(t)
  const read = ended(c.federation.call('site-b', 'echo', { text: 'x' }))
  await pass(1000)
  assert.ok(read.outcome && 'result' in read.outcome)
  const trust = trustOf('site-c', c.keys)
  await trust.peerKeys.load()
  assert.equal(trust.proofOfReads('site-b'), 'shared')
  const asC = network.attach(jidOf('site-c'), alive)
  const ask = (method: string, params: object, type: 'get' | 'set') => {
    const { text } = trust.seal('request', {
      to: 'site-b',
      id: `shared-key-${method}`.padEnd(22, 'x'),
      expiresAt: time.now() + 10_000,
      claims: { method, params },
      proof: 'shared',
    })
    const child = element('request', { xmlns: NAMESPACE }, [text])
    return ended(asC.request(jidOf('site-b'), type, [child], { timeoutMs: 1000 }))
  }
  const echo = ask('echo', { text: 'x' }, 'get')
  const make = ask('make', { name: 'x' }, 'set')
  await pass(2000)
  assert.ok(echo.outcome && 'result' in echo.outcome)
  assert.ok(make.outcome && 'error' in make.outcome)
  assert.equal(b.federation.counts().refusals.unsigned, 1)
  assert.deepEqual(b.effects, [])
})

test('a site that wants reads signed gets them signed', async (t) => {
  const { b, c, pass } = await stage(t)
  for (const reads of ['shared', 'signed'] as const) {
    b.settings = { ...b.settings, reads }
    for (let n = 0; n < 3; n += 1) {
      const read = ended(c.federation.call('site-b', 'echo', { text: reads }))
      await pass(1000)
      assert.deepEqual(read.outcome, { result: reads })
    }
  }
  assert.equal(b.federation.counts().refusals.unsigned, 1)
})

test('a forged answer is never taken for one; the command goes on until the true one comes', async (t) => {
  const { b, c, network, pass, time } = await stage(t)
  const forger = createTrust({
    siteId: 'site-b',
    keys: makeSiteKeys(),
    store: c.store,
    settings: () => c.settings,
    clock: time,
    log: { info() {}, warn() {}, error() {} },
  })
  const forgeries: ((stanza: Carried) => string)[] = [
    () => 'done',
    () => seal(forger, 'site-c'),
    ({ iq }) =>
      textOf(elementsOf(iq)[0] as Element).replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')),
  ]
  for (const forge of forgeries) {
    network.tamper = (stanza) =>
      stanza.kind === 'answer' &&
      stanza.from === jidOf('site-b') &&
      stanza.iq.attributes.type === 'result'
        ? { ...stanza.iq, children: [element('answer', { xmlns: NAMESPACE }, [forge(stanza)])] }
        : stanza.iq
    const read = ended(c.federation.call('site-b', 'echo', { text: 'x' }))
    const command = ended(
      c.federation.call('site-b', 'make', { name: 'x' }, { timeoutMs: 600_000 }),
    )
    await pass(20_000)
    assert.ok(read.outcome && 'error' in read.outcome)
    assert.equal(read.outcome.error.code, 'unavailable_provider')
    assert.equal(command.outcome, undefined)
    network.tamper = ({ iq }) => iq
    await pass(120_000)
    assert.deepEqual(command.outcome, { result: { made: 'x' } })
  }
  assert.equal(b.effects.length, forgeries.length)
  const { refusals } = c.federation.counts()
  assert.ok(refusals.malformed && refusals['unknown-key'] && refusals['bad-signature'])
})

function seal(trust: ReturnType<typeof createTrust>, to: string): string {
  const expiresAt = 1_700_000_600_000
  const claims = { to: 'x', result: 'forged' }
  return trust.seal('answer', { to, id: 'forged-forged-forged', expiresAt, claims }).text
}

test('an answer to another request is not taken for the answer', async (t) => {
  const { c, network, pass } = await stage(t)
  const kept: Element[] = []
  network.tamper = ({ iq, kind, from }) => {
    if (kind !== 'answer' || from !== jidOf('site-b') || iq.attributes.type !== 'result') return iq
    kept.push(iq)
    return { ...iq, children: (kept[0] as Element).children }
  }
  const first = ended(c.federation.call('site-b', 'echo', { text: 'first' }))
  await pass(1000)
  const second = ended(c.federation.call('site-b', 'echo', { text: 'second' }))
  await pass(20_000)
  assert.deepEqual(first.outcome, { result: 'first' })
  assert.ok(second.outcome && 'error' in second.outcome)
  assert.ok(c.federation.counts().refusals['wrong-request'] > 0)
})

test('announced contents are bounded, fetched from nobody but the announcer, and checked piece by piece', async (t) => {
  const { a, b, component, send, network, trustOf, time, pass } = await stage(t)
  const trust = trustOf('site-a', a.keys)
  let count = 0
  const parcel = (claims: object) =>
    element('request', { xmlns: NAMESPACE }, [
      element('parcel', {}, [
        trust.seal('parcel', {
          to: 'site-b',
          id: `parcel-${++count}`.padEnd(22, 'x'),
          expiresAt: time.now() + 60_000,
          claims: { ...claims },
        }).text,
      ]),
    ])
  const unsigned = element('request', { xmlns: NAMESPACE }, [element('parcel', {}, ['x'])])
  assert.equal(await send('set', unsigned), 'malformed')
  assert.equal(await send('set', parcel({ length: 1e9, hashes: [] })), 'too-large')
  assert.equal(await send('set', parcel({ length: 100, hashes: ['x', 'y'] })), 'bad-content')
  assert.equal(await send('set', parcel({ length: 'x', hashes: 1 })), 'malformed')
  component.serve('get', NAMESPACE, async () => [element('piece', { xmlns: NAMESPACE }, ['other'])])
  assert.equal(await send('set', parcel({ length: 100, hashes: ['x'] })), 'bad-content')

  component.serve('get', NAMESPACE, () => new Promise(() => {}))
  const before = b.federation.counts().refusals.busy
  const many = Array.from({ length: 10 }, () => send('set', parcel({ length: 100, hashes: ['x'] })))
  const said = await Promise.all(many)
  assert.equal(said.filter((one) => one === 'busy').length, 6)
  assert.equal(b.federation.counts().refusals.busy, before + 6)

  // What waits for one site is not there for another.
  b.answer = async () => 'x'.repeat(100_000)
  const big = trust.seal('request', {
    to: 'site-b',
    id: 'a-read-with-a-large-answer',
    expiresAt: time.now() + 10_000,
    claims: { method: 'echo', params: { text: 'x' } },
  })
  const answer = await send('get', element('request', { xmlns: NAMESPACE }, [big.text]))
  assert.ok(typeof answer === 'object')
  const announced = textOf(elementsOf(elementsOf(answer)[0] as Element)[0] as Element)
  const { id } = trust.open('parcel', announced, { from: 'site-b', expired: 'told' })
  const asC = network.attach(jidOf('site-c'), alive)
  const piece = element('piece', { xmlns: NAMESPACE, of: id, number: '0' })
  const stolen = ended(asC.request(jidOf('site-b'), 'get', [piece], { timeoutMs: 100 }))
  await pass(200)
  assert.ok(stolen.outcome && 'error' in stolen.outcome)
})

test('a flood of nonsense fills neither the log nor the way of others', async (t) => {
  const { b, c, component, pass } = await stage(t)
  for (let n = 0; n < 3000; n += 1)
    component
      .request(jidOf('site-b'), 'set', [element('request', { xmlns: NAMESPACE }, [`x${n}`])], {
        timeoutMs: 1000,
      })
      .catch(() => {})
  const other = ended(c.federation.call('site-b', 'echo', { text: 'x' }))
  await pass(5000)
  assert.deepEqual(other.outcome, { result: 'x' })
  assert.equal(b.federation.counts().refusals.malformed, 3000)
  assert.ok(b.logged.length < 5, `${b.logged.length} lines`)
})
