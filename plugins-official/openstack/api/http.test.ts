import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeHost } from '@fogbow/plugin-sdk/testing'
import { createHttp, type HttpRequest } from './http.ts'

const call = { signal: new AbortController().signal, deadline: Number.MAX_SAFE_INTEGER }
const get: HttpRequest = { service: 'compute', method: 'GET', url: 'https://nova.example/servers' }
const post: HttpRequest = { ...get, method: 'POST', body: {} }

/** Answers one after the other, and counts what was asked. */
function serve(...answers: (Response | Error)[]) {
  let asked = 0
  const host = createFakeHost({
    fetch: async () => {
      const answer = answers[Math.min(asked++, answers.length - 1)]
      if (answer instanceof Response) return answer.clone()
      throw answer
    },
  })
  return { host, http: createHttp(host), asked: () => asked }
}

const ok = new Response('{"a":1}')
const busy = (status: number, retryAfter?: string) =>
  new Response('', { status, headers: retryAfter ? { 'retry-after': retryAfter } : {} })

test('what was refused for its rate is sent again when the cloud said', async () => {
  const { host, http, asked } = serve(busy(429, '2'), ok)
  const answer = http.send(post, call)
  await host.clock.advance(1999)
  assert.equal(asked(), 1)
  await host.clock.advance(1)
  assert.deepEqual((await answer).body, { a: 1 })
  assert.equal(asked(), 2)
})

test('a long pause is told, and nothing is sent before its end', async () => {
  const { host, http, asked } = serve(busy(429, '120'), ok)
  const tooBusy = { code: 'too_many_requests' }
  await assert.rejects(http.send(get, call), tooBusy)
  await assert.rejects(http.send(post, call), tooBusy)
  assert.equal(asked(), 1)
  await host.clock.advance(120_000)
  assert.deepEqual((await http.send(get, call)).body, { a: 1 })
})

test('a service that is down is asked again only for what may be done twice', async () => {
  const reading = serve(busy(503, '1'), ok)
  const answer = reading.http.send(get, call)
  await reading.host.clock.advance(1000)
  assert.equal((await answer).status, 200)
  const creating = serve(busy(503, '1'), ok)
  await assert.rejects(creating.http.send(post, call), { code: 'unavailable_provider' })
  assert.equal(creating.asked(), 1)
})

test('a pause beyond the deadline of the call is not waited for', async () => {
  const { host, http, asked } = serve(busy(429, '4'), ok)
  const short = { ...call, deadline: host.clock.now() + 3000 }
  await assert.rejects(http.send(get, short), { code: 'too_many_requests' })
  assert.equal(asked(), 1)
})

test('a pause may be given as a date', async () => {
  const { host, http, asked } = serve(
    busy(429, new Date(Date.UTC(2030, 0, 1) + 3000).toUTCString()),
    ok,
  )
  const answer = http.send(get, call)
  await host.clock.advance(3000)
  assert.equal((await answer).status, 200)
  assert.equal(asked(), 2)
})

test('no answer is an unknown outcome that says why', async () => {
  const cause = new Error('connect ECONNREFUSED 192.0.2.1:8774')
  const { http } = serve(new TypeError('fetch failed', { cause }))
  await assert.rejects(http.send(post, call), {
    code: 'unavailable_provider',
    message: 'compute does not answer: connect ECONNREFUSED 192.0.2.1:8774',
  })
})

test('a host that was not granted is for the administrator to open', async () => {
  const { http } = serve(Object.assign(new Error('not granted'), { code: 'unauthorized' }))
  await assert.rejects(http.send(post, call), {
    code: 'configuration_error',
    message: /not granted/,
  })
})
