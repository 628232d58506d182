import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testAttacks } from '../support/attack-tests.ts'
import { answerOf } from '../support/hostile-plugin.ts'
import { inEachTier } from '../support/tiers.ts'

/** Everything that a plugin is given, one of each. */
const given = `[globalThis, host, call, user, module, exports, ...Reflect.ownKeys(globalThis).map((key) => attempt(() => globalThis[key])),
  new URL('http://h/?a'), new URL('http://h/?a').searchParams, new URLSearchParams('a').keys(), new TextDecoder(), new TextEncoder(),
  new Response('x'), new Response('x').body, new Response('x').body?.getReader?.(), new Response('x').body?.values?.(), new Response('x').body?.tee?.(), new Response('x').body?.getReader?.({ mode: 'byob' }), attempt(() => new TransformStream()), attempt(() => new TransformStream().writable.getWriter()), attempt(() => new WritableStream({ start(controller) { globalThis.kept = controller } })), globalThis.kept, attempt(() => new ReadableStream({ start(controller) { globalThis.kept = controller } })), globalThis.kept, attempt(() => new Blob(['x']).stream()), attempt(() => new FormData().entries()), attempt(() => new TextDecoderStream()), attempt(() => new ByteLengthQueuingStrategy({ highWaterMark: 1 })), attempt(() => host.connect({ hostname: 'h', port: 1 })), attempt(() => host.connect({ hostname: 'h', port: 1 }).readable.getReader()), new Response('x').text(), new Request('http://h/'), new Headers({ a: 'b' }), new Headers({ a: 'b' }).entries(),
  new AbortController(), new AbortController().signal, AbortSignal.timeout(5), new Event('x'), new EventTarget(), new DOMException('x'),
  setTimeout(() => {}, 1), setImmediate(() => {}), setInterval(() => {}, 1e6), call.signal, host.signal, structuredClone({ a: [1, new Map([[{}, new Date()]])] }),
  crypto.subtle.digest('SHA-256', new Uint8Array(1)), await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']),
  await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']), attempt(() => arguments)]`

await testAttacks([
  {
    by: 'anything that can be walked to from what a plugin is given',
    code: `return seize(...${given})`,
  },
  {
    by: 'constructors of endowed functions and classes',
    code: 'for (const one of [setTimeout, fetch, URL, TextDecoder, console.log, crypto.randomUUID, structuredClone, queueMicrotask, Response, AbortSignal]) { const text = await seize(one.constructor, one.prototype, one.bind({}), one.__proto__, Object.getPrototypeOf(one)); if (text) return text }',
    open: true,
  },
  {
    by: 'instances of endowed classes',
    code: "return seize(new URL('http://h/?a'), new URLSearchParams('a').keys(), new TextDecoder(), new Response('x'), new AbortController(), new EventTarget(), new DOMException())",
    open: true,
  },
  {
    by: 'the token of a timer',
    code: 'return seize(setTimeout(() => {}, 1), setInterval(() => {}, 1e6), setImmediate(() => {}))',
    open: true,
  },
  {
    by: 'this and the arguments in a timer, a microtask and a listener',
    code: `const found = []
      const keep = function () { found.push(this, ...arguments, keep.caller, arguments.callee) }
      const sloppy = Object.assign(keep, { valueOf: keep, toString: keep })
      setTimeout(keep, 1); setImmediate(keep); queueMicrotask(keep); process.nextTick(keep)
      const signal = AbortSignal.timeout(1); signal.addEventListener('abort', keep); signal.onabort = keep
      new EventTarget().addEventListener('x', keep, { get once() { found.push(this) }, get signal() { found.push(this) } })
      new Headers({ a: 'b' }).forEach(keep, undefined); new URLSearchParams('a=b').forEach(keep)
      JSON.parse('[1]', keep); [2, 1].sort(keep); 'a'.replace(/a/, keep); structuredClone({ get x() { keep.call(this); return 1 } })
      await new Promise((done) => setTimeout(done, 20))
      return seize(...found)`,
    open: true,
  },
  {
    by: 'a text given to a timer',
    code: `for (const run of [setTimeout, setImmediate, setInterval, queueMicrotask]) for (const text of ['globalThis.got = process', { toString: () => 'globalThis.got = process' }, ['globalThis.got = process']])
        try { run(text, 1) } catch {}
      await new Promise((done) => setTimeout(done, 20))
      return seize(globalThis.got)`,
  },
  {
    by: 'the hook for inspection',
    code: `const found = []
      const custom = Symbol.for('nodejs.util.inspect.custom')
      const spy = { __proto__: null, [custom](...parts) { found.push(this, ...parts); return 'x' } }
      console.log(spy); console.error('%o', spy); console.assert(false, spy)
      const runs = [() => host.log.info(spy, spy), () => new URLSearchParams('a=b').forEach(spy), () => new URL(spy), () => new URL('x', spy), () => new TextDecoder(spy), () => setTimeout(spy), () => queueMicrotask(spy), () => crypto.getRandomValues(spy), () => crypto.subtle.digest(spy, spy), () => crypto.subtle.digest('SHA-256', spy), () => new Response(spy, { headers: spy }), () => fetch(spy), () => atob(spy), () => structuredClone(spy), () => new URLSearchParams(spy), () => new Headers([spy]), () => AbortSignal.any([spy]), () => AbortSignal.timeout(spy)]
      for (const run of runs) try { await run() } catch (error) { found.push(error) }
      for (const one of ${given}) { const hook = attempt(() => one[custom]); if (typeof hook === 'function') attempt(() => hook.call(one, 2, { stylize: (...parts) => (found.push(...parts), 'x'), depth: 9, seen: [], spy })) }
      return seize(...found)`,
    open: true,
  },
  {
    by: 'symbols and hidden properties of platform objects',
    code: `const found = []
      for (const one of ${given}) {
        if (one === null || (typeof one !== 'object' && typeof one !== 'function')) continue
        for (let holder = one; holder; holder = Object.getPrototypeOf(holder)) for (const symbol of Object.getOwnPropertySymbols(holder)) found.push(attempt(() => one[symbol]))
      }
      return seize(...found)`,
  },
  {
    by: 'own promises of what the platform answers, with other species',
    code: `const found = []
      const species = function (executor) { executor((value) => found.push(value), (error) => found.push(error)) }
      for (const run of [() => fetch('http://127.0.0.1:1/'), () => crypto.subtle.digest('MD5', new Uint8Array(1)), () => host.storage.get('x'), () => new Response('{').json(), () => host.clock.sleep(1)]) {
        const promise = attempt(run)
        attempt(() => { promise.constructor = { [Symbol.species]: species } })
        attempt(() => promise.then((value) => found.push(value), (error) => found.push(error)))
      }
      class Own extends Promise { static get [Symbol.species]() { return species } }
      Own.reject(new Error()).catch(() => {}); Own.all([fetch('%')]).catch((error) => found.push(error))
      Promise.all.call(species, [fetch('%')]); Promise.allSettled.call(Own, [fetch('%')]).then((all) => found.push(...all))
      await new Promise((done) => setTimeout(done, 10))
      return seize(...found)`,
  },
])

await inEachTier((tier) => {
  test('all that can be reached from what a plugin is given is frozen or its own', async () => {
    const soft = await answerOf(
      tier,
      `const attempt = (run) => { try { return run() } catch {} }
       const errors = []
       for (const run of [() => new URL('%'), () => new URLSearchParams([1]), () => new URLSearchParams('a').forEach(3), () => new TextDecoder('none'), () => atob('%'), () => btoa('\\u0100'), () => fetch('%'), () => host.secrets.get('x'), () => crypto.subtle.digest('MD5', new Uint8Array(1)), () => crypto.subtle.importKey('jwk', { kty: 'EC', crv: 'P-256', x: 'a', y: 'b' }, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']), () => crypto.subtle.importKey('jwk', { kty: 'x' }, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']), () => crypto.subtle.importKey('raw', new Uint8Array(3), 'Ed25519', true, ['verify']), () => crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256', length: 1 }, true, ['sign']), () => crypto.subtle.exportKey('raw', {}), async () => crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, await crypto.subtle.importKey('spki', await crypto.subtle.exportKey('spki', (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])).publicKey), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']), new Uint8Array(1)), () => crypto.subtle.generateKey({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048.5 }, true, ['sign']), () => structuredClone(() => {}), () => new Response('x', { status: 1 }), () => AbortSignal.abort().throwIfAborted()])
         try { await run() } catch (error) { errors.push(error) }
       const own = new Set([...${given}, ...errors].filter((one) => Object(one) === one))
       const soft = []
       const seen = new Map()
       const visit = (value, path) => { if ((typeof value === 'object' || typeof value === 'function') && value !== null && !seen.has(value)) seen.set(value, path) }
       let index = 0
       for (const one of own) visit(one, String(index++) + (one?.constructor?.name ?? ''))
       const made = new Set([globalThis, module, exports, module.exports, module.exports.default, module.exports.default.create, user, user.roles])
       for (const [value, path] of seen) {
         if (made.has(value)) continue
         if (!own.has(value) && !Object.isFrozen(value)) soft.push(path)
         visit(attempt(() => Object.getPrototypeOf(value)), path + '.__proto__')
         for (const key of Reflect.ownKeys(value)) {
           const property = attempt(() => Object.getOwnPropertyDescriptor(value, key)) ?? {}
           for (const part of ['value', 'get', 'set']) visit(property[part], path + '.' + String(key) + (part === 'value' ? '' : ':' + part))
         }
       }
       // What an algorithm of a stream is made of belongs to that stream.
       return soft.filter((path) => /__proto__|prototype|constructor|:get|:set/.test(path) && !path.endsWith('Algorithm.prototype'))`,
    )
    assert.deepEqual(soft, [])
  })
})
