import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson } from './canonical-json.ts'
import { openDocument, signDocument } from './signed-document.ts'
import { createSigningKey, readSigningKey, readVerifyingKey } from './signing-key.ts'

const key = createSigningKey()
const now = Date.parse('2026-06-01T00:00:00Z')
const signed = {
  type: 'list',
  issuedAt: '2026-05-31T00:00:00Z',
  expiresAt: '2026-06-08T00:00:00Z',
  sequence: 7,
  entries: [{ b: 1, a: 'ü' }],
}
const check = { origin: 'The list', type: 'list', keys: [key], now }

test('what was signed is read, in whatever order its keys are written', () => {
  const { signatures } = signDocument(signed, [key])
  const { entries, ...rest } = signed
  assert.deepEqual(openDocument({ signatures, signed: { entries, ...rest } }, check), signed)
})

test('one believed key among several signatures is enough', () => {
  const document = signDocument(signed, [createSigningKey(), key])
  assert.deepEqual(openDocument(document, check), signed)
})

const refusals: [string, unknown, RegExp][] = [
  [
    'a changed document',
    { ...signDocument(signed, [key]), signed: { ...signed, sequence: 8 } },
    /no key that this site believes has signed it/,
  ],
  ['a stranger’s document', signDocument(signed, [createSigningKey()]), /no key that this site/],
  ['an unsigned document', signDocument(signed, []), /no key that this site/],
  [
    'a signature under the name of another key',
    {
      signed,
      signatures: signDocument(signed, [createSigningKey()]).signatures.map((one) => ({
        ...one,
        keyId: key.keyId,
      })),
    },
    /no key that this site/,
  ],
  ['another kind of document', signDocument({ ...signed, type: 'menu' }, [key]), /it is a 'menu'/],
  [
    'a document past its end',
    signDocument({ ...signed, expiresAt: '2026-06-01T00:00:00Z' }, [key]),
    /it was good until 2026-06-01T00:00:00Z: get a newer one/,
  ],
  [
    'a document from the future',
    signDocument({ ...signed, issuedAt: '2026-06-01T00:06:00Z' }, [key]),
    /issued in the future/,
  ],
  [
    'a document whose end is no time',
    signDocument({ ...signed, expiresAt: 'never' }, [key]),
    /signed\.expiresAt is no time/,
  ],
  ['a list', [], /is not believed: .*object/],
  ['a document without a number', { signed: {}, signatures: [] }, /signed\.type is required/],
]
for (const [what, document, problem] of refusals) {
  test(`${what} is refused`, () => {
    assert.throws(() => openDocument(document, check), problem)
    assert.throws(() => openDocument(document, check), /^FogbowError: The list is not believed/)
  })
}

test('a document older than one that was seen is refused, the same one again is not', () => {
  const document = signDocument(signed, [key])
  assert.throws(() => openDocument(document, { ...check, lastSequence: 8 }), /number 7, and 8 was/)
  assert.deepEqual(openDocument(document, { ...check, lastSequence: 7 }), signed)
})

test('canonical JSON follows RFC 8785', () => {
  const value = { '\u20ac': 'Euro', '\r': 1, 1: [null, true, 1e21, 0.000001, -0], a: undefined }
  assert.equal(canonicalJson(value), '{"\\r":1,"1":[null,true,1e+21,0.000001,0],"\u20ac":"Euro"}')
  assert.throws(() => canonicalJson({ a: Number.NaN }), /NaN cannot be written/)
  assert.throws(() => canonicalJson([() => 1]), TypeError)
})

test('a key that was written out signs and verifies as before', () => {
  const again = readSigningKey(key.export())
  assert.equal(again.text, key.text)
  assert.ok(readVerifyingKey(key.text).verifies('text', again.sign('text')))
  assert.ok(!readVerifyingKey(key.text).verifies('another text', again.sign('text')))
})

test('a key whose name is that of another is refused, as is what is no key', () => {
  const [x = ''] = createSigningKey().text.split(':').slice(1)
  assert.throws(() => readVerifyingKey(`${key.keyId}:${x}`), /is not the thumbprint of the key/)
  assert.throws(() => readVerifyingKey('abc'), /expected is keyId:key/)
  assert.throws(() => readSigningKey('abc'), /no private key in PEM/)
})
