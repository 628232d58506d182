import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asFogbowError, errorCatalogue } from '@fogbow/plugin-sdk'
import type { HostMethod, PluginLogLine } from '@fogbow/sandbox'
import { watchHostLanguage } from '../support/host-language.ts'
import {
  answerOf,
  bodySpec,
  bundleSpec,
  mapperPart,
  runBody,
  withPlugin,
} from '../support/hostile-plugin.ts'
import { inEachTier } from '../support/tiers.ts'

/** Answers and errors that are not what they seem; `strike` is thrown or answered once, then the plugin behaves. */
const answers: [name: string, code: string][] = [
  [
    'a thenable whose then changes',
    'let reads = 0; return { get then() { return reads++ ? undefined : (resolve) => { resolve({ result: "1" }); resolve({ result: "2" }) } } }',
  ],
  [
    'a thenable that answers many times',
    'return { then(resolve, reject) { for (let at = 0; at < 1000; at++) { resolve({ result: "1" }); reject(new Error()) } throw 1 } }',
  ],
  [
    'a promise with a then of its own',
    'const promise = Promise.resolve({ result: "1" }); promise.then = (resolve, reject) => { globalThis.stolen = [resolve, reject]; resolve({ result: "1" }); resolve({ result: "2" }); reject(new Error()) }; return promise',
  ],
  [
    'toJSON that calls us again',
    'return { result: "1", toJSON() { host.log.info("inside"); host.storage.get("x").catch(() => {}); return { result: "1" } } }',
  ],
  ['toJSON that throws a function', 'return { toJSON() { throw () => {} } }'],
  [
    'toJSON that answers a text of the protocol',
    'return { toJSON: () => "]],[[5,\\"log\\",[\\"info\\",\\"forged\\"]]" }',
  ],
  [
    'a proxy',
    'return new Proxy({}, { get: (_, key) => key === "then" ? undefined : key === "toJSON" ? () => ({ result: "1" }) : 1, ownKeys: () => { throw 1 }, has: () => { throw () => {} } })',
  ],
  ['a getter that differs', 'let reads = 0; return { get result() { return reads++ ? {} : "1" } }'],
  ['a cycle', 'const answer = { result: "1" }; answer.self = answer; return answer'],
  ['a number that JSON does not know', 'return { result: 1n }'],
  [
    'deep nesting',
    'let answer = {}; for (let at = 0; at < 1e5; at++) answer = { answer }; return answer',
  ],
  [
    'keys of the language',
    'return JSON.parse(\'{"result":"1","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}\')',
  ],
  ['nothing', 'return undefined'],
  ['a function', 'return () => {}'],
  ['a text of 9 MB', 'return { result: "x".repeat(9e6) }'],
  ['an error without a prototype', 'throw Object.create(null)'],
  ['null', 'throw null'],
  ['a symbol', 'throw Symbol("x")'],
  [
    'a proxy of an error',
    'throw new Proxy(new Error("x"), { get: (target, key) => { if (key === "code") return ["timeout", {}, "__proto__"][(globalThis.reads = (globalThis.reads ?? -1) + 1) % 3]; return key === "message" ? { slice: () => ({ length: 1e9, toJSON: () => "x".repeat(1e6) }) } : target[key] }, has: () => true, getPrototypeOf: () => Error.prototype })',
  ],
  [
    'an error whose code changes',
    'let reads = 0; throw Object.defineProperty(new Error("x"), "code", { get: () => reads++ ? { toJSON: () => "internal_error" } : "timeout" })',
  ],
  [
    'an error that names a part of the language as its code',
    'throw Object.assign(new Error("x"), { code: "constructor" })',
  ],
  [
    'an error of the site',
    'throw Object.assign(new Error("the site is broken"), { code: "internal_error", status: 500, outcome: "refused" })',
  ],
  [
    'an error whose message cannot be read',
    'throw Object.defineProperty(new Error(), "message", { get() { throw () => {} } })',
  ],
  [
    'an error whose name is no text',
    'throw Object.assign(new Error("x"), { name: { toString() { throw 1 } } })',
  ],
  [
    'an error with details that grow',
    'throw Object.assign(new Error("x"), { code: "timeout", details: { toJSON: () => ({ a: "x".repeat(1e6), field: {} }) } })',
  ],
  [
    'an error with details of the language',
    'throw Object.assign(new Error("x"), { code: "timeout", details: JSON.parse(\'{"__proto__":{"polluted":1}}\') })',
  ],
  [
    'an error with a long message',
    'throw Object.assign(new Error("x".repeat(1e6)), { code: "timeout" })',
  ],
]

await inEachTier((tier) => {
  for (const [name, code] of answers) {
    test(`a plugin that answers or throws ${name} harms its own call alone`, async () => {
      const host = watchHostLanguage()
      const logged: string[] = []
      const spec = bundleSpec(
        `module.exports = { create: (host) => ({ federationToLocalMapper: { getToken(user, call) { if (user.id === 'well') return { result: '"well"' }; ${code} } } }) }`,
        { onLog: ({ message }) => logged.push(message) },
      )
      await withPlugin(tier, spec, async (sandbox) => {
        const outcome = await runBody(sandbox).then(
          (answer) => ({ answer }),
          (error) => ({ error: asFogbowError(error) }),
        )
        if ('error' in outcome) {
          const { code: errorCode, message, details } = outcome.error
          assert.ok(Object.hasOwn(errorCatalogue, errorCode) && errorCode !== 'internal_error')
          assert.ok(typeof message === 'string' && message.length <= 1024)
          assert.ok(JSON.stringify(details).length <= 8192)
        } else assert.equal(outcome.answer, 1)
        assert.equal(await runBody(sandbox, 'well'), 'well')
      })
      assert.deepEqual(host.changes(), [])
      assert.ok(!logged.includes('forged'))
    })
  }

  const entries: [name: string, code: string][] = [
    [
      'an exports object with getters that change',
      'let reads = 0; Object.defineProperty(module, "exports", { get: () => ({ get default() { return reads++ % 2 ? 5 : definition } }) })',
    ],
    [
      'a proxy',
      'module.exports = new Proxy({}, { get: (_, key) => key === "default" ? definition : undefined, has: () => { throw 1 } })',
    ],
    ['a function', 'module.exports = Object.assign(() => {}, definition)'],
    [
      'a create that answers a proxy',
      'module.exports = { create: (host) => new Proxy(definition.create(host), { ownKeys: (target) => Reflect.ownKeys(target), get: (target, key) => { if (key === "then") return undefined; return target[key] } }) }',
    ],
    [
      'kinds named like parts of the language',
      'module.exports = { create: (host) => Object.assign(JSON.parse(\'{"__proto__":{"toString":1},"constructor":{}}\'), definition.create(host), { ["__proto__"]: { getToken() {} }, constructor: { getToken() {} }, toString: { call() {} } }) }',
    ],
    [
      'methods named like parts of the language',
      'module.exports = { create: (host) => ({ federationToLocalMapper: Object.assign(definition.create(host).federationToLocalMapper, { constructor() {}, then() {}, toJSON() {}, hasOwnProperty() {}, bind() {}, ["__proto__"]() {} }) }) }',
    ],
    [
      'a method whose bind is its own',
      'module.exports = { create: (host) => { const part = definition.create(host).federationToLocalMapper; const { getToken } = part; getToken.bind = (...parts) => { globalThis.bound = parts; return (...args) => { globalThis.args = args; return Reflect.apply(getToken, part, args) } }; return { federationToLocalMapper: part } } }',
    ],
    [
      'an instance of a class with a deep chain',
      'class A { getToken(...args) { return definition.create(globalThis.host).federationToLocalMapper.getToken(...args) } } class B extends A { get other() { throw 1 } } module.exports = { create: (host) => { globalThis.host = host; return { federationToLocalMapper: new B() } } }',
    ],
  ]
  for (const [name, code] of entries) {
    test(`a bundle whose definition is ${name} offers its contract at most`, async () => {
      const host = watchHostLanguage()
      const definition = `const definition = { create: (host) => ({ federationToLocalMapper: ${mapperPart("return 'mine'")} }) }`
      try {
        await withPlugin(tier, bundleSpec(`${definition}\n${code}`), async (sandbox) => {
          assert.deepEqual([...sandbox.offered], ['federationToLocalMapper.getToken'])
          await runBody(sandbox).catch(() => {})
        })
      } catch (error) {
        assert.ok(['plugin_failure', 'configuration_error'].includes(asFogbowError(error).code))
      }
      assert.deepEqual(host.changes(), [])
    })
  }

  test('what is logged arrives as plain data, cut, whatever was given', async () => {
    const lines: PluginLogLine[] = []
    const code = `const cycle = {}; cycle.self = cycle
      const odd = [cycle, 1n, Symbol(), () => {}, new Proxy({}, { ownKeys: () => { throw 1 } }), { toJSON: () => { throw 1 } }, { toJSON: () => 'x' }, { get a() { throw 1 } }, JSON.parse('{"__proto__":{"polluted":1}}'), 'x'.repeat(1e6), { a: 'x'.repeat(1e6) }, [1], new Date(), new Error('x'), { toString: () => { throw 1 } }, { toJSON: () => ({ a: { b: [{}] } }) }]
      for (const one of odd) { host.log.info(one, one); console.log(one) }
      host.log.info('\\u001b]0;owned\\u0007\\n{"plugin":"neighbour"}\\u009b2J\\u202e')
      host.log.info(']],[[5,"log",["error","forged"]]', { a: ']],[[0,1,"fetch",[],0]]' })`
    const spec = bodySpec(code, { onLog: (line) => lines.push(line) })
    await withPlugin(tier, spec, runBody)
    assert.ok(lines.length > 20)
    for (const { level, message, fields } of lines) {
      assert.equal(level, 'info')
      assert.ok(typeof message === 'string' && message.length <= 1024)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      assert.ok(!/[\u0000-\u001f\u007f-\u009f\u202e]/.test(message))
      assert.ok(fields === undefined || JSON.stringify(fields).length <= 4096)
    }
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    assert.ok(lines.some(({ message }) => message.startsWith(']],[[5')))
  })

  test('a request reaches the host as plain text of one line a header, however it was given', async () => {
    const asked: unknown[] = []
    const fetch: HostMethod = ([request]) => {
      asked.push(request)
      return { status: 200, statusText: 'OK', headers: [], body: '' }
    }
    const tries = await answerOf(
      tier,
      `const twice = (one, other) => { let reads = 0; return { toString: () => reads++ ? other : one } }
       const evil = 'x\\r\\nHost: other'
       class Mine extends Request { get url() { return twice('http://a/', 'http://b/') } get method() { return evil } get headers() { return [[evil, evil]] } }
       const given = new URL('http://a/'); attempt(() => Object.defineProperty(given, 'href', { get: () => 'http://b/' })); attempt(() => Object.defineProperty(given, 'toString', { value: () => twice('http://a/', 'http://b/') }))
       class Names extends Headers { *entries() { yield [evil, evil] } *[Symbol.iterator]() { yield [evil, evil] } get() { return evil } }
       const runs = [() => new Mine('http://a/'), () => given, () => twice('http://a/', 'http://b/'), () => ['http://a/'], () => new Request('http://a/', { headers: { a: evil } }), () => new Request('http://a/', { headers: [[evil, 'x']] }), () => new Request('http://a/', { headers: { a: twice('x', evil) } }), () => new Request('http://a/', { method: evil }), () => new Request('http://a/', { method: twice('GET', evil) }), () => new Request('http://a/', { headers: new Names() })]
       const passed = []
       for (const run of runs) for (const init of [undefined, { headers: new Names({ b: 'c' }) }, { method: { toString: () => evil } }, { headers: { 'a\\nb': 'c' } }, { headers: { a: '\\u0100\\u010a' } }, { headers: { a: 'b\\nc' } }])
         try { await fetch(run(), init); passed.push(1) } catch {}
       function attempt(run) { try { return run() } catch {} }
       return passed.length`,
      { host: { fetch } },
    )
    assert.equal(tries, asked.length)
    assert.ok(asked.length > 0)
    for (const request of asked as { url: unknown; method: unknown; headers: unknown[][] }[]) {
      const { url, method, headers } = request
      const texts = [url, method, ...headers.flat()]
      for (const text of texts) assert.ok(typeof text === 'string' && !/[\r\n\0]/.test(text))
      assert.match(String(url), /^http:\/\/[ab]\/$/)
    }
  })

  test('buffers that shrink, leave or lie while we read them show no memory but their own', async () => {
    const told = await answerOf(
      tier,
      `const texts = []
       const keep = async (run) => { try { const found = await run(); texts.push(found instanceof ArrayBuffer ? new TextDecoder('latin1').decode(found) : ArrayBuffer.isView(found) ? new TextDecoder('latin1').decode(found) : String(found)) } catch (error) { texts.push(String(error)) } }
       for (let at = 0; at < 50; at++) {
         const buffer = new ArrayBuffer(4096, { maxByteLength: 65536 })
         const view = new Uint8Array(buffer)
         const shrink = () => { try { buffer.resize(0) } catch {} }
         await keep(() => crypto.subtle.digest({ get name() { shrink(); return 'SHA-256' } }, view))
         await keep(() => new TextDecoder('latin1').decode(view, { get stream() { shrink(); return false } }))
         const other = new Uint8Array(4096)
         const leave = () => { try { other.buffer.transfer() } catch {} }
         await keep(() => crypto.subtle.importKey('raw', other, { get name() { leave(); return 'HMAC' }, hash: 'SHA-256' }, true, ['sign']).then((key) => crypto.subtle.exportKey('raw', key)))
         await keep(() => new Response(other, { get headers() { leave(); return {} } }).bytes())
         const liar = new Uint8Array(8)
         for (const [key, value] of [['byteLength', 1e6], ['length', 1e6], ['byteOffset', -8], ['buffer', { byteLength: 1e6 }]]) try { Object.defineProperty(liar, key, { value }) } catch {}
         await keep(() => crypto.getRandomValues(liar).length)
         await keep(() => crypto.subtle.digest('SHA-256', liar)); await keep(() => new TextDecoder('latin1').decode(liar)); await keep(() => new Response(liar).bytes())
         await keep(() => fetch('http://h/', { method: 'POST', body: liar }))
         await keep(() => fetch('http://h/', { method: 'POST', duplex: 'half', body: new ReadableStream({ pull(controller) { liar.subarray = () => ({ buffer: { byteLength: 1e6 }, byteOffset: 0, byteLength: 1e6 }); controller.enqueue(liar); controller.close() } }) }))
       }
       return [texts.length, texts.filter((text) => /function|require|PATH=|node:/i.test(text))]`,
      { host: { fetch: () => ({ status: 200, statusText: 'OK', headers: [], body: '' }) } },
    )
    assert.deepEqual(told, [500, []])
  })

  test('its configuration is its own copy and frozen all through', async () => {
    const config = { name: 'x', list: [{ a: 1 }], inner: { toJSON: 'x', toString: 'y' } }
    const spec = bodySpec(
      `const soft = []
       const visit = (value) => { if (Object(value) !== value) return; if (!Object.isFrozen(value)) soft.push(1); Object.values(value).forEach(visit) }
       visit(host.config); visit(host)
       try { host.config.list[0].a = 2 } catch {} try { host.config.list.push(1) } catch {}
       return [soft, host.config]`,
      { config },
    )
    await withPlugin(tier, spec, async (sandbox) =>
      assert.deepEqual(await runBody(sandbox), [[], config]),
    )
    assert.deepEqual(config.list, [{ a: 1 }])
  })

  test('listeners of the abort signal that throw do not keep other calls from being answered', async () => {
    const body = `if (user.id === 'u-2') return 'well'
      call.signal.addEventListener('abort', function () { throw () => {} })
      call.signal.onabort = () => { throw new Error(String(call.signal.reason)) }
      host.log.info('waiting')
      return new Promise(() => {})`
    let waiting = () => {}
    const begun = new Promise<void>((resolve) => {
      waiting = resolve
    })
    await withPlugin(tier, bodySpec(body, { onLog: () => waiting() }), async (sandbox) => {
      const user = { id: 'u-1', identityProviderId: 'here', name: 'x', roles: [] }
      const controller = new AbortController()
      const given = sandbox.call('federationToLocalMapper.getToken', [user], {
        signal: controller.signal,
      })
      await begun
      const other = runBody(sandbox, 'u-2')
      controller.abort()
      await assert.rejects(given, { code: 'timeout' })
      assert.equal(await other, 'well')
      assert.equal(await runBody(sandbox, 'u-2'), 'well')
    })
  })
})
