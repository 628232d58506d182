import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeSiteKeys } from '../testing/keys.ts'
import { Refusal, type RefusalReason } from '../trust/index.ts'
import { makeHeartbeat, readHeartbeat } from './heartbeat.ts'
import { readSignedText, signText } from './signed-text.ts'
import { makeStatement, readStatement } from './statement.ts'

const keys = makeSiteKeys()
const now = 1_700_000_000_000
const R = 'rendezvous.test'
const about = { rendezvous: R, member: 'ras-a.test' }
const statement = {
  member: 'ras-a.test',
  keys: [keys.signing],
  met: 'firstUse' as const,
  heardAt: now,
  seenUntil: now + 90_000,
}
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

function refused(reason: RefusalReason, open: () => unknown): void {
  assert.throws(open, (error) => {
    assert.ok(error instanceof Refusal)
    assert.equal(error.reason, reason)
    return true
  })
}

test('what was signed is read as it was', () => {
  const read = readStatement(makeStatement(R, statement, keys), about, [keys.signing], now)
  assert.deepEqual(
    { ...read, keys: read.keys.map(({ kid }) => kid) },
    { ...statement, keys: [keys.signing.kid] },
  )
  const heartbeat = readHeartbeat(makeHeartbeat('ras-a.test', R, keys, now), now)
  heartbeat.assertSignedBy(heartbeat.keys)
  assert.deepEqual([heartbeat.from, heartbeat.to, heartbeat.madeAt], ['ras-a.test', R, now])
})

test('a signature counts for one kind of text, one header and one key', () => {
  const text = signText('heartbeat', { iss: 'x' }, keys.signing)
  const [header = '', payload = '', signature = ''] = text.split('.')
  const open = (forged: string) =>
    readSignedText('heartbeat', forged).assertSignedBy([keys.signing])
  open(text)
  const head = (fields: object) =>
    `${encode({ alg: 'EdDSA', kid: keys.signing.kid, typ: 'fogbow-heartbeat', ...fields })}.${payload}.${signature}`
  refused('wrong-type', () => readSignedText('membership', text))
  refused('bad-signature', () => open(`${header}.${encode({ iss: 'y' })}.${signature}`))
  refused('bad-signature', () => open(`${header}.${payload}.${signature.slice(1)}`))
  refused('unknown-key', () => readSignedText('heartbeat', text).assertSignedBy([]))
  for (const fields of [{ alg: 'none' }, { alg: 'HS256' }, { crit: [] }, { jwk: {} }, { kid: 1 }])
    refused('malformed', () => open(head(fields)))
  refused('malformed', () => open(`${header}.${payload}`))
  refused('malformed', () => open(`${header}.${payload}.`))
  refused('malformed', () => open(`${header}.${payload}.${signature}.`))
  refused('too-large', () => open(`${header}.${'A'.repeat(5000)}.${signature}`))
  const deep = Buffer.from(`{"a":${'['.repeat(500)}${']'.repeat(500)}}`).toString('base64url')
  refused('too-deep', () => open(`${header}.${deep}.${signature}`))
})

test('a statement counts for its rendezvous, its member and its time', () => {
  const open = (text: string, changed: Partial<typeof about> = {}, at = now) =>
    readStatement(text, { ...about, ...changed }, [keys.signing], at)
  const text = makeStatement(R, statement, keys)
  refused('foreign-issuer', () => open(text, { rendezvous: 'other.test' }))
  refused('foreign-audience', () => open(text, { member: 'ras-b.test' }))
  refused('expired', () => open(text, {}, now + 200_000))
  refused('not-yet-valid', () => open(text, {}, now - 200_000))
  refused('malformed', () => open(makeStatement(R, { ...statement, met: 'guess' as never }, keys)))
  const many = { ...statement, keys: Array.from({ length: 5 }, () => keys.signing) }
  refused('malformed', () => open(makeStatement(R, many, keys)))
})
