import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { imageSpec } from '../fixtures/plugin-spec.ts'
import { runCode } from '../fixtures/run-code.ts'
import { testResults } from '../fixtures/test-results.ts'
import { inEachTier } from '../fixtures/tiers.ts'
import { defaultLimits, type HostCall, type Sandbox, startSandbox } from '../index.ts'

interface Asked {
  url: string
  method: string
  headers: [string, string][]
  body?: string
  bodyStream?: number
  bodyLength?: number
}

type Serve = (request: Asked, call: HostCall) => unknown

const ok = { status: 200, statusText: 'OK', headers: [] as [string, string][] }
const base64 = (text: string) => Buffer.from(text).toString('base64')
const inline = (text: string) => ({ ...ok, body: base64(text) })

/** `count` chunks, and what was done to their source. */
function chunks(count: number, bytes = 1000) {
  const noted = { pulled: 0, returned: 0 }
  const source: AsyncIterableIterator<Uint8Array> = {
    next: async () =>
      noted.pulled++ < count
        ? { done: false, value: new Uint8Array(bytes).fill(noted.pulled) }
        : { done: true, value: undefined },
    return: async () => {
      noted.returned++
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => source,
  }
  return { source, noted }
}

await inEachTier((launcher) => {
  const started: Sandbox[] = []
  after(() => Promise.all(started.map((sandbox) => sandbox.stop())))

  /** A sandbox whose plugin runs `body` and whose requests are answered by `serve`. */
  async function start(body: string, serve: Serve, limits = defaultLimits): Promise<Sandbox> {
    const fetch = async ([request]: readonly unknown[], call: HostCall) =>
      serve(request as Asked, call)
    const sandbox = await startSandbox(imageSpec(body, { host: { fetch }, limits }), { launcher })
    started.push(sandbox)
    return sandbox
  }

  test('an answer at hand crosses whole, with headers that cannot be changed', async () => {
    const asked: Asked[] = []
    const sandbox = await start(
      `const r = await fetch('https://h/p?q#fragment', { method: 'post', headers: { 'X-A': '1' }, body: 'ü' })
     let change; try { r.headers.set('a', 'b') } catch (error) { change = error.name }
     return [r.status, r.statusText, r.ok, r.type, r.url, r.redirected, r.headers.get('SET-cookie'), r.headers.getSetCookie(), change, await r.json(), r.bodyUsed]`,
      (request) => {
        asked.push(request)
        const headers = [
          ['set-cookie', 'a'],
          ['set-cookie', 'b'],
        ]
        return { status: 201, statusText: 'Created', headers, body: base64('{"a":1}') }
      },
    )
    assert.deepEqual(await runCode(sandbox), [
      201,
      'Created',
      true,
      'basic',
      'https://h/p?q',
      false,
      'a, b',
      ['a', 'b'],
      'TypeError',
      { a: 1 },
      true,
    ])
    assert.deepEqual(asked, [
      {
        url: 'https://h/p?q',
        method: 'POST',
        headers: [
          ['content-type', 'text/plain;charset=UTF-8'],
          ['x-a', '1'],
        ],
        body: base64('ü'),
      },
    ])
  })

  test('a streamed answer is pulled as it is read, never ahead', async () => {
    const { source, noted } = chunks(5)
    const pulls: number[] = []
    const sandbox = await start(
      `if (id === 'start') { globalThis.response = await fetch('https://h/'); return [response.bodyUsed, response.body.locked] }
     globalThis.reader ??= response.body.getReader()
     const { done, value } = await reader.read()
     return [done, value?.length ?? 0, response.bodyUsed]`,
      (_request, call) => ({ ...ok, stream: call.streams.offer(source) }),
    )
    assert.deepEqual(await runCode(sandbox, 'start'), [false, false])
    pulls.push(noted.pulled)
    for (let n = 0; n < 3; n++) {
      assert.deepEqual(await runCode(sandbox), [false, 1000, true])
      pulls.push(noted.pulled)
    }
    assert.deepEqual(pulls, [0, 1, 2, 3])
  })

  const readings: [how: string, code: string][] = [
    ['text', 'return (await response.text()).length'],
    ['arrayBuffer', 'return (await response.arrayBuffer()).byteLength'],
    ['bytes', 'return (await response.bytes()).length'],
    ['blob', 'return (await response.blob()).size'],
    [
      'for await',
      'let n = 0; for await (const chunk of response.body) n += chunk.length; return n',
    ],
    ['text after body', 'response.body; return (await response.text()).length'],
    [
      'a reader with its own buffer',
      "const reader = response.body.getReader({ mode: 'byob' }); let n = 0; for (let view = new Uint8Array(700); ;) { const { done, value } = await reader.read(view); if (done) return n; n += value.length; view = new Uint8Array(value.buffer) }",
    ],
    [
      'pipeTo',
      'let n = 0; await response.body.pipeTo(new WritableStream({ write(chunk) { n += chunk.length } })); return n',
    ],
    [
      'TextDecoderStream',
      'let n = 0; for await (const text of response.body.pipeThrough(new TextDecoderStream())) n += text.length; return n',
    ],
    [
      'a copy, both read',
      'const copy = response.clone(); const [one, other] = await Promise.all([response.text(), copy.text()]); return one === other ? one.length : -1',
    ],
    ['another answer', 'return (await new Response(response.body).text()).length'],
  ]
  for (const [how, code] of readings) {
    test(`a streamed answer is read whole by ${how}`, async () => {
      const { source, noted } = chunks(5)
      const sandbox = await start(
        `const response = await fetch('https://h/'); ${code}`,
        (_request, call) => ({ ...ok, stream: call.streams.offer(source) }),
      )
      assert.equal(await runCode(sandbox), 5000)
      assert.equal(noted.returned, 0)
    })
  }

  const partings: [how: string, code: string][] = [
    ['cancel', 'await response.body.cancel()'],
    ['a loop that is left', 'for await (const chunk of response.body) break'],
    [
      'cancel of its reader',
      'const reader = response.body.getReader(); await reader.read(); await reader.cancel()',
    ],
    [
      'a signal that aborts later',
      'const reader = response.body.getReader(); await reader.read(); controller.abort(); return reader.read().catch((error) => error.name)',
    ],
    [
      'cancel of both copies',
      'const copy = response.clone(); await Promise.all([response.body.cancel(), copy.body.cancel()])',
    ],
  ]
  for (const [how, code] of partings) {
    test(`${how} reaches the source of a streamed answer`, async () => {
      const { source, noted } = chunks(1_000_000)
      const sandbox = await start(
        `const controller = new AbortController()
       const response = await fetch('https://h/', { signal: controller.signal }); ${code}`,
        (_request, call) => ({ ...ok, stream: call.streams.offer(source) }),
      )
      const result = await runCode(sandbox)
      if (result !== undefined) assert.equal(result, 'AbortError')
      // A call and its answer: what was said before has arrived.
      await runCode(sandbox, 'again')
      assert.ok(noted.returned >= 1)
      assert.ok(noted.pulled <= 2)
    })
  }

  test('an error of the source reaches the reader with its code', async () => {
    const sandbox = await start(
      `const response = await fetch('https://h/')
     return response.text().catch((error) => [error.code, error.message])`,
      (_request, call) => ({
        ...ok,
        stream: call.streams.offer({
          [Symbol.asyncIterator]: () => ({
            next: () => Promise.reject(new FogbowError('unavailable_provider', 'h hung up')),
          }),
        }),
      }),
    )
    assert.deepEqual(await runCode(sandbox), ['unavailable_provider', 'h hung up'])
  })

  test('answers without a body have none, and a stream that came with them is given up', async () => {
    const { source, noted } = chunks(1)
    const sandbox = await start(
      `const head = await fetch('https://h/', { method: 'HEAD' })
     const none = await fetch('https://h/none')
     const empty = await fetch('https://h/empty')
     return [head.body, await head.text(), none.body, none.bodyUsed, empty.body === null, await empty.text()]`,
      ({ method, url }, call) => {
        if (method === 'HEAD') return { ...ok, stream: call.streams.offer(source) }
        return url.endsWith('none') ? { ...ok, status: 204, body: '' } : inline('')
      },
    )
    assert.deepEqual(await runCode(sandbox), [null, '', null, false, false, ''])
    await runCode(sandbox)
    assert.equal(noted.returned >= 1, true)
  })

  test('a plugin pours 64 MiB through a sandbox of 48', async () => {
    const { source } = chunks(1024, 65_536)
    const sandbox = await start(
      `const response = await fetch('https://h/')
     let n = 0; for await (const chunk of response.body) n += chunk.length
     return n`,
      (_request, call) => ({ ...ok, stream: call.streams.offer(source) }),
      { ...defaultLimits, memoryMiB: 48 },
    )
    assert.equal(await runCode(sandbox), 64 * 1_048_576)
  })

  /** Code of a stream that counts how often it was pulled, and says so in `noted`. */
  const counted = `
  const noted = { pulled: 0, cancelled: undefined }
  const counted = (most, bytes) => new ReadableStream({
    pull(controller) {
      if (noted.pulled++ < most) controller.enqueue(new Uint8Array(bytes).fill(120))
      else controller.close()
    },
    cancel(reason) { noted.cancelled = reason === undefined ? 'for no reason' : String(reason.name ?? reason) },
  }, { highWaterMark: 0 })
`

  test('a request whose body is a stream sends it as the host takes it', async () => {
    const sizes: number[] = []
    const sandbox = await start(
      `${counted}
     const request = new Request('https://h/', { method: 'POST', body: counted(3, 100_000), duplex: 'half' })
     const response = await fetch(request)
     return [await response.text(), noted.pulled, request.bodyUsed]`,
      async ({ bodyStream, body }, call) => {
        assert.equal(body, undefined)
        for await (const chunk of call.streams.take(bodyStream)) sizes.push(chunk.length)
        return inline('done')
      },
    )
    assert.deepEqual(await runCode(sandbox), ['done', 4, true])
    assert.deepEqual(sizes, [65_536, 34_464, 65_536, 34_464, 65_536, 34_464])
  })

  test('what uploads is never pulled more than one chunk ahead of the host', async () => {
    const taken = Promise.withResolvers<AsyncIterator<Uint8Array>>()
    const sandbox = await start(
      `${counted}
     if (id === 'look') { await host.clock.sleep(20); return globalThis.noted.pulled }
     globalThis.noted = noted
     fetch('https://h/', { method: 'POST', body: counted(1000, 10), duplex: 'half' })`,
      async ({ bodyStream }, call) => {
        taken.resolve(call.streams.take(bodyStream)[Symbol.asyncIterator]())
        return new Promise(() => {})
      },
    )
    await runCode(sandbox, 'send')
    const upload = await taken.promise
    const ahead: number[] = []
    for (let n = 0; n < 3; n++) {
      ahead.push(Number(await runCode(sandbox, 'look')) - n)
      await upload.next()
    }
    assert.deepEqual(ahead, [1, 1, 1])
  })

  test('a long body at hand is streamed too, and its length told', async () => {
    const asked: Asked[] = []
    const sandbox = await start(
      `const response = await fetch('https://h/', { method: 'PUT', body: new Uint8Array(1_500_000) })
     return response.text()`,
      async (request, call) => {
        asked.push(request)
        let length = 0
        for await (const chunk of call.streams.take(request.bodyStream)) length += chunk.length
        return inline(String(length))
      },
    )
    assert.equal(await runCode(sandbox), '1500000')
    assert.equal(asked[0]?.bodyLength, 1_500_000)
  })

  test('when reading of an upload fails, so do the request and whoever takes the upload', async () => {
    const failed = Promise.withResolvers<unknown>()
    const sandbox = await start(
      `const body = new ReadableStream({ pull(controller) { controller.error(new RangeError('bad disk')) } })
     return fetch('https://h/', { method: 'POST', body, duplex: 'half' }).catch((error) => [error.name, error.message])`,
      async ({ bodyStream }, call) => {
        const upload = call.streams.take(bodyStream)[Symbol.asyncIterator]()
        await upload.next().catch(failed.resolve)
        return new Promise(() => {})
      },
    )
    assert.deepEqual(await runCode(sandbox), ['RangeError', 'bad disk'])
    assert.equal(((await failed.promise) as FogbowError).code, 'timeout')
  })

  test('what is no bytes cannot be uploaded', async () => {
    const sandbox = await start(
      `const body = new ReadableStream({ pull(controller) { controller.enqueue('text') } })
     return fetch('https://h/', { method: 'POST', body, duplex: 'half' }).catch((error) => error.name)`,
      async ({ bodyStream }, call) => {
        for await (const _chunk of call.streams.take(bodyStream));
      },
    )
    assert.equal(await runCode(sandbox), 'TypeError')
  })

  test('a host that reads no more of an upload stops it, and its answer counts', async () => {
    const sandbox = await start(
      `${counted}
     const response = await fetch('https://h/', { method: 'POST', body: counted(1000, 10), duplex: 'half' })
     const text = await response.text()
     await host.clock.sleep(20)
     return [response.status, text, noted.pulled < 5, noted.cancelled]`,
      async ({ bodyStream }, call) => {
        for await (const _chunk of call.streams.take(bodyStream)) break
        return { ...inline('too large'), status: 413 }
      },
    )
    assert.deepEqual(await runCode(sandbox), [413, 'too large', true, 'for no reason'])
  })

  test('a refused request cancels the body it would have sent', async () => {
    const sandbox = await start(
      `${counted}
     const code = await fetch('https://h/', { method: 'POST', body: counted(1000, 10), duplex: 'half' }).catch((error) => error.code)
     return [code, noted.cancelled]`,
      () => {
        throw new FogbowError('unauthorized', 'h is not granted')
      },
    )
    assert.deepEqual(await runCode(sandbox), ['unauthorized', 'FogbowError'])
    assert.equal(sandbox.stats().deniedHostCalls, 1)
  })

  test('the end of the sandbox returns what it read and fails what it sent', async () => {
    const { source, noted } = chunks(1_000_000)
    const sent = Promise.withResolvers<unknown>()
    const sandbox = await start(
      `${counted}
     fetch('https://h/', { method: 'POST', body: new ReadableStream(), duplex: 'half' }).catch(() => {})
     const response = await fetch('https://h/')
     await response.body.getReader().read()`,
      ({ bodyStream }, call) => {
        if (bodyStream === undefined) return { ...ok, stream: call.streams.offer(source) }
        const upload = call.streams.take(bodyStream)[Symbol.asyncIterator]()
        upload.next().catch(sent.resolve)
        return new Promise(() => {})
      },
    )
    await runCode(sandbox)
    await sandbox.stop()
    assert.equal(noted.returned, 1)
    assert.equal(((await sent.promise) as FogbowError).code, 'plugin_failure')
  })

  test('upload and download run at once', async () => {
    const sandbox = await start(
      `${counted}
     const response = await fetch('https://h/', { method: 'POST', body: counted(50, 30_000), duplex: 'half' })
     const early = noted.pulled
     let n = 0; for await (const chunk of response.body) n += chunk.length
     return [early < 10, n]`,
      ({ bodyStream }, call) => ({
        ...ok,
        stream: call.streams.offer(call.streams.take(bodyStream)),
      }),
    )
    assert.deepEqual(await runCode(sandbox), [true, 1_500_000])
  })

  test('a request that is aborted tells the host and its body', async () => {
    const aborted = Promise.withResolvers<void>()
    const sandbox = await start(
      `${counted}
     const signal = AbortSignal.timeout(20)
     const name = await fetch('https://h/', { method: 'POST', body: counted(1000, 10), duplex: 'half', signal }).catch((error) => error.name)
     const again = await fetch('https://h/', { signal }).catch((error) => error === signal.reason)
     return [name, noted.cancelled, again]`,
      (_request, call) => {
        call.signal.addEventListener('abort', () => aborted.resolve())
        return new Promise(() => {})
      },
    )
    assert.deepEqual(await runCode(sandbox), ['TimeoutError', 'TimeoutError', true])
    await aborted.promise
  })

  test('an answer that comes after its request was given up leaves no stream open', async () => {
    const { source, noted } = chunks(10)
    const sandbox = await start(
      `const controller = new AbortController()
     const refused = fetch('https://h/', { signal: controller.signal }).catch((error) => error.name)
     if (id === 'early') controller.abort()
     // Busy until the answer has arrived, so that it is on its way when the request is given up.
     else { await host.clock.sleep(1); const end = performance.now() + 50; while (performance.now() < end); controller.abort() }
     return refused`,
      (_request, call) => ({ ...ok, stream: call.streams.offer(source) }),
    )
    assert.equal(await runCode(sandbox, 'early'), 'AbortError')
    await runCode(sandbox, 'early')
    assert.ok(noted.returned >= 1)
  })

  /** Answers by path; every request is remembered. */
  function redirecting(asked: Asked[]): Serve {
    return (request) => {
      asked.push(request)
      const { pathname, searchParams } = new URL(request.url)
      const status = Number(pathname.slice(1))
      const location = searchParams.get('to') ?? '/200'
      return status === 200
        ? inline(request.method)
        : { ...ok, status, headers: [['Location', location]], body: '' }
    }
  }

  const secretHeaders =
    "headers: { authorization: 'secret', cookie: 'c', 'content-type': 'a/b', accept: '*/*' }"
  const redirects: [how: string, code: string, expected: unknown, requests: string[]][] = [
    [
      '303 turns a POST into a GET without its body',
      `fetch('https://h/303', { method: 'POST', body: 'x', ${secretHeaders} })`,
      ['GET', 'https://h/200', true],
      [
        'POST https://h/303 x accept,authorization,content-type,cookie',
        'GET https://h/200  accept,authorization,cookie',
      ],
    ],
    [
      '302 does so too',
      "fetch('https://h/302', { method: 'POST', body: 'x' })",
      ['GET', 'https://h/200', true],
      ['POST https://h/302 x content-type', 'GET https://h/200  '],
    ],
    [
      '302 leaves a PUT as it is',
      "fetch('https://h/302', { method: 'PUT', body: 'x' })",
      ['PUT', 'https://h/200', true],
      ['PUT https://h/302 x content-type', 'PUT https://h/200 x content-type'],
    ],
    [
      '308 repeats a POST with its body, elsewhere without credentials',
      `fetch('https://h/308?to=https://other/200', { method: 'POST', body: 'x', ${secretHeaders} })`,
      ['POST', 'https://other/200', true],
      [
        'POST https://h/308?to=https://other/200 x accept,authorization,content-type,cookie',
        'POST https://other/200 x accept,content-type',
      ],
    ],
    [
      'manual hands the answer over',
      "fetch('https://h/301', { redirect: 'manual' })",
      ['', 'https://h/301', false],
      ['GET https://h/301  '],
    ],
  ]
  for (const [how, code, expected, requests] of redirects) {
    test(`redirects: ${how}`, async () => {
      const asked: Asked[] = []
      const sandbox = await start(
        `const response = await ${code}; return [await response.text(), response.url, response.redirected]`,
        redirecting(asked),
      )
      assert.deepEqual(await runCode(sandbox), expected)
      assert.deepEqual(
        asked.map(
          ({ method, url, body = '', headers }) =>
            `${method} ${url} ${Buffer.from(body, 'base64')} ${headers.map(([name]) => name)}`,
        ),
        requests,
      )
    })
  }

  test('redirects that are forbidden, endless or of a stream are errors', async () => {
    const asked: Asked[] = []
    const sandbox = await start(
      `const failed = (...args) => fetch(...args).then(() => 'fine', (error) => error.name)
     const body = new ReadableStream({ start(controller) { controller.close() } })
     return [
       await failed('https://h/301', { redirect: 'error' }),
       await failed('https://h/302?to=/302?to=/302'),
       await failed('https://h/307', { method: 'POST', body, duplex: 'half' }),
       await failed('https://h/301?to=http://%25'),
     ]`,
      (request, call) => {
        if (request.url.includes('to=/302'))
          return { ...ok, status: 302, headers: [['location', request.url]], body: '' }
        return redirecting(asked)(request, call)
      },
    )
    assert.deepEqual(await runCode(sandbox), ['TypeError', 'TypeError', 'TypeError', 'TypeError'])
  })

  testResults(launcher, 'requests, answers and headers are those of the standard', [
    [
      'a request from a request',
      "const one = new Request('https://h/', { method: 'POST', body: 'x', headers: { a: 'b' } }); const other = new Request(one, { method: 'PUT' }); return [other.method, other.headers.get('a'), await other.text(), one.bodyUsed]",
      ['PUT', 'b', 'x', true],
    ],
    [
      'a request that was read cannot be sent again',
      "const one = new Request('https://h/', { method: 'POST', body: 'x' }); await one.text(); try { new Request(one) } catch (error) { return error.name }",
      'TypeError',
    ],
    [
      'a stream as a body needs duplex',
      "try { new Request('https://h/', { method: 'POST', body: new ReadableStream() }) } catch (error) { return error.name }",
      'TypeError',
    ],
    [
      'a stream that is read already is no body',
      'const stream = new ReadableStream(); stream.getReader(); try { new Response(stream) } catch (error) { return error.name }',
      'TypeError',
    ],
    [
      'the stream given is the body',
      'const stream = new ReadableStream({ start(c) { c.enqueue(new Uint8Array([120])); c.close() } }); const r = new Response(stream); return [r.body === stream, await r.text(), r.bodyUsed, stream.locked]',
      [true, 'x', true, true],
    ],
    [
      'what can be iterated is a body, too',
      'const r = new Response((async function* () { yield new Uint8Array([120]); yield new Uint8Array([121]) })()); return r.text()',
      'xy',
    ],
    [
      'a body that was read as a whole is a stream that was read',
      "const r = new Response('x'); await r.text(); const late = await r.text().catch((error) => error.name); return [r.bodyUsed, r.body !== null, (await r.body.getReader().read()).done, late]",
      [true, true, true, 'TypeError'],
    ],
    [
      'a body that somebody reads is not read twice',
      "const r = new Response('x'); r.body.getReader(); const late = await r.text().catch((error) => error.name); let copy; try { r.clone() } catch (error) { copy = error.name } return [r.bodyUsed, late, copy]",
      [false, 'TypeError', 'TypeError'],
    ],
    [
      'Response.error, redirect and json',
      "const e = Response.error(), r = Response.redirect('https://h/x', 307), j = Response.json([1], { status: 201 }); let frozen; try { e.headers.set('a', 'b') } catch (error) { frozen = error.name } return [e.type, e.status, e.ok, frozen, r.status, r.headers.get('location'), j.status, j.headers.get('content-type'), await j.text()]",
      ['error', 0, false, 'TypeError', 307, 'https://h/x', 201, 'application/json', '[1]'],
    ],
    [
      'answers that cannot be are refused',
      "const failed = (make) => { try { make(); return 'fine' } catch (error) { return error.name } }; return [failed(() => new Response('x', { status: 204 })), failed(() => new Response('', { status: 99 })), failed(() => new Response('', { status: 600 })), failed(() => Response.redirect('https://h/', 200)), failed(() => Response.redirect('%')), failed(() => new Response('', { statusText: 'a\\nb' })), failed(() => Response.json(undefined)), failed(() => new Response(null, { status: 204 }))]",
      [
        'TypeError',
        'RangeError',
        'RangeError',
        'RangeError',
        'TypeError',
        'TypeError',
        'TypeError',
        'fine',
      ],
    ],
    [
      'requests that cannot be are refused',
      "const failed = (...args) => { try { new Request(...args); return 'fine' } catch (error) { return error.name } }; return [failed('/x'), failed('https://u:p@h/'), failed('https://h/', { body: 'x' }), failed('https://h/', { method: 'TRACE' }), failed('https://h/', { method: 'a b' }), failed(new URL('https://h/'))]",
      ['TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'fine'],
    ],
    [
      'headers from pairs, records and headers',
      "return [[...new Headers([['a', '1'], ['A', '2']])], [...new Headers(new Headers({ b: undefined }))], new Headers({ c: '  x\\t' }).get('c')]",
      [[['a', '1, 2']], [['b', 'undefined']], 'x'],
    ],
    [
      'headers that are none are refused',
      "const failed = (init) => { try { new Headers(init); return 'fine' } catch (error) { return error.name } }; return [failed([['a']]), failed([['a', 'b', 'c']]), failed('a'), failed({ 'a b': '1' }), failed({ a: 'x\\ny' }), failed({ a: '\\u20ac' }), failed({ a: '\\xe4' })]",
      ['TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'fine'],
    ],
    [
      'cookies stay apart',
      "const h = new Headers(); h.append('set-cookie', 'a'); h.append('Set-Cookie', 'b'); h.append('x', '1'); return [...h]",
      [
        ['set-cookie', 'a'],
        ['set-cookie', 'b'],
        ['x', '1'],
      ],
    ],
    [
      'their names',
      "return [Headers, Request, Response, AbortController, AbortSignal, Event, EventTarget, Blob, FormData, ReadableStream, WritableStream, TransformStream].map((kind) => kind.name + ' ' + kind.prototype[Symbol.toStringTag]).filter((text) => { const [one, other] = text.split(' '); return one !== other })",
      [],
    ],
  ])
})
