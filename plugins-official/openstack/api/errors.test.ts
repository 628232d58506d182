import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toError } from './errors.ts'

const refusal = (status: number, body: unknown, method = 'POST') =>
  toError({
    service: 'compute',
    method,
    status,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

test('the message of the cloud is carried, in whichever form the service sends it', () => {
  const bodies = [
    { itemNotFound: { code: 404, message: 'No such server' } },
    { error: { code: 404, message: 'No such server', title: 'Not Found' } },
    { NeutronError: { type: 'NotFound', message: 'No such server', detail: '' } },
    { errors: [{ message: 'No such server' }] },
    { message: 'No such server' },
    '<html><head><title>404</title></head><body><h1>No such\n server</h1></body></html>',
    'No such server',
  ]
  for (const body of bodies) {
    const error = refusal(404, body)
    assert.equal(error.code, 'instance_not_found')
    assert.equal(error.message, 'compute: No such server')
  }
})

test('every service has its own way to say that a quota is exceeded', () => {
  const message = 'Quota exceeded for instances: Requested 1, but already used 20 of 20 instances'
  assert.equal(refusal(403, { forbidden: { message } }).code, 'quota_exceeded')
  assert.equal(
    refusal(409, { NeutronError: { type: 'OverQuota', message: 'x' } }).code,
    'quota_exceeded',
  )
  assert.equal(refusal(413, { overLimit: { message: 'x' } }).code, 'quota_exceeded')
  assert.equal(
    refusal(403, { forbidden: { message: 'Policy does not allow' } }).code,
    'unauthorized',
  )
  assert.equal(refusal(429, { overLimit: { message: 'slow down' } }).code, 'too_many_requests')
})

test('answers that say nothing of what was done leave the outcome open', () => {
  for (const status of [500, 502, 503, 504, 599])
    assert.equal(refusal(status, '').outcome, 'unknown', String(status))
  for (const status of [400, 403, 404, 405, 409, 422])
    assert.equal(refusal(status, '').outcome, 'refused', String(status))
})

test('what is in use is no malformed request', () => {
  const body = { badRequest: { message: 'Volume status must be available' } }
  assert.equal(refusal(400, body, 'DELETE').code, 'unacceptable_operation')
  assert.equal(refusal(400, body).code, 'invalid_parameter')
})

test('an answer without a body says its status', () => {
  assert.equal(refusal(503, '').message, 'compute: it answered 503')
})
