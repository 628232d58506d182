import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testAttacks } from '../support/attack-tests.ts'
import { answerOf } from '../support/hostile-plugin.ts'
import { inEachTier } from '../support/tiers.ts'

/** What an error brings with it: its realm, its stack, the functions on that stack. */
await testAttacks([
  {
    by: 'call sites that prepareStackTrace is given',
    code: `Error.prepareStackTrace = (error, sites) => sites.flatMap((site) => [site, site.getThis?.(), site.getFunction?.(), site.getEvalOrigin?.(), site.getPromiseIndex?.()])
      const sites = await new Promise((done) => setTimeout(() => done(new Error().stack), 0))
      return seize(...[sites].flat(), ...[new Error().stack].flat())`,
    open: true,
  },
  {
    by: 'prepareStackTrace behind an accessor and on every kind of error',
    code: `const found = []
      const prepare = (error, sites) => { found.push(...sites.flatMap((site) => [site, site.getThis(), site.getFunction()])); return '' }
      for (const Kind of [Error, TypeError, RangeError, AggregateError, SuppressedError, EvalError, Function, Object]) {
        try { Object.defineProperty(Kind, 'prepareStackTrace', { get: () => prepare, configurable: true }) } catch {}
        try { Kind.prepareStackTrace = prepare } catch {}
      }
      try { null.x } catch (error) { error.stack }
      await host.storage.get('x')?.catch?.((error) => error.stack)
      return seize(...found)`,
    open: true,
  },
  {
    by: 'captureStackTrace on an object with setters',
    code: `const found = []
      const target = { set stack(value) { found.push(value) } }
      for (const run of [() => Error.captureStackTrace(target), () => Error.captureStackTrace(globalThis), () => Error.captureStackTrace(Object.create(target), Error)]) attempt(run)
      Error.stackTraceLimit = Infinity
      attempt(() => Error.captureStackTrace(target))
      const sites = Object.getOwnPropertyDescriptor(target, 'stack')
      return seize(...found, target.stack, sites?.get, sites?.set, sites?.value)`,
  },
  {
    by: 'captureStackTrace and prepareStackTrace together',
    code: `Error.prepareStackTrace = (error, sites) => sites.map((site) => site.getFunction?.() ?? site.getThis?.())
      const target = {}
      Error.captureStackTrace(target)
      return seize(...[target.stack].flat())`,
    open: true,
  },
  {
    by: 'the realm of a stack overflow',
    code: `const deep = () => { deep() }
      try { deep() } catch (error) { return seize(error, error.constructor) }`,
    open: true,
  },
  {
    by: 'stack overflows at every depth inside of endowed functions',
    code: `const runs = [() => new URL('http://h/?a=b'), () => btoa('x'), () => new TextDecoder().decode(new Uint8Array(9)), () => structuredClone({ a: [1] }), () => new Response('x'), () => host.log.info('x', {}), () => setTimeout(() => {}, 1), () => crypto.randomUUID(), () => new Error().stack, () => crypto.subtle.digest('SHA-256', new Uint8Array(3)).catch((error) => caught.add(error))]
      const caught = new Set()
      const dive = (depth, run) => { if (depth === 0) return run(); dive(depth - 1, run) }
      const fits = (depth) => { try { dive(depth, () => {}); return true } catch { return false } }
      let deepest = 1000
      while (fits(deepest * 1.1)) deepest = Math.floor(deepest * 1.1)
      for (const run of runs) {
        for (let depth = Math.floor(deepest * 1.1); depth > deepest * 0.95; depth -= Math.ceil(deepest / 400)) try { dive(depth, run) } catch (error) { caught.add(error) }
        await host.clock?.sleep?.(0)
      }
      await 0
      return seize(...caught)`,
  },
  {
    by: 'an error whose name is a symbol',
    code: `const error = new Error()
      error.name = Symbol()
      try { error.stack; String(error); host.log.info(error, error) } catch (found) { const text = await seize(found, found.constructor); if (text) return text }
      try { await (async () => { const other = new Error(); other.name = Symbol(); return other.stack + other })() } catch (found) { return seize(found, found.constructor) }`,
    open: true,
  },
  {
    by: 'the realm of errors of endowed functions',
    code: `const caught = []
      const runs = [() => new URL('%'), () => URL('x'), () => new URL(Symbol()), () => new URLSearchParams([1]), () => new URLSearchParams('a').forEach(3), () => URLSearchParams.prototype.get.call({}, 'x'), () => new TextDecoder('none'), () => new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255])), () => new TextDecoder().decode(5n), () => atob('%'), () => btoa('\\u0100'), () => structuredClone(() => {}), () => setTimeout('x'), () => crypto.getRandomValues(3), () => crypto.getRandomValues(new Uint8Array(1e6)), () => new Response('x', { status: 1 }), () => new Headers([['a b', 'c']]), () => new Request('%'), () => AbortSignal.abort().throwIfAborted(), () => queueMicrotask(1), () => 'x'.repeat(2 ** 28)]
      for (const run of runs) try { run() } catch (error) { caught.push(error) }
      return seize(...caught)`,
    open: true,
  },
  {
    by: 'the realm of rejections of endowed functions',
    code: `const caught = []
      const runs = [() => fetch('%'), () => fetch('http://127.0.0.1:1/'), () => fetch({ toString() { throw 1 } }), () => host.storage.get('x'), () => host.secrets.get('x'), () => host.clock.sleep(1, AbortSignal.abort()), () => host.connect({ hostname: '127.0.0.1', port: prey.tcpPort }).opened, () => crypto.subtle.digest('MD5', new Uint8Array(1)), () => crypto.subtle.digest('SHA-256', 5), () => crypto.subtle.importKey('jwk', { kty: 'EC', crv: 'P-256', x: 'a', y: 'b' }, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']), () => crypto.subtle.importKey('spki', new Uint8Array(3), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']), () => crypto.subtle.importKey('jwk', { kty: 'RSA', n: '?', e: '?' }, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, true, ['verify']), () => new Response('{').json(), () => crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256', length: 1 }, true, ['sign'])]
      for (const run of runs) try { await run() } catch (error) { caught.push(error) }
      return seize(...caught)`,
    open: true,
  },
  {
    by: 'errors in an AggregateError',
    code: `const caught = []
      const failing = { then(_, bad) { try { new URL('%') } catch (error) { bad(error) } } }
      try { await Promise.any([failing, fetch('%'), Promise.reject(new AggregateError([new Error('x', { cause: 1 })]))]) } catch (error) { caught.push(error, ...error.errors) }
      return seize(...caught)`,
    open: true,
  },
  {
    by: 'errors that disposal suppresses',
    code: `const caught = []
      try {
        using one = { [Symbol.dispose]() { const error = new Error(); error.name = Symbol(); return error.stack + error } }
        new URL('%')
      } catch (error) { caught.push(error, error.error, error.suppressed) }
      try { await using other = { async [Symbol.asyncDispose]() { atob('%') } }; await fetch('%') } catch (error) { caught.push(error, error.error, error.suppressed) }
      if (typeof DisposableStack === 'function') { const stack = new DisposableStack(); stack.defer(() => new URL('%')); stack.defer(() => null.x); try { stack.dispose() } catch (error) { caught.push(error, error.error, error.suppressed, stack) } }
      return seize(...caught)`,
    open: true,
  },
  {
    by: 'an error that came through an async generator',
    code: `const caught = []
      const deep = () => { deep() }
      const inner = { [Symbol.asyncIterator]() { return { next: () => ({ value: 1, done: false }) } } }
      const outer = (async function* () { try { yield* inner } catch (error) { caught.push(error) } })()
      await outer.next()
      try { const answer = await outer.return({ then() { deep() } }); caught.push(answer, answer.value) } catch (error) { caught.push(error) }
      try { await (async () => { for await (const one of { [Symbol.asyncIterator]: () => { null.x } }) caught.push(one) })() } catch (error) { caught.push(error) }
      return seize(...caught)`,
    open: true,
  },
  {
    by: 'errors of built-ins that are called in the middle of other errors',
    code: `const caught = []
      const runs = [() => Array.fromAsync({ [Symbol.asyncIterator]: () => { throw null } }), () => Array.fromAsync([Promise.reject(new Error())]), () => Promise.try?.(() => null.x), () => Iterator.from({ next: () => { null.x } }).toArray(), () => new Proxy({}, { get() { null.x } }).x, () => JSON.parse('{', () => {}), () => new RegExp('('), () => Reflect.construct(1), () => BigInt('x'), () => Symbol() + '', () => Object.defineProperty(Object.freeze({}), 'x', {}), () => decodeURIComponent('%'), () => 'x'.normalize('y'), () => new Intl.NumberFormat('x-'), () => new Date(NaN).toISOString(), () => (1).toFixed(101), () => [].reduce(() => {}), () => new ArrayBuffer(-1)]
      for (const run of runs) try { await run() } catch (error) { caught.push(error) }
      return seize(...caught)`,
    open: true,
  },
  {
    by: 'Error.isError, causes and what they tell of errors of the platform',
    code: `const caught = []
      try { new URL('%') } catch (error) { caught.push(error, error.cause, error.input, error.code, error.domain, error.syscall) }
      for (const error of [...caught]) if (Error.isError?.(error)) for (const key of Reflect.ownKeys(error)) caught.push(error[key])
      return seize(...caught)`,
    open: true,
  },
])

await inEachTier((tier) => {
  test('no stack or message names a path of the host', async () => {
    const told = await answerOf(
      tier,
      `const texts = []
       const look = (error) => { for (let one = error; one; one = one.cause) texts.push(...[one.stack, one.message, one.fileName, one.opensslErrorStack].map(String)) }
       const runs = [() => null.x, () => new URL('%'), () => host.storage.get('x'), () => fetch('http://h/'), () => crypto.subtle.digest('MD5', new Uint8Array(1)), () => crypto.subtle.importKey('spki', new Uint8Array(3), 'Ed25519', true, []), () => new Response('{').json(), () => structuredClone(() => {}), () => (function deep() { deep() })(), () => host.connect({ hostname: 'h', port: 1 }).opened, () => JSON.parse('{')]
       for (const run of runs) try { await run() } catch (error) { look(error); const target = {}; Error.captureStackTrace?.(target); texts.push(String(target.stack)) }
       return [texts.length > 20, texts.filter((text) => /\\/|node:|\\.ts|\\.js/.test(text))]`,
    )
    assert.deepEqual(told, [true, []])
  })
})
