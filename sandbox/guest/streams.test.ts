import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageSpec, testLauncher } from '../fixtures/plugin-spec.ts'
import { runCode } from '../fixtures/run-code.ts'
import { testResults } from '../fixtures/test-results.ts'
import { startSandbox } from '../index.ts'

const launcher = testLauncher()

testResults(launcher, 'streams are those of the standard', [
  [
    'a stream is made, split and joined',
    "const [one, other] = new ReadableStream({ start(c) { c.enqueue('a'); c.enqueue('b'); c.close() } }).tee(); const read = async (s) => { const seen = []; for await (const chunk of s) seen.push(chunk); return seen }; return [await read(one), await read(other), await read(ReadableStream.from([1, 2]))]",
    [
      ['a', 'b'],
      ['a', 'b'],
      [1, 2],
    ],
  ],
  [
    'a pipe waits for who reads',
    'let made = 0; const source = new ReadableStream({ pull(c) { c.enqueue(made++) } }, { highWaterMark: 0 }); const doubled = source.pipeThrough(new TransformStream({ transform(n, c) { c.enqueue(n * 2) } }, { highWaterMark: 1 }, { highWaterMark: 0 })); const reader = doubled.getReader(); await reader.read(); await reader.read(); await host.clock.sleep(5); return made <= 4',
    true,
  ],
  [
    'a pipe is given up by a signal',
    'const c = new AbortController(); let cancelled; const source = new ReadableStream({ cancel(reason) { cancelled = reason.name } }); const piped = source.pipeTo(new WritableStream(), { signal: c.signal }).catch((error) => error.name); c.abort(); return [await piped, cancelled]',
    ['AbortError', 'AbortError'],
  ],
  [
    'the controller of a writable stream has a signal',
    "let signal; const w = new WritableStream({ start(c) { signal = c.signal } }); await w.abort('why'); return [signal instanceof AbortSignal, signal.aborted, signal.reason]",
    [true, true, 'why'],
  ],
  [
    'text and bytes through streams, with characters cut in two',
    "const bytes = [0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80]; const source = ReadableStream.from(bytes.map((byte) => new Uint8Array([byte]))); let text = ''; for await (const part of source.pipeThrough(new TextDecoderStream())) text += part; const back = []; for await (const chunk of ReadableStream.from([...text].flatMap((c) => c.split(''))).pipeThrough(new TextEncoderStream())) back.push(...chunk); return [text, back.join() === bytes.join()]",
    ['€😀', true],
  ],
  [
    'a strict decoder refuses bytes that are no text',
    "const source = ReadableStream.from([new Uint8Array([255])]).pipeThrough(new TextDecoderStream('utf-8', { fatal: true })); return source.getReader().read().catch((error) => error.name)",
    'TypeError',
  ],
  [
    'a stream of a request is one that the plugin can test',
    "return [new Response('x').body instanceof ReadableStream, new Blob(['x']).stream() instanceof ReadableStream, Object.getPrototypeOf(new Response('x').body) === ReadableStream.prototype]",
    [true, true, true],
  ],
  [
    'the classes are frozen and none is lost by touching it',
    'const before = ReadableStream; try { ReadableStream.prototype.getReader = 1 } catch {} ; return [ReadableStream === before, typeof ReadableStream.prototype.getReader, Object.isFrozen(ReadableStream.prototype), typeof WritableStream]',
    [true, 'function', true, 'function'],
  ],
  [
    'a plugin may put its own in their place',
    'const kept = TransformStream; globalThis.TransformStream = 5; const seen = TransformStream; globalThis.TransformStream = kept; return [seen, typeof TransformStream]',
    [5, 'function'],
  ],
])

testResults(launcher, 'events and signals are those of the standard', [
  [
    'a listener that fails concerns nobody else',
    "const seen = []; const t = new EventTarget(); t.addEventListener('a', () => { throw new Error('x') }); t.addEventListener('a', { handleEvent(e) { seen.push(e.type) } }); const result = t.dispatchEvent(new Event('a')); return [seen, result]",
    [['a'], true],
  ],
  [
    'events can be stopped, prevented and carry details',
    "const seen = []; const t = new EventTarget(); t.addEventListener('a', (e) => { seen.push(e.detail); e.preventDefault(); e.stopImmediatePropagation() }); t.addEventListener('a', () => seen.push('never')); return [t.dispatchEvent(new CustomEvent('a', { detail: 5, cancelable: true })), seen]",
    [false, [5]],
  ],
  [
    'a listener that goes with a signal',
    "let n = 0; const c = new AbortController(); const t = new EventTarget(); t.addEventListener('a', () => n++, { signal: c.signal }); t.dispatchEvent(new Event('a')); c.abort(); t.dispatchEvent(new Event('a')); return n",
    1,
  ],
  [
    'any follows all of its signals, also those that aborted before',
    "const a = new AbortController(), b = new AbortController(); const any = AbortSignal.any([a.signal, AbortSignal.any([b.signal])]); const seen = []; any.onabort = (e) => seen.push(e.type); any.addEventListener('abort', () => seen.push(any.reason)); b.abort('why'); a.abort('late'); return [any.aborted, any.reason, seen, AbortSignal.any([a.signal]).reason, AbortSignal.any([]).aborted]",
    [true, 'why', ['abort', 'why'], 'late', false],
  ],
  [
    'any is seen to be aborted without a listener',
    "const a = new AbortController(); const any = AbortSignal.any([a.signal]); a.abort('why'); let thrown; try { any.throwIfAborted() } catch (reason) { thrown = reason } return [any.aborted, any.reason, thrown]",
    [true, 'why', 'why'],
  ],
  [
    'onabort is replaced, not added',
    'const c = new AbortController(); const seen = []; c.signal.onabort = () => seen.push(1); c.signal.onabort = () => seen.push(2); c.abort(); return [seen, c.signal.reason.name, c.signal.reason.code, c.signal.reason instanceof DOMException, AbortSignal.abort(null).reason]',
    [[2], 'AbortError', 20, true, null],
  ],
])

test('a plugin that never touches a stream does not have them made', async () => {
  const code = `return Object.getOwnPropertyDescriptor(globalThis, 'ReadableStream').get !== undefined`
  const sandbox = await startSandbox(imageSpec(code), { launcher })
  assert.equal(await runCode(sandbox), true)
  await sandbox.stop()
})
