import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { makeKeyPair } from '../testing/keys.ts'
import { createVirtualTime } from '../testing/virtual-time.ts'
import {
  CLOCK_SKEW_MS,
  createEnvelopes,
  type Envelopes,
  MAX_ENVELOPE_LENGTH,
  reopen,
} from './envelope.ts'
import { createProofs, type Proof } from './proofs.ts'
import { Refusal, type RefusalReason } from './refusal.ts'
import { createSharedKeys } from './shared-keys.ts'
import type { KeyPair } from './site-keys.ts'

interface TestSite {
  readonly id: string
  readonly signing: KeyPair
  readonly encryption: KeyPair
  readonly envelopes: Envelopes
}

const time = createVirtualTime()

/** Sites that know the keys of each other. */
function makeSites(ids: readonly string[]): TestSite[] {
  const sites: TestSite[] = []
  const peerKeys = {
    find: (member: string, kid: string, use: 'sig' | 'enc') => {
      const site = sites.find(({ id }) => id === member)
      const key = use === 'sig' ? site?.signing : site?.encryption
      return key?.kid === kid ? key.key : undefined
    },
    encryption: (member: string) => sites.find(({ id }) => id === member)?.encryption,
  }
  for (const id of ids) {
    const signing = makeKeyPair('sig')
    const encryption = makeKeyPair('enc')
    const sharedKeys = createSharedKeys({ siteId: id, own: () => [encryption], peerKeys })
    const proofs = createProofs({
      signing: () => signing,
      encryption: () => encryption,
      peerKeys,
      sharedKeys,
    })
    const envelopes = createEnvelopes({ siteId: id, proofs, clock: time })
    sites.push({ id, signing, encryption, envelopes })
  }
  return sites
}

const [a, b, c] = makeSites(['site-a', 'site-b', 'site-c']) as [TestSite, TestSite, TestSite]
const id = 'aaaaaaaaaaaaaaaaaaaaaa'
const both: readonly Proof[] = ['signed', 'shared']

function sealed(from: TestSite, to: string, proof: Proof = 'signed', more: object = {}) {
  const claims = { method: 'echo', params: { text: 'hello' } }
  const expiresAt = time.now() + 10_000
  return from.envelopes.seal('request', { to, id, expiresAt, claims, proof, ...more }).text
}

const open = (text: string, from = 'site-a') => b.envelopes.open('request', text, { from })

function refused(reason: RefusalReason, run: () => unknown, what: string = reason): void {
  assert.throws(run, (error) => error instanceof Refusal && error.reason === reason, what)
}

/** Replaces one of the parts, each given as the object or text that it says. */
function rebuilt(text: string, parts: { header?: object; payload?: object; signature?: string }) {
  const [header, payload, signature] = text.split('.')
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return [
    parts.header ? encode(parts.header) : header,
    parts.payload ? encode(parts.payload) : payload,
    parts.signature ?? signature,
  ].join('.')
}

test('the member for which an envelope was made reads what was said, whichever way it is proved', () => {
  for (const proof of both) {
    const text = sealed(a, 'site-b', proof)
    assert.match(text, /^[A-Za-z0-9_.-]+$/)
    const envelope = open(text)
    assert.equal(envelope.id, id)
    assert.equal(envelope.proof, proof)
    assert.equal(envelope.expiresAt, time.now() + 10_000)
    assert.deepEqual(envelope.claims.params, { text: 'hello' })
    assert.equal(reopen(text).hash, envelope.hash)
  }
})

test('claims cannot take the place of who made it, for whom and until when', () => {
  const claims = { iss: 'site-c', aud: 'site-c', jti: 'x', iat: 0, exp: 9e9 }
  const envelope = open(sealed(a, 'site-b', 'signed', { claims }))
  assert.deepEqual(
    [envelope.claims.iss, envelope.claims.aud, envelope.id],
    ['site-a', 'site-b', id],
  )
})

test('each refusal tells its reason', () => {
  for (const proof of both) {
    const text = sealed(a, 'site-b', proof)
    const kid = proof === 'signed' ? a.signing.kid : a.encryption.kid
    const alg = proof === 'signed' ? 'EdDSA' : 'HS256'
    refused('unknown-key', () => open(text, 'site-c'))
    refused('unknown-key', () => open(text, '__proto__'))
    refused('unknown-key', () =>
      open(rebuilt(text, { header: { alg, kid: c.signing.kid, typ: 'fogbow-request' } })),
    )
    refused('bad-signature', () => open(rebuilt(text, { payload: { iss: 'site-a' } })))
    refused('bad-signature', () => open(rebuilt(text, { signature: 'A'.repeat(86) })))
    refused('bad-signature', () => open(rebuilt(text, { signature: 'A'.repeat(43) })))
    refused('wrong-type', () => b.envelopes.open('answer', text, { from: 'site-a' }))
    refused('malformed', () => open(text.slice(0, text.lastIndexOf('.'))))
    refused('malformed', () => open(`${text}.x`))
    refused('malformed', () => open(text.replace('.', '=.')))
    refused('malformed', () => open(`${text} `))
    for (const header of [
      { alg: 'none', kid, typ: 'fogbow-request' },
      { alg: 'RS256', kid, typ: 'fogbow-request' },
      { alg, typ: 'fogbow-request' },
      { alg, kid, typ: 'fogbow-request', crit: ['b64'], b64: false },
      { alg, kid, typ: 'fogbow-request', jwk: {} },
    ])
      refused('malformed', () => open(rebuilt(text, { header })), JSON.stringify(header))
    const toC = sealed(a, 'site-c', proof)
    if (proof === 'signed') refused('foreign-audience', () => open(toC))
    else refused('bad-signature', () => open(toC))
  }
  refused('too-large', () => open('x'.repeat(MAX_ENVELOPE_LENGTH + 1)))
})

test('a signature cannot be used as a key, nor a public key as a shared secret', () => {
  const text = sealed(a, 'site-b')
  const asHmac = { alg: 'HS256', kid: a.signing.kid, typ: 'fogbow-request' }
  refused('bad-signature', () => open(rebuilt(text, { header: asHmac })))
  refused('unknown-key', () => open(rebuilt(text, { header: asHmac, signature: 'A'.repeat(43) })))
  const asSigned = { alg: 'EdDSA', kid: a.encryption.kid, typ: 'fogbow-request' }
  refused('unknown-key', () => open(rebuilt(text, { header: asSigned })))
})

test('what a site made for another does not pass when that one sends it on, or back', () => {
  refused('foreign-issuer', () => {
    const own = makeSites(['site-a'])[0] as TestSite
    const proofs = {
      canMake: () => true,
      kidOf: () => own.signing.kid,
      make: () => 'A'.repeat(86),
      check: () => {},
    }
    const trusting = createEnvelopes({ siteId: 'site-b', proofs, clock: time })
    trusting.open('request', sealed(c, 'site-b'), { from: 'site-a' })
  })
  // Both ends of a pair have the same key: the issuer tells them apart.
  const mine = sealed(b, 'site-a', 'shared')
  refused('unknown-key', () => open(mine, 'site-a'))
  const header = { alg: 'HS256', kid: a.encryption.kid, typ: 'fogbow-request' }
  refused('bad-signature', () => open(rebuilt(mine, { header }), 'site-a'))
})

test('time counts within the skew of two clocks', () => {
  const later = (ms: number) => ({ expiresAt: time.now() + ms })
  const made = sealed(a, 'site-b', 'signed', later(1000))
  const clockOf = (ms: number) => ({ ...time, now: () => time.now() + ms })
  const at = (ms: number, expired: 'refused' | 'told' = 'refused') => {
    const proofs = {
      canMake: () => true,
      kidOf: () => '',
      make: () => '',
      check: () => {},
    }
    const site = createEnvelopes({ siteId: 'site-b', proofs, clock: clockOf(ms) })
    return site.open('request', made, { from: 'site-a', expired })
  }
  assert.ok(at(0))
  assert.ok(at(1000 + CLOCK_SKEW_MS))
  refused('expired', () => at(1001 + CLOCK_SKEW_MS))
  assert.ok(at(10 * CLOCK_SKEW_MS, 'told'))
  assert.ok(at(-CLOCK_SKEW_MS))
  refused('not-yet-valid', () => at(-CLOCK_SKEW_MS - 1))
  refused('too-long-lived', () => open(sealed(a, 'site-b', 'signed', later(8 * 86_400_000))))
  refused('malformed', () => open(sealed(a, 'site-b', 'signed', later(-1))))
  refused('malformed', () => open(sealed(a, 'site-b', 'signed', { id: 'short' })))
})

test('deep nesting is refused before it is parsed, quoted brackets are not taken for nesting', () => {
  let deep: unknown = 1
  for (let level = 0; level < 100; level += 1) deep = [deep]
  refused('too-deep', () => open(sealed(a, 'site-b', 'signed', { claims: { deep } })))
  const quoted = `\\"${'[{"'.repeat(100)}\\\\`
  const envelope = open(sealed(a, 'site-b', 'signed', { claims: { quoted } }))
  assert.equal(envelope.claims.quoted, quoted)
})

test('of 20,000 envelopes that were changed in some way none is taken for what it was', () => {
  const originals = both.flatMap((proof) => [
    sealed(a, 'site-b', proof),
    sealed(c, 'site-b', proof),
  ])
  const change = fc.oneof(
    fc.record({ at: fc.nat(), with: fc.constantFrom(...'.=AZaz09-_ +/\u0000é') }),
    fc.record({ at: fc.nat(), cut: fc.nat(40) }),
    fc.record({ at: fc.nat(), insert: fc.string({ minLength: 1, maxLength: 8 }) }),
    fc.record({ at: fc.nat(), swap: fc.nat(3) }),
  )
  const apply = (text: string, how: object & { at: number }) => {
    const at = how.at % text.length
    if ('with' in how) return text.slice(0, at) + String(how.with) + text.slice(at + 1)
    if ('cut' in how) return text.slice(0, at) + text.slice(at + Number(how.cut))
    if ('insert' in how) return text.slice(0, at) + String(how.insert) + text.slice(at)
    const other = originals[Number((how as { swap?: number }).swap)]?.split('.') ?? []
    return text
      .split('.')
      .map((part, index) => (index === at % 3 ? (other[index] ?? part) : part))
      .join('.')
  }
  let changed = 0
  const property = fc.property(
    fc.constantFrom(...originals),
    fc.array(change, { minLength: 1, maxLength: 3 }),
    (original, changes) => {
      const text = changes.reduce(apply, original)
      if (originals.includes(text)) return
      changed += 1
      for (const from of ['site-a', 'site-c']) assert.throws(() => open(text, from), Refusal)
    },
  )
  fc.assert(property, { numRuns: 21_000 })
  assert.ok(changed >= 10_000, `only ${changed} were changed`)
})
