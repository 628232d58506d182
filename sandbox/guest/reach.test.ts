import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { bundleSpec, imagePart, imageSpec, testLauncher } from '../fixtures/plugin-spec.ts'
import { runCode } from '../fixtures/run-code.ts'
import { type Sandbox, type SandboxSpec, startSandbox } from '../index.ts'

const launcher = testLauncher()
const started: Sandbox[] = []
const folder = mkdtempSync(join(tmpdir(), 'fogbow-reach-'))
const file = join(folder, 'secret')
const secret = 'the text of a file'
let connections = 0
const listener = createServer((socket) => {
  connections++
  socket.destroy()
})

before(async () => {
  writeFileSync(file, secret)
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
})
after(async () => {
  listener.close()
  rmSync(folder, { recursive: true })
  await Promise.all(started.map((sandbox) => sandbox.stop()))
})

async function start(spec: SandboxSpec): Promise<Sandbox> {
  const sandbox = await startSandbox(spec, { launcher })
  started.push(sandbox)
  return sandbox
}

/** What every attempt may use: tries to read the file through whatever it is given. */
const tools = `
const path = ${JSON.stringify(file)}
const readBy = (root) => {
  const candidates = [root, root?.process, root?.mainModule, root?.module]
  for (const one of candidates) {
    try { return one.getBuiltinModule('node:fs').readFileSync(path, 'utf8') } catch {}
    try { return one.require('node:fs').readFileSync(path, 'utf8') } catch {}
  }
}
const compile = (Constructor) => { try { return readBy(Constructor('return process')()) } catch {} }
const compileLater = async (Constructor) => { try { const made = Constructor('return process')(); return readBy(made.next ? (await made.next()).value : await made) } catch {} }
const byValue = (value) => {
  for (let one = value; one !== null && one !== undefined; one = Object.getPrototypeOf(one)) {
    for (const key of [...Object.getOwnPropertyNames(one), ...Object.getOwnPropertySymbols(one)]) {
      let found
      try { found = one[key] } catch { continue }
      const text = compile(found?.constructor) ?? compile(found?.constructor?.constructor) ?? readBy(found)
      if (text) return text
    }
  }
}
`

/** Each tries to get at the text of a file; \`open\`: it does so in a thread that is not isolated. */
const attempts: [name: string, code: string, open?: 'open'][] = [
  ['require', "return require('node:fs').readFileSync(path, 'utf8')", 'open'],
  ['process', 'return readBy(process)', 'open'],
  [
    'the environment of the process',
    "return process.getBuiltinModule('node:fs').readFileSync('/proc/self/environ', 'utf8') && readBy(process)",
    'open',
  ],
  ['the constructor of a function', 'return compile(({}).constructor.constructor)', 'open'],
  [
    'the constructor of an async function',
    'return compileLater((async () => {}).constructor)',
    'open',
  ],
  ['the constructor of a generator', 'return compileLater((function* () {}).constructor)'],
  [
    'the constructor of an async generator',
    'return compileLater((async function* () {}).constructor)',
  ],
  ['new Function', "return readBy(new Function('return process')())", 'open'],
  ['indirect eval', "return readBy((0, eval)('process'))", 'open'],
  ['import()', "return (await import('node:fs')).readFileSync(path, 'utf8')", 'open'],
  [
    'import() with a comment between',
    "return (await import/* */('node:fs')).readFileSync(path, 'utf8')",
    'open',
  ],
  [
    'import() with a line separator between',
    "return (await import\u2028('node:fs')).readFileSync(path, 'utf8')",
    'open',
  ],
  [
    'import() behind a spread',
    "return [...[await import('node:fs')]][0].readFileSync(path, 'utf8')",
    'open',
  ],
  [
    'import() in a text that is evaluated',
    "return (await (0, eval)('imp' + 'ort(\"node:fs\")')).readFileSync(path, 'utf8')",
  ],
  ['import.meta', 'return readBy(import.meta)'],
  [
    'the loader behind module',
    "return module.constructor._load('node:fs').readFileSync(path, 'utf8')",
    'open',
  ],
  ['bindings of the process', "return process.binding('fs') && readBy(process)"],
  [
    'call sites of a stack',
    'Error.prepareStackTrace = (error, sites) => sites.map((site) => byValue(site.getFunction?.()) ?? byValue(site.getThis?.())); return [new Error().stack].flat().find(Boolean)',
  ],
  ['captureStackTrace', 'const o = {}; Error.captureStackTrace(o); return byValue(o.stack)'],
  [
    'the realm of a stack overflow',
    'const deep = () => deep(); try { deep() } catch (error) { return compile(error.constructor.constructor) }',
    'open',
  ],
  [
    'the realm of an error of an endowed function',
    "try { atob('%') } catch (error) { return compile(error.constructor.constructor) }",
    'open',
  ],
  [
    'the realm of an error of the URL parser',
    "try { new URL('%') } catch (error) { return compile(error.constructor.constructor) }",
    'open',
  ],
  [
    'endowed functions and classes',
    'for (const one of [setTimeout, fetch, URL, TextDecoder, console.log, crypto.randomUUID, structuredClone, queueMicrotask, Response, AbortSignal]) { const text = compile(one.constructor) ?? byValue(one) ?? byValue(one.prototype); if (text) return text }',
    'open',
  ],
  [
    'instances of endowed classes',
    "for (const one of [new URL('http://h/?a'), new URL('http://h/?a').searchParams, new URLSearchParams('a').keys(), new TextDecoder(), new TextEncoder(), new Response('x'), new AbortController()]) { const text = byValue(one); if (text) return text }",
    'open',
  ],
  [
    'the token of a timer',
    'return byValue(setTimeout(() => {}, 1)) ?? byValue(setImmediate(() => {}))',
    'open',
  ],
  [
    'this in a timer',
    'return new Promise((resolve) => setTimeout(function () { resolve(byValue(this)) }, 1))',
    'open',
  ],
  [
    'a text given to setTimeout',
    "setTimeout('globalThis.got = process', 1); await new Promise((done) => setTimeout(done, 10)); return readBy(globalThis.got)",
  ],
  [
    'the caller of a function',
    'function inner() { return byValue(inner.caller) ?? byValue(arguments.callee) } return inner()',
  ],
  ['this of a plain function', 'return readBy((function () { return this })())'],
  [
    'the thenable protocol',
    'return new Promise((done) => Promise.resolve({ then(resolve) { done(compile(resolve.constructor)) } }))',
    'open',
  ],
  [
    'a Proxy as an argument',
    "let text; const spy = new Proxy({}, { get: (_, key, receiver) => { text ??= compile(key.constructor?.constructor); return undefined }, ownKeys: () => [] }); try { host.log.info(spy, spy) } catch {} try { await host.storage.set('k', spy) } catch {} try { new URL(spy) } catch {} return text",
  ],
  [
    'the inspect hook',
    "let text; console.log({ [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) { text = compile((inspect ?? options).constructor) } }); return text",
  ],
  [
    'another worker',
    "const { Worker } = require('node:worker_threads'); return readBy(require('module'))",
  ],
  ['the port of the thread', "return byValue(require('node:worker_threads').parentPort)", 'open'],
  ['a clone', 'return compile(structuredClone({ a: [1] }).a.constructor.constructor)', 'open'],
  ['WebAssembly', 'return compile(WebAssembly.Module.constructor)', 'open'],
  ['leaving the wrapper of the bundle', 'return readBy(globalThis.left)'],
  [
    'another compartment',
    "return readBy(new Compartment({ __options__: true, globals: {} }).evaluate('this').process) ?? compile(new Compartment().globalThis.Function)",
  ],
  ['weak references', 'return byValue(new WeakRef({}))', 'open'],
  ['a broadcast channel', "return byValue(new BroadcastChannel('x'))", 'open'],
]

for (const [name, code] of attempts) {
  test(`no file is read by ${name}`, async () => {
    assert.notEqual(await attempt(code), secret)
  })
}

/** What an attempt comes to; a bundle that is refused has come to nothing. */
async function attempt(code: string): Promise<unknown> {
  try {
    return await runCode(
      await start(
        bundleSpec(
          `${tools}\nmodule.exports.default = { create: (host) => ({ image: ${imagePart(code)} }) }`,
        ),
      ),
    )
  } catch {
    return undefined
  }
}

test('attempts that need nothing special succeed in a thread that is not isolated, so they prove something', async () => {
  const open = attempts.filter(([, , kind]) => kind === 'open')
  const tries = open.map(([name, code]) => `${JSON.stringify(name)}: async () => { ${code} }`)
  const source = `${tools}
    const host = { log: { info() {} }, storage: { async set() {} } }
    const all = { ${tries.join(',\n')} }
    const { parentPort } = require('node:worker_threads')
    const run = async () => { const failed = []; for (const name in all) { const text = await all[name]().catch((error) => String(error)); if (text !== ${JSON.stringify(secret)}) failed.push([name, text]) } parentPort.postMessage(failed) }
    run()`
  const worker = new Worker(source, { eval: true, stdout: true })
  worker.stdout.resume()
  const failed = await new Promise((resolve, reject) => {
    worker.on('message', resolve)
    worker.on('error', reject)
  })
  await worker.terminate()
  assert.deepEqual(failed, [])
  assert.ok(open.length >= 15)
})

test('no socket is opened', async () => {
  const { port } = listener.address() as { port: number }
  const sandbox = await start(
    imageSpec(
      `const url = 'http://127.0.0.1:${port}/'
       const tries = [
         () => fetch(url),
         () => new WebSocket(url.replace('http', 'ws')),
         () => new EventSource(url),
         () => new XMLHttpRequest(),
         () => process.getBuiltinModule('node:net').connect(${port}),
         () => navigator.sendBeacon(url),
       ]
       for (const one of tries) try { await one() } catch {}
       await host.clock.sleep(50)`,
    ),
  )
  await runCode(sandbox)
  assert.equal(connections, 0)
  assert.equal(sandbox.stats().deniedHostCalls, 1)
})

test('what a plugin overwrites is not what answers for it', async () => {
  const sandbox = await start(
    imageSpec(
      `const evil = () => { throw new Error('taken over') }
       const targets = [
         [Object.prototype, 'polluted'], [JSON, 'stringify'], [JSON, 'parse'], [Array.prototype, 'push'], [Array.prototype, 'map'],
         [Map.prototype, 'set'], [Map.prototype, 'get'], [Promise.prototype, 'then'], [Promise, 'resolve'], [Function.prototype, 'call'], [Reflect, 'apply'],
         [URL.prototype, 'toString'], [Response.prototype, 'json'], [AbortController.prototype, 'abort'], [EventTarget.prototype, 'dispatchEvent'],
         [Headers.prototype, 'get'], [Object.getPrototypeOf(new URLSearchParams('a').keys()), 'next'], [Object.getPrototypeOf(new Headers().keys()), 'next'],
         [Array.prototype, Symbol.iterator], [console, 'log'], [crypto.subtle, 'digest'], [host.log, 'info'],
       ]
       const changed = targets.filter(([target, key]) => {
         const before = target[key]
         try { target[key] = evil } catch {}
         try { Object.defineProperty(target, key, { value: evil }) } catch {}
         return target[key] !== before
       })
       for (const name of ['JSON', 'Promise', 'Error', 'Map', 'Array', 'Object', 'String', 'Symbol', 'Reflect', 'Uint8Array', 'AbortController', 'Date']) globalThis[name] = evil
       return changed.map(([, key]) => key)`,
    ),
  )
  assert.deepEqual(await runCode(sandbox), [])
  await assert.rejects(runCode(sandbox), { code: 'plugin_failure' })
  const clean = await start(imageSpec('return 1'))
  assert.equal(await runCode(clean), 1)
  assert.deepEqual(await sandbox.call('image.getAllImages', [{}]), [])
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
})

test('nothing of the language or of what is endowed can be changed', async () => {
  const sandbox = await start(
    imageSpec(
      `const holders = { Object, Array, Map, Promise, Function: Object.getPrototypeOf(function () {}), JSON, Reflect, URL, URLSearchParams, Response, Request, Headers, AbortController, AbortSignal, EventTarget, Event, TextDecoder, console, crypto, process, fetch, setTimeout, host }
       const soft = []
       for (const [name, holder] of Object.entries(holders)) {
         if (!Object.isFrozen(holder)) soft.push(name)
         if (holder.prototype && !Object.isFrozen(holder.prototype)) soft.push(name + '.prototype')
       }
       const iterators = [new URLSearchParams('a').keys(), new Headers().keys(), [][Symbol.iterator](), new Map().keys()]
       for (const one of iterators) if (!Object.isFrozen(Object.getPrototypeOf(one))) soft.push('iterator')
       try { await host.secrets.get('x') } catch (error) { if (!Object.isFrozen(error.constructor.prototype)) soft.push('FogbowError') }
       return soft`,
    ),
  )
  assert.deepEqual(await runCode(sandbox), [])
})

test('no buffer shows the memory of others', async () => {
  const sandbox = await start(
    imageSpec(
      `const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(1))
       const response = new Response('abc')
       return [new TextEncoder().encode('abc').buffer.byteLength, digest.byteLength, (await response.arrayBuffer()).byteLength, typeof Buffer, typeof SharedArrayBuffer, typeof Atomics]`,
    ),
  )
  assert.deepEqual(await runCode(sandbox), [3, 32, 3, 'undefined', 'undefined', 'undefined'])
})

test('no stack or message names a path of the host', async () => {
  const sandbox = await start(
    imageSpec(
      `const texts = []
       const look = (error) => texts.push(String(error.stack), String(error.message))
       try { null.x } catch (error) { look(error) }
       try { new URL('%') } catch (error) { look(error) }
       await host.storage.get('x').catch(look)
       await fetch('http://h/').catch(look)
       await crypto.subtle.digest('MD5', new Uint8Array(1)).catch(look)
       return texts.filter((text) => /\\/|node:|\\.ts|\\.js/.test(text))`,
    ),
  )
  assert.deepEqual(await runCode(sandbox), [])
})

test('code that leaves the wrapper of its bundle is still in its compartment', async () => {
  const code = `}); globalThis.left = [typeof process?.getBuiltinModule, typeof require]; (function (module, exports) { module.exports = { create: () => ({ image: ${imagePart('return globalThis.left')} }) }`
  const sandbox = await start(bundleSpec(code)).catch(() => undefined)
  assert.ok(sandbox === undefined || !JSON.stringify(await runCode(sandbox)).includes('function'))
})

test('two plugins share neither globals nor secrets', async () => {
  const host = (value: string) => ({ 'secrets.get': () => value })
  const one = await start(
    imageSpec("globalThis.shared = await host.secrets.get('x'); return globalThis.shared", {
      name: 'one',
      host: host('a'),
    }),
  )
  const other = await start(
    imageSpec("return [typeof globalThis.shared, await host.secrets.get('x')]", {
      name: 'other',
      host: host('b'),
    }),
  )
  assert.equal(await runCode(one), 'a')
  assert.deepEqual(await runCode(other), ['undefined', 'b'])
})
