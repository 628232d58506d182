import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findJsonError } from './json-position.ts'

test('the first character that cannot stand there is found', () => {
  const cases: [text: string, offset: number][] = [
    ['', 0],
    ['{"a":}', 5],
    ['{"a":1,}', 7],
    ['[1,2', 4],
    ['[1 2]', 3],
    ['{"a" 1}', 5],
    ['{a:1}', 1],
    ['{"a":1}x', 7],
    ['{"a":1]', 6],
    ['{"a":tru}', 5],
    ['{"a":01}', 5],
    ['{"a":"\\x"}', 5],
    [',', 0],
  ]
  for (const [text, offset] of cases) assert.equal(findJsonError(text), offset, text)
})

test('what is found lies where the parser says, or at the start of that word', () => {
  const broken = fc.tuple(fc.json(), fc.nat(), fc.constantFrom('}', ',', '"', '1', 'x', ' : '))
  fc.assert(
    fc.property(broken, ([json, at, put]) => {
      const cut = at % (json.length + 1)
      const text = json.slice(0, cut) + put + json.slice(cut)
      const place = parserPlace(text)
      if (place !== undefined) assert.ok(findJsonError(text) <= place, text)
    }),
  )
})

test('a text that the parser takes is read to its end', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      assert.equal(findJsonError(json), json.length)
    }),
  )
})

/** Offset in the parser's own message, which has one in some cases only. */
function parserPlace(text: string): number | undefined {
  try {
    JSON.parse(text)
  } catch (error) {
    const place = /at position (\d+)/.exec(String(error))?.[1]
    return place === undefined ? undefined : Number(place)
  }
  return undefined
}

test('a megabyte of the worst is looked through without failing', () => {
  const half = 500_000
  assert.equal(findJsonError(`{"a":"${'\\n'.repeat(half)}`), 5)
  assert.equal(findJsonError('['.repeat(2 * half)), 2 * half)
})
