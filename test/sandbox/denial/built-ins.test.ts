import { type Denial, testDenials } from './support/denial-tests.ts'

/** Receivers and arguments that claim to be endless, and nothing of the plugin's own runs in between. */
const before = `
const MOST = 2 ** 53 - 1
const endless = { length: MOST }
const proxied = new Proxy([], { get: (list, key) => (key === 'length' ? MOST : undefined) })
const holes = () => { const list = []; list.length = 2 ** 32 - 1; return list }
const steps = () => ({ next: Object })
const iterable = { [Symbol.iterator]: steps }
const setLike = { size: 1, has: Boolean, keys: steps }
const bytes = (length) => new Uint8Array(length)
`

const lists = [
  'at',
  'concat',
  'copyWithin',
  'every',
  'fill',
  'filter',
  'find',
  'findIndex',
  'findLast',
  'findLastIndex',
  'flat',
  'flatMap',
  'forEach',
  'includes',
  'indexOf',
  'join',
  'lastIndexOf',
  'map',
  'pop',
  'push',
  'reduce',
  'reduceRight',
  'reverse',
  'shift',
  'slice',
  'some',
  'sort',
  'splice',
  'toLocaleString',
  'toReversed',
  'toSorted',
  'toSpliced',
  'toString',
  'unshift',
  'with',
  'keys',
  'values',
  'entries',
]

const calls: Record<string, string> = {
  'String.raw of endless pieces': 'String.raw({ raw: { length: 2 ** 32 } })',
  'a text that is repeated, padded and replaced':
    "for (const make of [() => 'x'.repeat(2 ** 28).split(''), () => 'x'.padEnd(2 ** 28).toUpperCase(), () => 'x'.repeat(2 ** 24).replaceAll('', 'y'.repeat(64))]) try { make() } catch {} return 1",
  'Array.from of endless places': 'Array.from({ length: 2 ** 32 - 1 })',
  'Array.from of endless places through a built-in': 'Array.from(endless, Boolean)',
  'Array.from of endless steps': 'Array.from(iterable)',
  'Array.fromAsync of endless places': 'await Array.fromAsync(endless)',
  'Array.fromAsync of endless steps': 'await Array.fromAsync({ [Symbol.asyncIterator]: steps })',
  'a typed array of endless places': 'new Uint8Array({ length: 2 ** 32 })',
  'a typed array of endless steps': 'new Float64Array(iterable)',
  'Uint8Array.from of endless places': 'Uint8Array.from({ length: 2 ** 32 })',
  'Uint8Array.from of endless steps': 'Uint8Array.from(iterable, Number)',
  'a typed array that is sorted for ever':
    'const numbers = new Float64Array(2 ** 24); for (;;) numbers.sort()',
  'a typed array that is sorted by a built-in': 'bytes(2 ** 27).sort(Math.atan2)',
  'a long typed array as text': 'return bytes(2 ** 28).join().length',
  'a long typed array as text of a language': 'return bytes(2 ** 28).toLocaleString().length',
  'a built-in for every byte of a long typed array': 'for (;;) bytes(2 ** 28).forEach(Boolean)',
  'a search through long typed arrays': 'for (;;) bytes(2 ** 28).lastIndexOf(1)',
  'a set of endless steps': 'new Set(iterable)',
  'a set that is compared with an endless one':
    'new Set([1]).isDisjointFrom({ ...setLike, size: 0 })',
  'a set that is joined with an endless one': 'new Set([1]).union(setLike)',
  'the difference to an endless set': 'new Set([1]).symmetricDifference(setLike)',
  'groups of endless steps': 'Object.groupBy(iterable, Boolean)',
  'a map of groups of endless steps': 'Map.groupBy(iterable, Boolean)',
  'endless steps that are dropped': 'Iterator.from(steps()).drop(2 ** 52).next()',
  'endless steps that are filtered': 'Iterator.from(steps()).filter(Array.isArray).next()',
  'endless steps that are collected': 'Iterator.from(steps()).toArray()',
  'endless steps that are reduced': 'Iterator.from(steps()).reduce(Object)',
  'promises of endless steps': 'await Promise.all(iterable)',
  'errors of endless steps': 'new AggregateError(iterable)',
  'arguments of endless steps': 'Math.max(...iterable)',
  'a call with a hundred million arguments': 'Reflect.apply(Boolean, null, { length: 2 ** 27 })',
  'a function applied to a hundred million arguments': 'Boolean.apply(null, { length: 2 ** 27 })',
  'an object made of a hundred million arguments': 'Reflect.construct(Array, { length: 2 ** 27 })',
  'JSON of endless names': 'JSON.stringify({}, holes())',
  'JSON of an endless list': 'JSON.stringify(proxied)',
  'a spread list of holes': '[...holes()]',
  'a set of a list of holes': 'new Set(holes())',
  'a destructured list of holes': 'const [...rest] = holes()',
  'a clone of a chain of millions':
    'let one = {}; for (let n = 0; n < 1e6; n++) one = { one }; structuredClone(one)',
  'a clone of a list of holes': 'structuredClone(holes())',
  'bytes of half a gigabyte as text': 'new TextDecoder().decode(bytes(2 ** 28)).length',
  'a text of 64 MB that is encoded into bytes':
    "let text = 'é'; while (text.length < 2 ** 25) text += text; new TextEncoder().encodeInto(text, bytes(2 ** 26))",
  'search parameters without end':
    "const one = new URLSearchParams('b=b&'.repeat(2 ** 18)); one.sort(); for (;;) one.append('a', 'b')",
  'headers without end':
    "const one = new Headers(); for (let n = 0; ; n++) one.append('a', 'x'.repeat(1000))",
  'Array.from of a length that grows when it is read again':
    'let n = 0; Array.from({ get length() { return n++ ? 2 ** 32 - 1 : 1 } }, Boolean)',
  'Array.from of what iterates first and is long then':
    'let n = 0; Array.from({ length: 2 ** 32 - 1, get [Symbol.iterator]() { return n++ ? undefined : Array.prototype.values } }, Boolean)',
  'a search for a text that grows when it is read again': `let n = 0
     const grows = { [Symbol.match]: undefined, [Symbol.replace]: undefined, toString: () => n++ % 2 ? 'a'.repeat(2 ** 23) + 'b' + 'a'.repeat(2 ** 22) : 'a' }
     for (const name of ['includes', 'indexOf', 'replaceAll', 'split']) { n = 0; 'a'.repeat(2 ** 24)[name](grows, 'x') }`,
  'a text of sixteen million letters that are replaced one by one':
    "return 'a'.repeat(2 ** 24).replaceAll('a', 'x').length",
  'a part of a joined list that grows while it is joined':
    'const grows = []; const list = Object.defineProperty([], Symbol.isConcatSpreadable, { get() { grows.length = 2 ** 32 - 1; return true } }); for (;;) [].concat(list, grows)',
  'names of a proxy that claims to have a hundred million':
    'for (;;) try { Reflect.ownKeys(new Proxy({}, { ownKeys: () => ({ length: 2 ** 27 }) })) } catch {}',
  'names of a proxy that a long text lists':
    "let text = 'x'; while (text.length < 2 ** 26) text += text; for (;;) try { ({ ...new Proxy({}, { ownKeys: () => new String(text) }) }) } catch {}",
  'names of the places of a long buffer':
    'for (const list of [Object.keys, Object.entries, Object.getOwnPropertyDescriptors, Reflect.ownKeys, (one) => Object.assign({}, one), (one) => Object.create({}, one)]) try { list(bytes(2 ** 27)) } catch {} return 1',
  'names of the places of a long buffer behind proxies':
    'Object.keys(new Proxy(new Proxy(bytes(2 ** 27), {}), {}))',
  'names of the places of a list of sixteen million':
    'const list = new Array(2 ** 24).fill(1); Object.keys(list); Object.getOwnPropertyDescriptors(list)',
  'a long buffer as JSON': 'JSON.stringify([{ one: bytes(2 ** 27) }])',
  'a long buffer as JSON that came from a text':
    "JSON.stringify(new TextEncoder().encode('x'.repeat(2 ** 24)))",
  'a long buffer as JSON that came from base64':
    "JSON.stringify(Uint8Array.fromBase64('A'.repeat(2 ** 24)))",
  'a long buffer that is logged, stored and answered':
    "host.log.info('x', { one: bytes(2 ** 27) }); console.log(bytes(2 ** 27)); await host.storage.get(bytes(2 ** 27)).catch(() => {}); return bytes(2 ** 27)",
  'arguments of a call that are a list of millions': 'Math.max(...new Array(2 ** 24))',
  'a function bound to more and more arguments':
    'let bound = Math.max; const many = new Array(6e4).fill(1); for (;;) bound = bound.bind(null, ...many)',
  'timers, events and rejections that a built-in makes again':
    'const again = () => { setTimeout(again, 2 ** 40); Promise.reject(1); queueMicrotask(again) }; again()',
  'signals that depend on thousands of signals':
    'let all = [AbortSignal.timeout(5)]; for (;;) all = Array.from({ length: 200 }, () => AbortSignal.any(all))',
  'a stream that fills itself without a pause':
    "await new ReadableStream({ pull(controller) { controller.enqueue('x') } }, { highWaterMark: Infinity }).getReader().closed",
  'a stream of bytes that allocates as much as there is':
    "const one = new ReadableStream({ type: 'bytes', autoAllocateChunkSize: 2 ** 40, pull() {} }); await one.getReader().read()",
  'a stream that is teed without end':
    'let one = new ReadableStream(); const kept = []; for (;;) { const [left, right] = one.tee(); kept.push(left); one = right }',
  'an event that is dispatched by its own listener':
    "const one = new EventTarget(); one.addEventListener('x', () => one.dispatchEvent(new Event('x'))); one.dispatchEvent(new Event('x')); for (;;);",
}

/** One plugin for each method, with a callback that is a built-in itself. */
function methodsOf(what: string, receiver: string): Denial {
  const [code = '', ...others] = lists.map(
    (name) => `Array.prototype.${name}.call(${receiver}, Math.atan2, 0); return 1`,
  )
  return { by: `every method of lists on ${what}`, before, code, others }
}

const denials: Denial[] = [
  methodsOf('an object that claims to be the longest list', 'endless'),
  methodsOf('a proxy that claims to be the longest list', 'proxied'),
  methodsOf('a list with holes only', 'holes()'),
  ...Object.entries(calls).map(([by, code]): Denial => ({ by, before, code })),
]

await testDenials(denials)
