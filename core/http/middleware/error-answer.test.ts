import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { pino } from 'pino'
import { answerError } from './error-answer.ts'
import type { HttpContext } from './state.ts'

/** What is answered for an error, without a server around it. */
function answerFor(error: FogbowError) {
  const headers: Record<string, string> = {}
  const set = (name: string | Record<string, string>, value = '') =>
    Object.assign(headers, typeof name === 'string' ? { [name]: value } : name)
  const context = { state: { requestId: 'r-1' }, req: { url: '/' }, set, body: '' }
  answerError(context as unknown as HttpContext, error, pino({ level: 'silent' }))
  return { headers, body: JSON.parse(context.body) as Record<string, unknown> }
}

test('details that a plugin made become no header and no field of another form', () => {
  const odd: unknown[] = [
    'x\r\nSet-Cookie: a=b',
    ['x\r\nSet-Cookie: a=b'],
    {},
    -1,
    1e300,
    Number.NaN,
    null,
  ]
  for (const value of odd) {
    const details = { allow: value, retryAfterSeconds: value, field: value } as never
    const { headers, body } = answerFor(new FogbowError('unavailable_provider', 'x', { details }))
    assert.equal(headers['Retry-After'], '5')
    assert.equal(headers.Allow, undefined)
    assert.ok(body.field === undefined || typeof body.field === 'string')
  }
})

test('a wait that an error knows is told', () => {
  const details = { retryAfterSeconds: 11.2 }
  const { headers } = answerFor(new FogbowError('too_many_requests', 'x', { details }))
  assert.equal(headers['Retry-After'], '12')
})
