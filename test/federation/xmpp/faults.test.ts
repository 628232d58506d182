import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  type Clock,
  type XmppComponent,
  type XmppComponentOptions,
  XmppError,
} from '../../../core/federation/xmpp/index.ts'
import { createManualClock } from '../../../core/federation/xmpp/testing/manual-clock.ts'
import {
  echo,
  linkIs,
  NAMESPACE,
  query,
  type Site,
  type Sites,
  startSites,
  untilAnswered,
} from './site.ts'

const isXmppError = (error: unknown) => error instanceof XmppError

for (const kind of ['prosody', 'ejabberd'] as const) {
  let all: Sites
  let site: Site
  let peer: Site
  const extra: XmppComponent[] = []

  const connect = (options: Partial<XmppComponentOptions>, clock?: Clock) => {
    const component = site.connect(options, clock)
    extra.push(component)
    component.start()
    return component
  }

  before(async () => {
    all = await startSites([kind, 'prosody'])
    ;[site, peer] = all.sites as [Site, Site]
  })
  after(async () => {
    await Promise.all(extra.map((component) => component.stop()))
    await all.remove()
  })

  test(`${kind}: kill -9 of the own server ends every call at once; the link returns with the server`, async () => {
    const { component, server } = site
    const begun = Promise.withResolvers<void>()
    peer.component.serve('set', NAMESPACE, () => {
      begun.resolve()
      return new Promise(() => {})
    })
    const call = component
      .request(peer.jid, 'set', [query('x')], { timeoutMs: 60_000 })
      .catch((error) => error)
    await begun.promise
    await server.kill()
    const error = await call
    assert.ok(error instanceof XmppError)
    assert.deepEqual([error.kind, error.sent], ['disconnected', true])
    await linkIs(component, 'offline')
    await assert.rejects(
      echo(component, peer, 'x'),
      (unsent) => unsent instanceof XmppError && unsent.kind === 'offline' && !unsent.sent,
    )
    await server.start()
    await linkIs(component, 'online')
    await untilAnswered(() => echo(component, peer, 'x', 2_000))
  })

  test(`${kind}: calls to a peer whose server is killed fail one by one, and succeed when it is back`, async () => {
    await peer.server.kill()
    await assert.rejects(echo(site.component, peer, 'x', 2_000), isXmppError)
    assert.equal(site.component.link.state, 'online')
    await peer.server.start()
    await linkIs(peer.component, 'online')
    await untilAnswered(() => echo(site.component, peer, 'x', 2_000))
  })

  test(`${kind}: a wrong secret is refused, and not tried again for a long time`, async () => {
    const component = connect({ secret: 'wrong' }, createManualClock())
    const link = await linkIs(component, 'refused')
    assert.equal(link.reason?.condition, 'not-authorized')
    assert.equal((link.retryAt ?? 0) - link.since, 10_000)
  })

  test(`${kind}: a name that the server does not know is refused`, async () => {
    const { reason } = await linkIs(connect({ jid: 'ras-x.nowhere.test' }), 'refused')
    const condition = reason?.condition ?? ''
    assert.ok(['host-unknown', 'not-authorized'].includes(condition), condition)
  })
}

for (const kind of ['prosody', 'ejabberd'] as const)
  test(`${kind}: a server that answers the ping keeps its link, one that is frozen loses it`, async (t) => {
    const all = await startSites([kind])
    t.after(() => all.remove())
    const [site] = all.sites as [Site]
    // The name can be had once; from here on time is ours.
    await site.component.stop()
    const clock = createManualClock()
    const component = site.connect({ liveness: { pingAfterMs: 12_000, silenceMs: 5_000 } }, clock)
    t.after(() => component.stop())
    component.serve('get', NAMESPACE, async ({ payload }) => [payload])
    component.start()
    await linkIs(component, 'online')

    const silence = () => {
      clock.advance(5_000)
      clock.advance(7_000)
    }
    silence()
    for (let n = 0; n < 3; n += 1) {
      // Sent after the ping and answered, so the ping has its answer too.
      await echo(component, site, 'x')
      silence()
      assert.equal(component.link.state, 'online')
    }
    await echo(component, site, 'x')
    site.server.freeze()
    const call = echo(component, site, 'x', 60_000).catch((error: XmppError) => error)
    silence()
    assert.equal(component.link.state, 'online')
    clock.advance(5_000)
    assert.equal((await linkIs(component, 'offline')).reason?.condition, 'silent')
    const error = await call
    assert.ok(error instanceof XmppError && error.kind === 'disconnected' && error.sent)

    site.server.thaw()
    clock.advance((component.link.retryAt ?? 0) - clock.now())
    // Prosody may still hold the dead connection when the new one comes.
    const { state } = await Promise.race([
      linkIs(component, 'online'),
      linkIs(component, 'refused'),
    ])
    if (state === 'refused') clock.advance(10_000)
    await linkIs(component, 'online')
    await echo(component, site, 'x')
  })

test('Prosody: a second process with the same name is turned away and does not disturb the first', async (t) => {
  const all = await startSites(['prosody'], { onConflict: 'kick_new' })
  t.after(() => all.remove())
  const [site] = all.sites as [Site]
  const second = site.connect()
  t.after(() => second.stop())
  second.start()
  assert.equal((await linkIs(second, 'refused')).reason?.condition, 'conflict')
  await echo(site.component, site, 'x')
})

test('Prosody: a newcomer takes over where it may, and the old process does not fight back', async (t) => {
  const all = await startSites(['prosody'], { onConflict: 'kick_old' })
  t.after(() => all.remove())
  const [site] = all.sites as [Site]
  const second = site.connect()
  t.after(() => second.stop())
  second.serve('get', NAMESPACE, async ({ payload }) => [payload])
  second.start()
  assert.equal((await linkIs(site.component, 'refused')).reason?.condition, 'conflict')
  await linkIs(second, 'online')
  await echo(second, site, 'x')
  assert.equal(second.counters().linksLost, 0)
})
