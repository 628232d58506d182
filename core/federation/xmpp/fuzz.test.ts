import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createXmppComponent } from './component.ts'
import { element } from './stanza.ts'
import { attribute, type FakeStream, SECRET, startFakeServer } from './testing/fake-server.ts'

const ROUNDS = 10_000
const JID = 'ras-a.test'

const stanzas = [
  `<iq type='get' id='1' from='ras-b.test' to='${JID}'><query xmlns='urn:test'><orderId>8d0c</orderId></query></iq>`,
  `<iq type='set' id='2' from='ras-b.test' to='${JID}'><systemUser>{"id":"u1"}</systemUser><query xmlns='urn:test'>é🦊</query></iq>`,
  `<iq type='result' id='3' from='ras-b.test' to='${JID}'/>`,
  `<iq type='error' id='4' from='ras-b.test' to='${JID}'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
  `<iq type='get' id='5' from='ras-b.test' to='${JID}'><query xmlns='http://jabber.org/protocol/disco#info' node='x'/></iq>`,
  `<message from='ras-b.test' to='${JID}'><body>text &amp; more</body></message>`,
]
const pieces = [
  '<',
  '>',
  '&',
  "'",
  '"',
  '</iq>',
  '<iq>',
  '&#x0;',
  '&lol;',
  ']]>',
  '<![CDATA[x]]>',
  '<!--',
  '<?x?>',
  '<!DOCTYPE x>',
  '</stream:stream>',
  '<stream:error/>',
  "xmlns='jabber:client'",
  "xmlns:a='b'",
  "<a:b xmlns:a='c'/>",
  '__proto__',
  'constructor',
  '\u0000',
  '\uFFFE',
  "type='result'",
  "id=''",
  `<iq ${'a '.repeat(50)}`,
]
/** What leaves the XML well-formed when it stands between two tags. */
const wholePieces = [
  '<a/>'.repeat(500),
  'x'.repeat(5_000),
  `${'<a>'.repeat(100)}${'</a>'.repeat(100)}`,
  `<a ${Array.from({ length: 100 }, (_, n) => `a${n}=''`).join(' ')}/>`,
  '<![CDATA[<x>]]>',
  "<query xmlns='urn:other'/>",
  "<a:query xmlns:a='urn:test' a:id='1'/>",
  '&lt;&#x1F98A;',
  "<error/><error type=''/>",
]

/** The same numbers at every run. */
function createChance(seed: number) {
  let state = seed
  return (below: number) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

function mutate(chance: (below: number) => number): Buffer {
  return chance(2) === 0 ? mutateBytes(chance) : mutateTree(chance)
}

function mutateTree(chance: (below: number) => number): Buffer {
  const tags = (stanzas[chance(stanzas.length)] ?? '').split(/(?<=>)/)
  const end = tags.length > 1 ? 1 + chance(tags.length - 1) : 1
  tags.splice(end, 0, wholePieces[chance(wholePieces.length)] ?? '')
  const text = tags.join('')
  if (chance(3) > 0) return Buffer.from(text)
  return Buffer.from(
    text.replace(/ (type|id|from|to)='[^']*'/, ['', " $1=''", " $1='get'"][chance(3)] ?? ''),
  )
}

function mutateBytes(chance: (below: number) => number): Buffer {
  let bytes = Buffer.from(stanzas[chance(stanzas.length)] ?? '')
  for (let n = chance(4); n >= 0; n -= 1) {
    const at = chance(bytes.length + 1)
    const to = Math.min(bytes.length, at + chance(20))
    const parts = [bytes.subarray(0, at), bytes.subarray(to)]
    const kinds = [
      () => Buffer.from(pieces[chance(pieces.length)] ?? ''),
      () => Buffer.from([chance(256)]),
      () => Buffer.concat([bytes.subarray(at, to), bytes.subarray(at, to)]),
      () => bytes.subarray(chance(bytes.length + 1)),
      () => Buffer.alloc(0),
    ]
    const piece = kinds[chance(kinds.length)]?.() ?? Buffer.alloc(0)
    bytes = Buffer.concat([parts[0] ?? bytes, piece, parts[1] ?? bytes])
  }
  return bytes
}

test(`after ${ROUNDS} mutated stanzas the component answers as before`, async (t) => {
  const server = await startFakeServer()
  const component = createXmppComponent(
    {
      jid: JID,
      host: '127.0.0.1',
      port: server.port,
      secret: SECRET,
      incoming: { maxBytes: 4_000, maxDepth: 16, maxChildren: 200 },
      reconnect: { firstMs: 0, longestMs: 0, firstRefusedMs: 0, longestRefusedMs: 0 },
    },
    { log: { info() {}, warn() {}, error() {} } },
  )
  component.serve('get', 'urn:test', async ({ payload }) => [payload])
  component.serve('set', 'urn:test', async ({ iq }) => [
    element('query', { xmlns: 'urn:test' }, iq.children),
  ])
  component.start()
  t.after(() => Promise.all([component.stop(), server.close()]))
  const chance = createChance(20_240)
  let stream: FakeStream = await server.stream()
  for (let round = 0; round < ROUNDS; round += 1) {
    stream.write(mutate(chance))
    if (!(await answers(stream, `probe-${round}`))) stream = await server.stream()
  }
  assert.ok(await answers(stream, 'last'))
  const { links, refused, unknown, malformed, unexpectedAnswers } = component.counters()
  for (const [name, count] of Object.entries({ refused, unknown, malformed, unexpectedAnswers }))
    assert.ok(count > 50, `${name} ${count}`)
  assert.ok(links > 100 && links < ROUNDS, `links ${links}`)
})

/**
 * Whether the component answers on this stream. A mutation may have left something open that swallows the question: then
 * it is closed, and as a last resort the connection.
 */
async function answers(stream: FakeStream, id: string): Promise<boolean> {
  const probe = `<iq type='get' id='${id}' from='probe.test'><ping xmlns='urn:xmpp:ping'/></iq>`
  const closed = stream.closed.then(() => undefined)
  stream.write(probe)
  const close = setTimeout(() => stream.write(`-->?>]]>'>"></query></iq></message>${probe}`), 2)
  const giveUp = setTimeout(() => stream.socket.destroy(), 10)
  try {
    for (;;) {
      const stanza = await Promise.race([stream.next(), closed])
      if (stanza === undefined) return false
      if (attribute(stanza, 'id') === id) return true
    }
  } finally {
    clearTimeout(close)
    clearTimeout(giveUp)
  }
}
