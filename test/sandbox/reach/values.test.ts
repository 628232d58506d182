import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostMethod, PluginLogLine } from '@fogbow/sandbox'
import { testAttacks } from '../support/attack-tests.ts'
import { watchHostLanguage } from '../support/host-language.ts'
import { answerOf, bodySpec, bundleSpec, runBody, withPlugin } from '../support/hostile-plugin.ts'
import { inEachTier } from '../support/tiers.ts'

/** Values that are not what they seem, in both directions. */
await testAttacks([
  {
    by: 'a source map that names a file, and an error in what it maps',
    before:
      '//# sourceMappingURL=file:///proc/self/environ\n//# sourceURL=file:///proc/self/environ',
    code: `const error = new Error('x')
      Error.stackTraceLimit = 100
      return [error.stack, String(error), attempt(() => { null.x })]
      //# sourceMappingURL=data:application/json,{"version":3,"sources":["/proc/self/environ"],"mappings":"AAAA"}
      `,
  },
  {
    by: 'a limit of stack traces that is a function, an object and endless',
    code: `const found = []
      for (const limit of [Infinity, { valueOf() { found.push(this); return 100 } }, () => 100, -1, 2 ** 53]) {
        attempt(() => { Error.stackTraceLimit = limit })
        attempt(() => Object.defineProperty(Error, 'stackTraceLimit', { get() { found.push(this); return limit }, configurable: true }))
        try { new URL('%') } catch (error) { found.push(error, error.stack) }
        found.push(await fetch('%').catch((error) => error))
      }
      return seize(...found)`,
  },
  {
    by: 'Symbol.toPrimitive of whatever is asked of the host',
    code: `const found = []
      const spy = { [Symbol.toPrimitive]: function (...parts) { found.push(this, ...parts, attempt(() => arguments.callee.caller)); return 'http://127.0.0.1:' + prey.tcpPort + '/' } }
      const runs = [() => fetch(spy), () => fetch(spy, { method: spy, headers: [[spy, spy]], body: spy }), () => host.storage.get(spy), () => host.storage.set(spy, spy), () => host.storage.list(spy, { limit: spy }), () => host.secrets.get(spy), () => host.clock.sleep(spy), () => host.connect({ hostname: spy, port: spy }).opened, () => host.connect(spy).opened, () => setTimeout(() => {}, spy), () => AbortSignal.timeout(spy), () => crypto.getRandomValues(spy), () => new TextDecoder(spy, { fatal: spy }), () => new URL(spy, spy), () => new Response(spy, { status: spy })]
      for (const run of runs) try { found.push(await run()) } catch (error) { found.push(error) }
      return seize(...found)`,
  },
  {
    by: 'parts of what vetted methods are made of',
    code: `const found = []
      const trap = new Proxy({}, { get: (_, key) => function (...parts) { found.push(this, ...parts, attempt(() => arguments.callee.caller)); return key === 'ownKeys' ? [] : undefined } })
      const proxy = new Proxy(function () {}, trap)
      for (const run of [() => Object.keys(proxy), () => proxy.x, () => 'x' in proxy, () => proxy(), () => new proxy(), () => delete proxy.x, () => Object.getPrototypeOf(proxy), () => Object.defineProperty(proxy, 'x', {}), () => Object.isExtensible(proxy)]) attempt(run)
      const taken = { [Symbol.replace](...parts) { found.push(this, ...parts) }, [Symbol.split](...parts) { found.push(this, ...parts) } }
      'x'.replace(taken, taken); 'x'.split(taken, taken)
      Array.from({ get [Symbol.iterator]() { found.push(this); return function* () { found.push(this) } } })
      JSON.stringify({ a: new Uint8Array(2 ** 21).subarray(1, 3) }, function (...parts) { found.push(this, ...parts); return parts[1] })
      const own = Object.assign([1, 2], { constructor: { [Symbol.species]: function (...parts) { found.push(this, new.target, ...parts); return [] } } })
      own.map((one) => one); own.filter(Boolean); own.slice(0); own.concat([1])
      for (const Kind of [Proxy, RegExp, Uint8Array, ArrayBuffer]) found.push(Kind, Kind.__proto__, attempt(() => Kind.call({}, 'x')), attempt(() => Kind.prototype?.constructor))
      return seize(...found)`,
  },
])

const pollution = () =>
  JSON.parse(
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"then":"x","toJSON":1}',
  )

await inEachTier((tier) => {
  test('what the host answers pollutes nothing in a plugin, whatever its keys are', async () => {
    const host: Record<string, HostMethod> = {
      'storage.get': () => [pollution()],
      'storage.list': () => [{ key: '__proto__', value: pollution() }],
    }
    const told = await answerOf(
      tier,
      `const one = await host.storage.get('k')
       const [two] = await host.storage.list('')
       const copies = [structuredClone(one), { ...one }, JSON.parse(JSON.stringify(two))]
       return [Object.keys(one), two.key, ({}).polluted ?? null, copies.map((copy) => copy.polluted ?? null)]`,
      { host },
    )
    const [keys, key, polluted, ofCopies] = told as unknown[][]
    assert.deepEqual(keys, ['__proto__', 'constructor', 'then', 'toJSON'])
    assert.deepEqual([key, polluted, ofCopies], ['__proto__', null, [null, null, null]])
  })

  test('numbers that JSON writes and no program expects do no harm to the host', async () => {
    const language = watchHostLanguage()
    const texts = ['1e999', '-1e999', '-0', '1e-999', '123456789012345678901234567890', '"\\ud800"']
    for (const text of texts) {
      const spec = bundleSpec(
        `module.exports = { create: () => ({ federationToLocalMapper: { getToken: (user) => user.id === 'well' ? { result: '"well"' } : { result: '"x"', more: JSON.rawJSON(${JSON.stringify(text)}) } } }) }`,
      )
      await withPlugin(tier, spec, async (sandbox) => {
        await runBody(sandbox).catch(() => {})
        assert.equal(await runBody(sandbox, 'well'), 'well')
      })
    }
    assert.deepEqual(language.changes(), [])
  })

  test('timers of lengths that no timer has fire late or at once, and never in a storm', async () => {
    const fired = await answerOf(
      tier,
      `const fired = {}
       for (const [name, ms] of Object.entries({ days: 2 ** 31, ages: 2 ** 53, endless: Infinity, text: '1e300', negative: -5, none: NaN, object: { valueOf: () => 2 ** 40 } })) setTimeout(() => { fired[name] = (fired[name] ?? 0) + 1 }, ms)
       await host.clock.sleep(150)
       return fired`,
    )
    assert.deepEqual(fired, { negative: 1, none: 1 })
  })

  test('nothing in the fields of a log line does something to a terminal', async () => {
    const lines: PluginLogLine[] = []
    const code = `const evil = 'a\\u001b[2J\\u009b2J\\u202e\\u2028\\r\\nb'
      host.log.warn('x', { [evil]: evil, list: [evil, { [evil]: [evil] }], number: 1, none: null })`
    await withPlugin(tier, bodySpec(code, { onLog: (line) => lines.push(line) }), runBody)
    const clean = 'a [2J 2J b'
    assert.deepEqual(
      lines.map(({ fields }) => fields),
      [{ [clean]: clean, list: [clean, { [clean]: [clean] }], number: 1, none: null }],
    )
  })

  test('a form cannot hold parts and headers that its names and types smuggle in', async () => {
    const asked: unknown[] = []
    const fetch: HostMethod = ([request]) => {
      asked.push(request)
      return { status: 200, statusText: 'OK', headers: [], body: '' }
    }
    await answerOf(
      tier,
      `const evil = 'a"\\r\\nX-Evil: 1\\r\\n\\r\\n--'
       let reads = 0
       const changing = { toString: () => reads++ ? evil : 'plain' }
       const form = new FormData()
       for (const name of [evil, changing]) form.append(name, evil)
       form.append('f', new File(['x'], evil, { type: 'a/b\\r\\nX-Evil: 1' }))
       form.append('g', new Blob(['x'], { get type() { return reads++ ? 'a/b\\r\\nX-Evil: 1' : 'a/b' } }), changing)
       await fetch('http://h/', { method: 'POST', body: form })`,
      { host: { fetch } },
    )
    const { body, headers } = asked[0] as { body: string; headers: [string, string][] }
    const text = Buffer.from(body, 'base64').toString('latin1')
    const boundary = /boundary=(.+)$/.exec(new Headers(headers).get('content-type') ?? '')?.[1]
    const heads = text
      .split(`--${boundary}`)
      .slice(1, -1)
      .map((part) => part.split('\r\n\r\n')[0] ?? '')
    assert.equal(heads.length, 4)
    for (const head of heads) assert.doesNotMatch(head, /^X-Evil/im)
  })

  test('a clock as fine as that of the engine is in no part of the language', async () => {
    const told = await answerOf(
      tier,
      `const clocks = { date: () => Date.now(), made: () => new Date().getTime(), text: () => Date(), host: () => host.clock.now(), event: () => new Event('x').timeStamp, deadline: () => call.deadline, file: () => new File([], 'x').lastModified, temporal: () => Temporal.Now.instant().epochNanoseconds, plain: () => Temporal.PlainDateTime.from(new Date().toISOString()).nanosecond }
       const fine = []
       for (const [name, read] of Object.entries(clocks)) {
         const seen = new Set()
         const until = Date.now() + 30
         try { while (Date.now() < until) seen.add(String(read())) } catch {}
         if (seen.size > 400) fine.push([name, seen.size])
       }
       return fine`,
    )
    assert.deepEqual(told, [])
  })
})
