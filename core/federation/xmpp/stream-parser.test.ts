import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Element, element, serialise } from './stanza.ts'
import { createStreamParser, type StanzaLimits, StreamFault } from './stream-parser.ts'
import { header } from './testing/fake-server.ts'

const limits: StanzaLimits = { maxBytes: 4096, maxDepth: 6, maxAttributes: 8, maxChildren: 10 }
const HEAD = header('ras-a.test')

/** Reads a stream in chunks of the sizes given, the last one over and over. */
function read(xml: string | Buffer, sizes: number[] = [65_536], own: StanzaLimits = limits) {
  const seen: {
    stanzas: Element[]
    refused: [Element, string][]
    ended: boolean
    bytes: number[]
  } = { stanzas: [], refused: [], ended: false, bytes: [] }
  const parser = createStreamParser(own, {
    header() {},
    stanza(stanza, bytes) {
      seen.stanzas.push(stanza)
      seen.bytes.push(bytes)
    },
    refused: (head, limit) => seen.refused.push([head, limit]),
    end: () => {
      seen.ended = true
    },
  })
  const data = Buffer.from(xml)
  let at = 0
  for (let n = 0; at < data.length; n += 1) {
    const size = Math.max(1, sizes[Math.min(n, sizes.length - 1)] ?? 1)
    parser.write(data.subarray(at, at + size))
    at += size
  }
  return seen
}

function faultOf(xml: string, own?: StanzaLimits): string {
  try {
    read(xml, [1000], own)
  } catch (error) {
    assert.ok(error instanceof StreamFault, String(error))
    return error.condition
  }
  return 'none'
}

test('characters that two chunks share arrive whole, wherever the border is', () => {
  const text = 'é – 漢字 – 🦊'
  const xml = `${HEAD}<message><body>${text}</body></message>`
  for (let cut = 1; cut < Buffer.byteLength(xml); cut += 1) {
    const [stanza] = read(xml, [cut, 65_536]).stanzas
    assert.deepEqual(stanza?.children, [
      element('body', { xmlns: 'jabber:component:accept' }, [text]),
    ])
  }
})

test('what is written is read again the same, in chunks of any size', () => {
  const text = fc
    .string({ unit: 'binary', maxLength: 40 })
    .map((value) =>
      [...value.toWellFormed()]
        .filter((c) => !/[^\t\n\u{20}-\u{FFFD}\u{10000}-\u{10FFFF}]/u.test(c))
        .join(''),
    )
  const name = fc.constantFrom('iq', 'query', 'a-b', '_x.1', 'constructor', 'toString')
  const attributes = fc.dictionary(name, text, { maxKeys: 4 })
  const { tree } = fc.letrec<{ tree: Element }>((tie) => ({
    tree: fc
      .tuple(
        name,
        attributes,
        fc.constantFrom('urn:a', 'urn:b'),
        fc.array(
          fc.oneof(
            { depthSize: 'small', maxDepth: 3 },
            text.filter((t) => t !== ''),
            tie('tree'),
          ),
          {
            maxLength: 3,
          },
        ),
      )
      .map(([tag, values, xmlns, children]) =>
        element(tag, { ...values, xmlns }, merged(children)),
      ),
  }))
  fc.assert(
    fc.property(
      tree,
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (made, sizes) => {
        const { stanzas } = read(HEAD + serialise(made), sizes, {
          ...limits,
          maxBytes: 1e6,
          maxDepth: 32,
        })
        assert.deepEqual(stanzas, [made])
      },
    ),
    { numRuns: 100 },
  )
})

/** Neighbouring texts are one text to whoever reads them. */
function merged(children: (Element | string)[]): (Element | string)[] {
  return children.reduce<(Element | string)[]>((all, child) => {
    const last = all.at(-1)
    if (typeof child === 'string' && typeof last === 'string') all[all.length - 1] = last + child
    else all.push(child)
    return all
  }, [])
}

test('prefixes are resolved, and foreign attributes left out', () => {
  const { stanzas } = read(
    `${HEAD}<iq id='1'><q:query xmlns:q='urn:q' q:id='2' xml:lang='en' id='3'><item xmlns='urn:i'/></q:query></iq>`,
  )
  const query = stanzas[0]?.children[0] as Element
  assert.equal(query.name, 'query')
  assert.equal(query.namespace, 'urn:q')
  assert.deepEqual({ ...query.attributes }, { 'xml:lang': 'en', id: '3' })
  assert.equal((query.children[0] as Element).namespace, 'urn:i')
})

test('what a stream of XMPP may not hold ends the stream', () => {
  const cases: [string, string][] = [
    ['<!-- x -->', 'restricted-xml'],
    ['<iq><!-- x --></iq>', 'restricted-xml'],
    ['<?php x ?>', 'restricted-xml'],
    ['<iq><?php x ?></iq>', 'restricted-xml'],
    ["<!DOCTYPE iq [<!ENTITY a 'b'>]>", 'not-well-formed'],
    ['<iq>&a;</iq>', 'not-well-formed'],
    ['<iq>&constructor;</iq>', 'not-well-formed'],
    ['<iq>&#0;</iq>', 'not-well-formed'],
    ['<iq>\u0001</iq>', 'not-well-formed'],
    ['<iq></message>', 'not-well-formed'],
    ['<iq a=1/>', 'not-well-formed'],
    ["<iq a='1' a='2'/>", 'not-well-formed'],
    ['<a:iq/>', 'bad-namespace-prefix'],
    ['<constructor:iq/>', 'bad-namespace-prefix'],
    ['text', 'not-well-formed'],
    ['text<iq/>', 'not-well-formed'],
  ]
  for (const [xml, condition] of cases) assert.equal(faultOf(HEAD + xml), condition, xml)
  assert.equal(faultOf(`<!DOCTYPE x [<!ENTITY a 'b'>]>${HEAD}`), 'restricted-xml')
  assert.equal(faultOf('<html>'), 'invalid-namespace')
  assert.equal(faultOf(`<stream xmlns='urn:other'>`), 'invalid-namespace')
  assert.equal(faultOf(`<stream:stream ${'x'.repeat(5000)}`), 'policy-violation')
})

test('a stanza beyond a limit is thrown away alone, and its sender is known', () => {
  const cases: [string, string][] = [
    [`<a>${'x'.repeat(5000)}</a>`, 'maxBytes'],
    [`<a b='${'x'.repeat(5000)}'/>`, 'maxBytes'],
    [`${'<a>'.repeat(6)}${'</a>'.repeat(6)}`, 'maxDepth'],
    [`${'<a>'.repeat(300)}text${'</a>'.repeat(300)}`, 'maxDepth'],
    [`<a ${Array.from({ length: 9 }, (_, n) => `a${n}=''`).join(' ')}/>`, 'maxAttributes'],
    ['<a/>'.repeat(11), 'maxChildren'],
    ['<a/>text'.repeat(6), 'maxChildren'],
  ]
  for (const [content, limit] of cases) {
    const xml = `${HEAD}<iq type='get' id='1' from='b'>${content}</iq><iq id='2'/>`
    for (const sizes of [[100], [1], [1460]]) {
      const { stanzas, refused } = read(xml, sizes)
      assert.deepEqual(
        refused.map(([head, by]) => [head.attributes.from, head.children, by]),
        [['b', [], limit]],
      )
      assert.deepEqual(
        stanzas.map(({ attributes }) => attributes.id),
        ['2'],
        content.slice(0, 20),
      )
    }
  }
})

test('a head of a stanza beyond the limit is thrown away as well', () => {
  const xml = `${HEAD}<iq id='1' x='${'x'.repeat(5000)}'><a/></iq><iq id='2'/>`
  const { stanzas, refused } = read(xml, [100])
  assert.equal(refused[0]?.[0].attributes.id, '1')
  assert.deepEqual(
    stanzas.map(({ attributes }) => attributes.id),
    ['2'],
  )
})

test('a stanza that never ends ends the stream', () => {
  const endless = (unit: string) => `${HEAD}<iq><a>${unit.repeat(9 * 4096)}`
  assert.equal(faultOf(endless('x')), 'policy-violation')
  assert.equal(faultOf(endless('<a>')), 'policy-violation')
  assert.equal(faultOf(`${HEAD}${' '.repeat(9 * 4096)}`), 'policy-violation')
})

test('stanzas within the limit may follow each other for ever', () => {
  const stanza = `<iq id='1'><a>${'é'.repeat(1000)}</a></iq> \n`
  const { stanzas, refused, bytes } = read(HEAD + stanza.repeat(50), [1460])
  assert.equal(stanzas.length, 50)
  assert.deepEqual(refused, [])
  assert.ok(
    bytes.every((size) => Math.abs(size - 1024) < 10),
    bytes.join(),
  )
})

test('the end of the stream is told', () => {
  assert.equal(read(`${HEAD}<iq/></stream:stream>`).ended, true)
  assert.equal(read(`${HEAD}<iq/>`).ended, false)
})
