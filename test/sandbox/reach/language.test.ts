import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testAttacks } from '../support/attack-tests.ts'
import { watchHostLanguage } from '../support/host-language.ts'
import { answerOf, bodySpec, runBody, withPlugin } from '../support/hostile-plugin.ts'
import { inEachTier } from '../support/tiers.ts'

await testAttacks([
  {
    by: 'the caller of a function',
    code: `function inner() { return [inner.caller, inner.arguments, arguments.callee?.caller] }
      const found = [attempt(inner)].flat()
      const spy = { toString: Object.assign(function () { found.push(attempt(() => spy.toString.caller), attempt(() => arguments.callee.caller)); return 'x' }) }
      for (const run of [() => new URL(spy), () => host.log.info(spy), () => new TextDecoder(spy), () => btoa(spy), () => new Headers([[spy, spy]])]) attempt(run)
      for (const key of ['caller', 'arguments']) found.push(attempt(() => Object.getOwnPropertyDescriptor(Object.getPrototypeOf(() => {}), key).get.call(inner)))
      return seize(...found)`,
  },
  {
    by: 'this of a function in sloppy mode',
    code: 'return seize((function () { return this })(), (() => this)(), (0, function () { return this })(), [function () { return this }][0]())',
    before: 'globalThis.top = this; var leaked = (function () { return this })()',
    open: true,
  },
  {
    by: 'with and sloppy code',
    code: 'return seize(globalThis.seen)',
    before: `with (new Proxy({}, { has: () => true, get: (target, key, receiver) => { if (key === Symbol.unscopables) return; globalThis.seen = receiver; return globalThis[key] } })) { var out = somewhere }`,
    refused: true,
  },
  {
    by: 'the thenable protocol',
    code: `const found = []
      const thenable = { then: function (...parts) { found.push(this, ...parts); parts[0](1) } }
      await thenable
      await Promise.race([thenable]); await Promise.all([thenable])
      host.storage.set('k', thenable)?.catch?.(() => {})
      globalThis.answer = thenable
      return seize(...found)`,
    open: true,
  },
  {
    by: 'a Proxy as an argument',
    code: `const found = []
      const handler = new Proxy({}, { get: (_, trap) => (...parts) => { found.push(...parts); return trap === 'ownKeys' ? [] : undefined } })
      const spy = new Proxy(function () {}, handler)
      const runs = [() => host.log.info(spy, spy), () => host.storage.set('k', spy), () => new URL(spy), () => fetch(spy, spy), () => new Response(spy, spy), () => new Headers(spy), () => structuredClone(spy), () => console.log(spy), () => crypto.subtle.digest(spy, spy), () => crypto.subtle.importKey('jwk', spy, spy, true, spy), () => setTimeout(spy, spy), () => new TextDecoder(spy, spy), () => host.clock.sleep(spy, spy), () => AbortSignal.any(spy), () => new EventTarget().addEventListener('x', spy, spy)]
      for (const run of runs) try { await run() } catch (error) { found.push(error) }
      return seize(...found)`,
    open: true,
  },
  {
    by: 'a Proxy as the answer of a call',
    code: `const handler = new Proxy({}, { get: (_, trap) => (...parts) => { (globalThis.found ??= []).push(...parts); return undefined } })
      const all = globalThis.found ?? []
      globalThis.found = []
      host.log.info('again', { text: await seize(...all) })
      return new Proxy({}, handler)`,
  },
  {
    by: 'the realm of a clone',
    code: 'const clone = structuredClone({ a: [1], d: new Date(), e: new Error(), m: new Map([[1, 2]]), b: new Uint8Array(3), r: /x/ }); return seize(clone, ...Object.values(clone), clone.a.constructor)',
    open: true,
  },
  {
    by: 'WebAssembly',
    code: "const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]); const found = [WebAssembly, new WebAssembly.Module(bytes), WebAssembly.JSTag]; for (const run of [() => WebAssembly.compile(bytes), () => WebAssembly.instantiate(bytes), () => WebAssembly.compileStreaming(new Response(bytes, { headers: { 'content-type': 'application/wasm' } }))]) try { found.push(await run()) } catch (error) { found.push(error) } return seize(...found)",
    open: true,
  },
  {
    by: 'weak references and finalization',
    code: "const found = [new WeakRef({}), new FinalizationRegistry(function (held) { found.push(this, held, ...arguments) })]; found[1].register({}, 'x'); for (let at = 0; at < 200; at++) new Uint8Array(1e5); await new Promise((done) => setTimeout(done, 20)); return seize(...found)",
    open: true,
  },
  {
    by: 'a realm of its own',
    code: "const realm = new ShadowRealm(); return seize(realm, realm.evaluate('globalThis.process'), await realm.importValue('node:process', 'default'))",
  },
  {
    by: 'newer parts of the language',
    code: `const found = []
      for (const make of [() => Temporal.Now, () => Temporal.Now.instant(), () => Iterator, () => Iterator.from([1]).map((one) => one), () => Iterator.from({ next() { found.push(this); return { done: true } } }).next(), () => new DisposableStack(), () => new AsyncDisposableStack(), () => Array.fromAsync([1]), () => Promise.withResolvers(), () => Promise.try(() => {}), () => Symbol.metadata, () => Intl, () => new Intl.NumberFormat(), () => new Intl.Segmenter().segment('a'), () => 'a'.matchAll(/a/g), () => Object.groupBy([1], () => 1), () => new Set([1]).union(new Set()), () => RegExp.escape('a'), () => Math.sumPrecise([1]), () => Uint8Array.fromBase64('AA'), () => new Float16Array(1), () => new ArrayBuffer(1, { maxByteLength: 2 }).transfer(), () => Error.isError, () => Object.getPrototypeOf(async function* () {}.prototype), () => JSON.rawJSON('1'), () => Atomics.waitAsync, () => navigator, () => localStorage, () => caches, () => new WebSocket('ws://127.0.0.1:1'), () => new EventSource('http://127.0.0.1:1'), () => new Blob(['x']).stream(), () => new File([], 'x'), () => new FormData(), () => new CompressionStream('gzip'), () => new BroadcastChannel('x'), () => new MessageChannel().port1, () => new Storage(), () => new CustomEvent('x'), () => performance.timeOrigin, () => performance.timerify, () => performance.eventLoopUtilization])
        found.push(attempt(make))
      return seize(...found, ...await Promise.allSettled(found))`,
    open: true,
  },
  {
    by: 'legacy statics of regular expressions',
    code: "/(secret)/.exec('secret'); return seize(RegExp.$1, RegExp.input, RegExp['$_'], RegExp.lastMatch, RegExp['$&'], RegExp.leftContext)",
  },
])

const replaceable =
  'JSON Promise Error TypeError Map Set WeakMap Array Object String Symbol Reflect Uint8Array ArrayBuffer AbortController AbortSignal Date Math Response Request Headers URL URLSearchParams TextEncoder TextDecoder fetch setTimeout clearTimeout queueMicrotask console crypto structuredClone'.split(
    ' ',
  )

await inEachTier((tier) => {
  test('what a plugin does to the language stays without effect, for itself and for the host', async () => {
    const host = watchHostLanguage()
    const changed = await answerOf(
      tier,
      `const evil = () => { throw new Error('taken over') }
       const holders = [Object, Array, Function.prototype, Promise, Map, Set, WeakMap, JSON, Reflect, Math, Date, String, Number, Symbol, RegExp, Error, Proxy, Uint8Array, ArrayBuffer, DataView, URL, URLSearchParams, Response, Request, Headers, AbortController, AbortSignal, Event, EventTarget, DOMException, TextEncoder, TextDecoder, console, crypto, crypto.subtle, process, performance, host, host.log, host.storage, host.secrets, host.clock, call.constructor, (function* () {}).constructor, Object.getPrototypeOf([][Symbol.iterator]()), Object.getPrototypeOf(new Map().keys()), Object.getPrototypeOf(new Headers().keys()), Object.getPrototypeOf(new URLSearchParams().keys()), Object.getPrototypeOf((async function* () {}).prototype), setTimeout, fetch, structuredClone]
       const changed = []
       for (const holder of holders.flatMap((one) => [one, one?.prototype]).filter((one) => Object(one) === one)) {
         const keys = [...Reflect.ownKeys(holder), 'polluted', Symbol.iterator, 'then', 'toJSON', 'get', 'set', 'constructor']
         for (const key of keys) {
           const before = Object.getOwnPropertyDescriptor(holder, key)
           try { holder[key] = evil } catch {}
           try { Object.defineProperty(holder, key, { value: evil, configurable: true }) } catch {}
           try { Object.defineProperty(holder, key, { get: evil, configurable: true }) } catch {}
           try { holder.__defineGetter__(key, evil) } catch {}
           try { delete holder[key] } catch {}
           const after = Object.getOwnPropertyDescriptor(holder, key)
           if (!Object.is(before?.value, after?.value) || before?.get !== after?.get || before?.set !== after?.set) changed.push(String(key))
         }
         try { Object.setPrototypeOf(holder, { polluted: 1 }); changed.push('prototype') } catch {}
         if (Reflect.setPrototypeOf(holder, { polluted: 1 })) changed.push('prototype')
       }
       return [...new Set(changed)]`,
    )
    assert.deepEqual(changed, [])
    assert.deepEqual(host.changes(), [])
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  })

  test('globals that a plugin replaces are not what our code in its thread uses', async () => {
    const spec = bodySpec(
      `if (user.id !== 'u-1') {
         for (const name of ${JSON.stringify(replaceable)}) {
           globalThis[name] = new Proxy(globalThis[name], {
             get: (target, key) => { hits.push(name); return target[key] },
             construct: (target, args) => { hits.push(name); return new target(...args) },
             apply: (target, self, args) => { hits.push(name); return target.apply(self, args) },
           })
         }
         return
       }
       // The first are hits of what follows this body: turning its answer into text.
       const before = hits.filter((name) => name !== 'JSON')
       hits.length = 0
       host.log.info('x', { a: 1 })
       await host.clock.sleep(1)
       await host.storage.get('x').catch(() => {})
       await host.fetch('http://h/?a=b').catch(() => {})
       host.fetch('http://h/', { method: 'POST', headers: { a: 'b' }, body: 'x' }).catch(() => {})
       call.signal.addEventListener('abort', () => {})
       return [before, hits.slice()]`,
      {},
      'const hits = []',
    )
    await withPlugin(tier, spec, async (sandbox) => {
      await runBody(sandbox, 'replace')
      assert.deepEqual(await runBody(sandbox), [[], []])
    })
  })

  test('there is no shared memory, no fine clock and no text of our functions', async () => {
    const answer = await answerOf(
      tier,
      `const now = []
       for (let at = 0; at < 3000; at++) now.push(performance.now())
       const fractions = now.map((ms) => Math.abs(ms * 10 - Math.round(ms * 10))).filter((rest) => rest > 1e-6)
       const sources = [setTimeout, fetch, host.log.info, host.storage.get, structuredClone, console.log, crypto.randomUUID, Response, URL, AbortSignal.timeout].map((one) => Function.prototype.toString.call(one))
       return { kinds: [typeof SharedArrayBuffer, typeof Atomics, typeof WebAssembly, typeof Buffer], fine: fractions.length, told: sources.filter((text) => /node:|parentPort|postMessage|primordials|peer/.test(text)) }`,
    )
    assert.deepEqual(answer, {
      kinds: ['undefined', 'undefined', 'undefined', 'undefined'],
      fine: 0,
      told: [],
    })
  })
})
