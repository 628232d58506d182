import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ErrorCode, errorCatalogue, FogbowError } from '@fogbow/plugin-sdk'
import { XmppError } from '../xmpp/index.ts'
import { errorElement } from '../xmpp/stanza-error.ts'
import { fromJavaError, isAnswer, toJavaError } from './errors.ts'

const answered = (condition: string, text = 'why') =>
  new XmppError('stanza', `answered ${condition}`, {
    sent: true,
    answer: { condition, type: 'cancel', text },
  })

const both: [ErrorCode, string, string, string][] = [
  ['unauthorized', 'forbidden', '403', 'auth'],
  ['unauthenticated', 'not-authorized', '401', 'auth'],
  ['invalid_parameter', 'bad-request', '400', 'modify'],
  ['instance_not_found', 'item-not-found', '404', 'cancel'],
  ['unacceptable_operation', 'not-acceptable', '406', 'modify'],
  ['unavailable_provider', 'remote-server-not-found', '404', 'cancel'],
  ['configuration_error', 'conflict', '409', 'cancel'],
  ['internal_error', 'internal-server-error', '500', 'wait'],
]

for (const [code, condition, number, type] of both)
  test(`${code} is ${condition} there, with its number and type, and comes back as itself`, () => {
    const error = toJavaError(new FogbowError(code, 'why'))
    assert.equal(error.condition, condition)
    const { attributes } = errorElement(error)
    assert.deepEqual([attributes.code, attributes.type], [number, type])
    assert.equal(fromJavaError(answered(condition), 'site-b').code, code)
  })

test('every error of ours has one of the nine conditions that the original reads', () => {
  const readable = new Set(both.map(([, condition]) => condition))
  for (const code of Object.keys(errorCatalogue) as ErrorCode[])
    assert.ok(readable.has(toJavaError(new FogbowError(code, 'why')).condition), code)
})

test('of a defect nothing is told but that there is one', () => {
  const error = toJavaError(new TypeError('secret of /etc'))
  assert.equal(error.condition, 'internal-server-error')
  assert.doesNotMatch(error.message, /secret/)
})

test('conditions of servers on the way, of defects there and unknown ones leave the outcome open', () => {
  const open = [
    'undefined-condition',
    'service-unavailable',
    'remote-server-not-found',
    'remote-server-timeout',
    'resource-constraint',
    'never-heard-of',
    'constructor',
  ]
  for (const condition of open) {
    const error = fromJavaError(answered(condition), 'site-b')
    assert.equal(error.code, 'unavailable_provider')
    assert.equal(error.outcome, 'unknown')
  }
  assert.ok(isAnswer(answered('undefined-condition')))
  assert.ok(!isAnswer(answered('remote-server-not-found')))
})

test('silence is an unavailable provider that is named; what could not be written is not its fault', () => {
  const of = (kind: XmppError['kind'], sent: boolean) =>
    fromJavaError(new XmppError(kind, 'ras-site-b did not answer', { sent }), 'site-b')
  assert.equal(of('timeout', true).code, 'unavailable_provider')
  assert.match(of('timeout', true).message, /^site-b /)
  assert.equal(of('offline', false).code, 'unavailable_provider')
  assert.equal(of('too-large', false).code, 'payload_too_large')
  assert.equal(of('invalid', false).code, 'invalid_parameter')
})

test('the words of the peer reach the user', () => {
  assert.equal(
    fromJavaError(answered('forbidden', 'not yours'), 'site-b').message,
    'site-b: not yours',
  )
})
