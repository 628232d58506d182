import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { createXmppComponent, type XmppComponent, type XmppComponentOptions } from './component.ts'
import type { LinkState } from './link.ts'
import { childText, element, textOf } from './stanza.ts'
import { StanzaError } from './stanza-error.ts'
import { attribute, SECRET, startFakeServer, streamError } from './testing/fake-server.ts'
import { createManualClock } from './testing/manual-clock.ts'
import { XmppError } from './xmpp-error.ts'

const JID = 'ras-a.test'
const PEER = 'ras-b.test'
const query = (text: string) => element('query', { xmlns: 'urn:test' }, [text])
const options = { timeoutMs: 5_000 }
const ended: (() => Promise<unknown>)[] = []
after(() => Promise.all(ended.map((end) => end())))

async function setUp(own: Partial<XmppComponentOptions> = {}) {
  const server = await startFakeServer()
  const clock = createManualClock()
  const logged: { level: string; fields: object }[] = []
  const write = (level: string) => (fields: object) => void logged.push({ level, fields })
  const log = { info: write('info'), warn: write('warn'), error: write('error') }
  const component = createXmppComponent(
    { jid: JID, host: '127.0.0.1', port: server.port, secret: SECRET, ...own },
    { log, clock },
  )
  ended.push(() => server.close(), component.stop)
  return { server, clock, component, logged }
}

/** Resolves once the link is in a state, which it may be already. */
function linkIs(component: XmppComponent, state: LinkState['state']): Promise<LinkState> {
  if (component.link.state === state) return Promise.resolve(component.link)
  return new Promise((resolve) => {
    const end = component.onLink((link) => {
      if (link.state !== state) return
      end()
      resolve(link)
    })
  })
}

async function online(own: Partial<XmppComponentOptions> = {}) {
  const parts = await setUp(own)
  parts.component.start()
  const [stream] = await Promise.all([parts.server.stream(), linkIs(parts.component, 'online')])
  return { ...parts, stream }
}

const failure = async (call: Promise<unknown>): Promise<XmppError> => {
  const error = await call.then(
    () => assert.fail('the call brought a result'),
    (reason) => reason,
  )
  assert.ok(error instanceof XmppError, String(error))
  return error
}

/** The answer to a request as the asked peer would send it. */
const answerTo = (request: string, content = '', from = attribute(request, 'to')) =>
  `<iq type='result' id='${attribute(request, 'id')}' from='${from}' to='${JID}'>${content}</iq>`

/** Resolves once everything that was written to the component so far has been read by it. */
async function settled({
  stream,
}: {
  stream: { write(data: string): void; next(): Promise<string> }
}) {
  stream.write(
    `<iq type='get' id='settled' from='probe.test' to='${JID}'><ping xmlns='urn:xmpp:ping'/></iq>`,
  )
  const seen: string[] = []
  for (
    let stanza = await stream.next();
    attribute(stanza, 'id') !== 'settled';
    stanza = await stream.next()
  )
    seen.push(stanza)
  return seen
}

test('a request and its result cross the link', async () => {
  const { component, stream } = await online()
  const call = component.request(PEER, 'get', [query('ask')], options)
  const sent = await stream.next()
  assert.match(
    sent,
    /^<iq type='get' id='[\w-]{22}' from='ras-a.test' to='ras-b.test'><query xmlns='urn:test'>ask<\/query><\/iq>$/,
  )
  stream.write(answerTo(sent, "<query xmlns='urn:test'>answer</query>"))
  assert.equal(childText(await call, 'query'), 'answer')
})

test('a result from somebody who was not asked, or under another id, is counted and changes nothing', async () => {
  const parts = await online()
  const { component, stream } = parts
  const call = component.request(PEER, 'get', [query('ask')], options)
  const sent = await stream.next()
  stream.write(answerTo(sent, '<forged/>', 'ras-c.test'))
  stream.write(answerTo(sent, '<forged/>', 'ras-b.test/other'))
  stream.write(answerTo(sent, '<forged/>').replace(/id='[^']*'/, "id='guess'"))
  stream.write(answerTo(sent, '<forged/>').replace(/ from='[^']*'/, ''))
  await settled(parts)
  assert.equal(component.counters().unexpectedAnswers, 4)
  stream.write(answerTo(sent, '<true/>', 'RAS-B.test'))
  assert.equal((await call).children.length, 1)
  stream.write(answerTo(sent, '<late/>'))
  await settled(parts)
  assert.equal(component.counters().unexpectedAnswers, 5)
})

test('a stanza error tells its condition, type and text', async () => {
  const { component, stream } = await online()
  const call = component.request(PEER, 'set', [query('x')], options)
  const sent = await stream.next()
  const error =
    "<error type='cancel' code='404'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>no such order</text></error>"
  stream.write(answerTo(sent, error).replace("'result'", "'error'"))
  const { kind, condition, type, text, sent: left } = await failure(call)
  assert.deepEqual(
    { kind, condition, type, text, left },
    {
      kind: 'stanza',
      condition: 'item-not-found',
      type: 'cancel',
      text: 'no such order',
      left: true,
    },
  )
})

test('a stanza error without content is still an error', async () => {
  const { component, stream } = await online()
  const call = component.request(PEER, 'get', [query('x')], options)
  stream.write(answerTo(await stream.next()).replace("'result'", "'error'"))
  assert.equal((await failure(call)).condition, 'undefined-condition')
})

test('a request that is not answered in time ends, and says that it was sent', async () => {
  const { component, stream, clock } = await online()
  const call = component.request(PEER, 'get', [query('x')], options)
  await stream.next()
  clock.advance(4_999)
  clock.advance(1)
  const { kind, sent } = await failure(call)
  assert.deepEqual([kind, sent], ['timeout', true])
})

test('a caller may give up before and after sending', async () => {
  const { component, stream } = await online()
  const early = await failure(
    component.request(PEER, 'get', [], { ...options, signal: AbortSignal.abort() }),
  )
  assert.deepEqual([early.kind, early.sent], ['aborted', false])
  const controller = new AbortController()
  const call = component.request(PEER, 'get', [query('x')], {
    ...options,
    signal: controller.signal,
  })
  await stream.next()
  controller.abort()
  const late = await failure(call)
  assert.deepEqual([late.kind, late.sent], ['aborted', true])
})

test('without a link nothing is sent and the caller knows at once', async () => {
  const { component } = await setUp()
  const { kind, sent } = await failure(component.request(PEER, 'get', [query('x')], options))
  assert.deepEqual([kind, sent], ['offline', false])
})

test('with the link everything in flight ends at once, as far as it was sent with unknown outcome', async () => {
  const { component, stream } = await online({
    outgoingFlow: { perPeer: { calls: 2, bytes: 65_536, waiting: 10 } },
  })
  const calls = ['1', '2', '3'].map((id) =>
    failure(component.request(PEER, 'set', [query('x')], { ...options, id })),
  )
  await stream.next()
  await stream.next()
  stream.socket.destroy()
  const errors = await Promise.all(calls)
  assert.deepEqual(
    errors.map(({ kind, sent }) => [kind, sent]),
    [
      ['disconnected', true],
      ['disconnected', true],
      ['offline', false],
    ],
  )
})

test('how large a stanza may be is asked at each', async () => {
  let most = 100
  const { component, stream } = await online({ maxOutgoingBytes: () => most })
  const ask = () => component.request(PEER, 'get', [query('x'.repeat(100_000))], options)
  assert.equal((await failure(ask())).kind, 'too-large')
  most = 200_000
  const call = ask()
  stream.write(answerTo(await stream.next(), 'y'))
  assert.equal((await call).attributes.type, 'result')
})

test('what is too large, or no XML, is refused before it can end the link', async () => {
  const { component, server } = await online()
  const large = await failure(component.request(PEER, 'get', [query('é'.repeat(33_000))], options))
  assert.deepEqual([large.kind, large.sent], ['too-large', false])
  const odd = await failure(component.request(PEER, 'get', [query('\0')], options))
  assert.deepEqual([odd.kind, odd.sent], ['invalid', false])
  assert.equal(component.link.state, 'online')
  assert.equal(server.connections, 1)
})

test('an id that is under way with the same peer is refused, and free again afterwards', async () => {
  const { component, stream } = await online()
  const first = component.request(PEER, 'get', [query('1')], { ...options, id: 'order-1' })
  const again = await failure(
    component.request(PEER, 'get', [query('2')], { ...options, id: 'order-1' }),
  )
  assert.deepEqual([again.kind, again.sent], ['invalid', false])
  const elsewhere = component.request('ras-c.test', 'get', [query('3')], {
    ...options,
    id: 'order-1',
  })
  stream.write(answerTo(await stream.next()))
  stream.write(answerTo(await stream.next()))
  await Promise.all([first, elsewhere])
  const third = component.request(PEER, 'get', [query('4')], { ...options, id: 'order-1' })
  stream.write(answerTo(await stream.next()))
  await third
})

test('bytes in flight to a peer are bounded, and other peers are not held up by it', async () => {
  const { component, stream } = await online()
  const large = () => component.request(PEER, 'get', [query('x'.repeat(60_000))], options)
  const calls = Array.from({ length: 6 }, large)
  const other = component.request('ras-c.test', 'get', [query('small')], options)
  const sent = await Promise.all(Array.from({ length: 5 }, () => stream.next()))
  assert.deepEqual(
    sent.map((stanza) => attribute(stanza, 'to')),
    [PEER, PEER, PEER, PEER, 'ras-c.test'],
  )
  assert.deepEqual(stream.unread, [])
  for (const stanza of sent) stream.write(answerTo(stanza))
  await other
  for (let n = 0; n < 2; n += 1) stream.write(answerTo(await stream.next()))
  await Promise.all(calls)
})

test('too many waiting requests are turned away, not gathered', async () => {
  const { component } = await online({
    outgoingFlow: { perPeer: { calls: 1, bytes: 65_536, waiting: 1 } },
  })
  const calls = Array.from({ length: 3 }, () =>
    component.request(PEER, 'get', [query('x')], options).catch((error: XmppError) => error.kind),
  )
  assert.equal(await calls[2], 'busy')
})

test('a request of a peer is served by the namespace of its query, wherever it stands', async () => {
  const parts = await online()
  const { component, stream } = parts
  component.serve('set', 'urn:test', async ({ payload, from, iq, type }) => [
    element('query', { xmlns: 'urn:test' }, [
      `${from} ${type} ${textOf(payload)} ${childText(iq, 'systemUser')}`,
    ]),
  ])
  stream.write(
    `<iq type='set' id='1' from='${PEER}' to='${JID}'><systemUser>ana</systemUser><extra xmlns='urn:x'/><query xmlns='urn:test'>do</query></iq>`,
  )
  assert.equal(
    await stream.next(),
    `<iq type='result' id='1' from='${JID}' to='${PEER}'><query xmlns='urn:test'>ras-b.test set do ana</query></iq>`,
  )
  stream.write(`<iq type='set' id='2' from='${PEER}' to='${JID}'><do xmlns='urn:test'>x</do></iq>`)
  assert.match(await stream.next(), /type='result' id='2'/)
})

test('what nobody serves is answered with an error that says so', async () => {
  const parts = await online()
  const { component, stream } = parts
  component.serve('get', 'urn:test', async () => [])
  const cases: [string, RegExp][] = [
    [
      `<iq type='set' id='1' from='${PEER}'><query xmlns='urn:test'/></iq>`,
      /feature-not-implemented/,
    ],
    [
      `<iq type='get' id='2' from='${PEER}'><query xmlns='urn:other'/></iq>`,
      /feature-not-implemented/,
    ],
    [`<iq type='get' id='3' from='${PEER}'><query>plain</query></iq>`, /bad-request/],
    [`<iq type='get' id='4' from='${PEER}'/>`, /bad-request/],
    [
      `<iq type='get' id='5' from='${PEER}' to='x@${JID}'><query xmlns='urn:test'/></iq>`,
      /service-unavailable/,
    ],
  ]
  for (const [stanza, expected] of cases) {
    stream.write(stanza)
    const answer = await stream.next()
    assert.match(answer, expected)
    assert.equal(attribute(answer, 'type'), 'error')
  }
  assert.equal(component.counters().unknown, cases.length)
})

test('stanzas that are no requests, or whose head could not be repeated, get no answer', async () => {
  const parts = await online()
  const { stream, component } = parts
  const payload = "<query xmlns='urn:test'/>"
  for (const stanza of [
    `<iq type='get' from='${PEER}'>${payload}</iq>`,
    `<iq type='get' id='1'>${payload}</iq>`,
    `<iq type='do' id='1' from='${PEER}'>${payload}</iq>`,
    `<iq id='1' from='${PEER}'>${payload}</iq>`,
    `<iq type='get' id='${'1'.repeat(2000)}' from='${PEER}'>${payload}</iq>`,
    `<message from='${PEER}'><body>hello</body></message>`,
    `<presence type='subscribe' from='${PEER}'/>`,
    '<unheard/>',
  ])
    stream.write(stanza)
  assert.deepEqual(await settled(parts), [])
  assert.equal(component.counters().malformed, 5)
  assert.equal(component.counters().ignored, 3)
})

test('a handler refuses with a condition; the inside of a defect stays inside', async () => {
  const { component, stream, logged } = await online()
  const failures: Record<string, unknown> = {
    'urn:refused': new StanzaError('forbidden', 'not for <you>\u0000'),
    'urn:coded': Object.assign(new Error('no such order'), { code: 'instance_not_found' }),
    'urn:defect': new Error('secret inside'),
    'urn:odd': 'thrown text',
    'urn:unwritable': undefined,
  }
  for (const [namespace, failure] of Object.entries(failures))
    component.serve('get', namespace, async () => {
      if (failure) throw failure
      return [element('a b')]
    })
  const ask = async (namespace: string) => {
    stream.write(`<iq type='get' id='1' from='${PEER}'><q xmlns='${namespace}'/></iq>`)
    return stream.next()
  }
  assert.match(
    await ask('urn:refused'),
    /<error type='auth' code='403'><forbidden .*not for &lt;you&gt;\u{FFFD}</u,
  )
  assert.match(await ask('urn:coded'), /code='404'><item-not-found .*no such order/)
  for (const namespace of ['urn:defect', 'urn:odd', 'urn:unwritable']) {
    const answer = await ask(namespace)
    assert.match(answer, /internal-server-error/)
    assert.doesNotMatch(answer, /secret|thrown/)
  }
  assert.equal(component.counters().handlerErrors, 3)
  assert.equal(logged.filter(({ level }) => level === 'error').length, 3)
})

test('an answer that is too large becomes an error', async () => {
  const { component, stream } = await online()
  component.serve('get', 'urn:test', async () => [query('x'.repeat(70_000))])
  stream.write(`<iq type='get' id='1' from='${PEER}'><query xmlns='urn:test'/></iq>`)
  assert.match(await stream.next(), /policy-violation/)
  assert.equal(component.counters().oversizedAnswers, 1)
})

test('one peer cannot take all the room: what it has waiting is bounded, others are served', async () => {
  const { component, stream } = await online({
    servedFlow: { perPeer: { calls: 2, bytes: 65_536, waiting: 2 } },
  })
  const gate = Promise.withResolvers<void>()
  let running = 0
  component.serve('get', 'urn:slow', async ({ from }) => {
    running += 1
    if (from === PEER) await gate.promise
    return []
  })
  const ask = (id: string, from: string) =>
    stream.write(`<iq type='get' id='${id}' from='${from}'><q xmlns='urn:slow'/></iq>`)
  for (const id of ['1', '2', '3', '4', '5']) ask(id, PEER)
  const refused = await stream.next()
  assert.equal(attribute(refused, 'id'), '5')
  assert.match(refused, /resource-constraint/)
  ask('6', 'ras-c.test')
  assert.equal(attribute(await stream.next(), 'id'), '6')
  assert.equal(running, 3)
  gate.resolve()
  const rest = await Promise.all(Array.from({ length: 4 }, () => stream.next()))
  assert.deepEqual(rest.map((stanza) => attribute(stanza, 'id')).sort(), ['1', '2', '3', '4'])
})

test('an answer that is ready while the link is down is dropped and counted', async () => {
  const { component, stream } = await online()
  const gate = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  component.serve('set', 'urn:test', async () => {
    begun.resolve()
    await gate.promise
    return []
  })
  stream.write(`<iq type='set' id='1' from='${PEER}'><query xmlns='urn:test'/></iq>`)
  await begun.promise
  stream.socket.destroy()
  await linkIs(component, 'offline')
  gate.resolve()
  await new Promise(setImmediate)
  assert.equal(component.counters().droppedAnswers, 1)
})

test('a stanza beyond a limit is refused, its sender told, and everybody else served on the same link', async () => {
  const parts = await online({ incoming: { maxBytes: 10_000, maxDepth: 8 } })
  const { component, stream, server, logged } = parts
  const ask = (id: string, content: string) =>
    stream.write(`<iq type='get' id='${id}' from='${PEER}'>${content}</iq>`)
  ask('large', 'x'.repeat(50_000))
  assert.match(await stream.next(), /id='large'.*policy-violation.*maxBytes/)
  ask('deep', `${'<a>'.repeat(2_000)}${'</a>'.repeat(2_000)}`)
  assert.match(await stream.next(), /id='deep'.*policy-violation.*maxDepth/)
  const call = component.request(PEER, 'get', [query('x')], options)
  stream.write(answerTo(await stream.next(), 'x'.repeat(50_000)))
  const { kind, sent } = await failure(call)
  assert.deepEqual([kind, sent], ['too-large', true])
  assert.equal(component.counters().refused, 3)
  assert.equal(server.connections, 1)
  assert.equal(logged.filter(({ level }) => level === 'warn').length, 1)
})

test('a text of 60 KB that is not ASCII arrives whole, however it is cut', async () => {
  const { component, stream } = await online()
  const text = 'ação – 東京 – 🦊 '.repeat(2_500)
  const call = component.request(PEER, 'get', [query('x')], options)
  const answer = Buffer.from(
    answerTo(await stream.next(), `<query xmlns='urn:test'>${text}</query>`),
  )
  for (let at = 0; at < answer.length; at += 997) {
    stream.write(answer.subarray(at, at + 997))
    await new Promise(setImmediate)
  }
  assert.equal(childText(await call, 'query'), text)
})

test('a server that is away is tried again after pauses that grow', async () => {
  const { component, server, clock } = await setUp()
  const { port } = server
  await server.close()
  component.start()
  const pauses: number[] = []
  for (let n = 0; n < 4; n += 1) {
    const { retryAt = 0, reason } = await linkIs(component, 'offline')
    assert.equal(reason?.condition, 'unreachable')
    assert.match(reason.text, new RegExp(`ECONNREFUSED 127.0.0.1:${port}`))
    pauses.push(retryAt - clock.now())
    const next = new Promise<void>((resolve) => {
      const end = component.onLink(({ retryAt }) => {
        if (retryAt === undefined) return
        end()
        resolve()
      })
    })
    clock.advance(pauses.at(-1) ?? 0)
    await next
  }
  assert.deepEqual(pauses, [500, 1000, 2000, 4000])
})

for (const welcome of ['silent', 'header'] as const)
  test(`an attempt that hangs (${welcome}) ends in time, and the next one succeeds`, async () => {
    const { component, server, clock } = await setUp()
    server.welcome = welcome
    component.start()
    const hanging = await server.stream()
    assert.equal(component.link.state, 'connecting')
    clock.advance(10_000)
    const { reason, retryAt = 0 } = await linkIs(component, 'offline')
    assert.equal(reason?.condition, 'no-handshake')
    await hanging.closed
    server.welcome = 'accept'
    clock.advance(retryAt - clock.now())
    await linkIs(component, 'online')
  })

test('a header that comes late is in time as long as the watchdog allows', async () => {
  const { component, server, clock } = await setUp()
  server.welcome = 'silent'
  component.start()
  const stream = await server.stream()
  clock.advance(9_000)
  stream.write(
    `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' from='${JID}' id='late'>`,
  )
  const [handshake] = await once(stream.socket, 'data')
  assert.match(String(handshake), /<handshake>[0-9a-f]{40}<\/handshake>/)
  stream.write('<handshake/>')
  await linkIs(component, 'online')
})

for (const condition of ['conflict', 'not-authorized', 'host-unknown'])
  test(`${condition} raises an alarm and long pauses instead of knocking`, async () => {
    const { component, server, clock, logged } = await setUp()
    server.welcome = { refuse: condition }
    component.start()
    const link = await linkIs(component, 'refused')
    assert.equal(link.reason?.condition, condition)
    assert.equal((link.retryAt ?? 0) - clock.now(), 10_000)
    assert.equal(logged.filter(({ level }) => level === 'error').length, 1)
    clock.advance(9_999)
    assert.equal(server.connections, 1)
    server.welcome = 'accept'
    clock.advance(1)
    await linkIs(component, 'online')
  })

test('a wrong secret is refused by the handshake itself', async () => {
  const { component } = await setUp({ secret: 'wrong' })
  component.start()
  const { reason } = await linkIs(component, 'refused')
  assert.equal(reason?.condition, 'not-authorized')
})

test('who is thrown out by a newcomer with its name does not fight back', async () => {
  const { component, stream, clock } = await online()
  stream.write(streamError('conflict'))
  const { retryAt = 0 } = await linkIs(component, 'refused')
  assert.equal(retryAt - clock.now(), 10_000)
})

test('a redirection is not followed: the secret goes to the configured server alone', async () => {
  const elsewhere = await startFakeServer()
  ended.push(() => elsewhere.close())
  const { component, stream } = await online()
  stream.write(
    `<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:${elsewhere.port}</see-other-host></stream:error>`,
  )
  assert.equal((await linkIs(component, 'offline')).reason?.condition, 'see-other-host')
  assert.equal(elsewhere.connections, 0)
})

test('what breaks the stream ends it with the right words, and the next link works', async () => {
  const parts = await online()
  const { component, server, clock } = parts
  let { stream } = parts
  const cases: [string, string][] = [
    ['<!DOCTYPE a [<!ENTITY b "c">]>', 'not-well-formed'],
    ['<iq>&b;</iq>', 'not-well-formed'],
    ['<!-- x -->', 'restricted-xml'],
    ['<?php x ?>', 'restricted-xml'],
    ['\u0001<', 'not-well-formed'],
    ['</stream:stream>', 'closed'],
  ]
  for (const [text, condition] of cases) {
    let said = ''
    stream.socket.on('data', (data) => {
      said += data
    })
    stream.write(text)
    const { reason, retryAt = 0 } = await linkIs(component, 'offline')
    assert.equal(reason?.condition, condition)
    await stream.closed
    if (condition !== 'closed') assert.match(said, new RegExp(`<stream:error><${condition} `))
    clock.advance(retryAt - clock.now())
    ;[stream] = await Promise.all([server.stream(), linkIs(component, 'online')])
    clock.advance(10_000)
  }
})

test('a link that fell silent is noticed within the ping interval and its patience', async () => {
  const parts = await online({ liveness: { pingAfterMs: 10_000, silenceMs: 5_000 } })
  const { component, stream, clock } = parts
  const call = failure(component.request(PEER, 'get', [query('x')], { timeoutMs: 60_000 }))
  await stream.next()
  clock.advance(10_000)
  const ping = await stream.next()
  assert.match(ping, /<ping xmlns='urn:xmpp:ping'\/>/)
  assert.equal(attribute(ping, 'to'), JID)
  clock.advance(5_000)
  const { reason } = await linkIs(component, 'offline')
  assert.equal(reason?.condition, 'silent')
  assert.equal((await call).kind, 'disconnected')
})

test('a server that answers the ping, with an error even, is alive', async () => {
  const parts = await online({
    liveness: { pingAfterMs: 10_000, silenceMs: 5_000 },
    pingJid: 'server.test',
  })
  const { component, stream, clock } = parts
  for (let n = 0; n < 5; n += 1) {
    clock.advance(5_000)
    clock.advance(5_000)
    const ping = await stream.next()
    stream.write(answerTo(ping).replace("'result'", "'error'"))
    await settled(parts)
  }
  assert.equal(component.link.state, 'online')
})

test('a server that stops reading is sent no more than memory may hold', async () => {
  const bounds = { calls: 1_000, bytes: 100_000_000, waiting: 0 }
  const { component, stream } = await online({ outgoingFlow: { perPeer: bounds, total: bounds } })
  stream.socket.pause()
  const text = 'x'.repeat(60_000)
  const calls = Array.from({ length: 600 }, () =>
    component.request(PEER, 'get', [query(text)], options).catch((error: XmppError) => error),
  )
  const last = await calls.at(-1)
  assert.ok(last instanceof XmppError)
  assert.deepEqual([last.kind, last.sent], ['offline', false])
  stream.socket.destroy()
  const kinds = (await Promise.all(calls)).map((error) => error instanceof XmppError && error.kind)
  assert.ok(kinds.includes('disconnected'))
})

test('a stop ends the stream properly, and ends what is in flight', async () => {
  const { component, stream, server } = await online()
  const call = failure(component.request(PEER, 'get', [query('x')], options))
  await stream.next()
  let said = ''
  stream.socket.on('data', (data) => {
    said += data
  })
  await Promise.all([component.stop(), component.stop(), stream.closed])
  assert.equal(said, '</stream:stream>')
  assert.equal((await call).kind, 'disconnected')
  assert.equal(component.link.state, 'stopped')
  component.start()
  assert.equal(component.link.state, 'stopped')
  assert.equal(server.connections, 1)
})

test('a stop during a pause ends the attempts', async () => {
  const { component, server, clock } = await setUp({ secret: 'wrong' })
  component.start()
  await linkIs(component, 'refused')
  await component.stop()
  assert.deepEqual(clock.pending(), [])
  assert.equal(server.connections, 1)
})

test('a listener that fails harms nobody', async () => {
  const { component, logged } = await setUp()
  component.onLink(() => {
    throw new Error('a defect')
  })
  component.start()
  await linkIs(component, 'online')
  assert.ok(logged.some(({ level }) => level === 'error'))
})

test('two components ask each other through a server', async () => {
  const { component, server } = await online()
  server.routing = true
  const other = createXmppComponent(
    { jid: PEER, host: '127.0.0.1', port: server.port, secret: SECRET },
    { log: { info() {}, warn() {}, error() {} } },
  )
  ended.push(other.stop)
  other.start()
  await linkIs(other, 'online')
  const echo = async ({ payload }: { payload: ReturnType<typeof query> }) => [payload]
  component.serve('get', 'urn:test', echo)
  other.serve('get', 'urn:test', echo)
  const [there, back] = await Promise.all([
    component.request(PEER, 'get', [query('é')], options),
    other.request(JID, 'get', [query('ü')], options),
  ])
  assert.deepEqual([childText(there, 'query'), childText(back, 'query')], ['é', 'ü'])
})
