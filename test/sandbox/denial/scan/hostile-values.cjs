/**
 * Receivers and arguments that may lead a built-in astray. Runs in the guest, as the beginning of the bundle of `guest.cjs`.
 * Callbacks among them are built-ins themselves: while functions of a plugin run, a thread can be stopped.
 */
const MOST = 2 ** 53 - 1
const MOST_ITEMS = 2 ** 32 - 1

const texts = new Map()

/** Texts do not change, and are put together only when somebody reads them; each is made once. */
function textOf(piece, length) {
  const name = `${piece}${length}`
  let text = texts.get(name) ?? piece
  while (text.length < length) text += text
  texts.set(name, text)
  return text
}

/** To become a text or a number takes long for them as well; that is tried once, by functions that do just that. */
function quickAsText(value) {
  return Object.defineProperty(value, 'toString', { value: () => 'x' })
}

function holes(length = MOST_ITEMS) {
  const list = []
  list.length = length
  return quickAsText(list)
}

const proxied = () => new Proxy([], { get: (_, key) => (key === 'length' ? MOST : undefined) })
const steps = () => ({ next: Object, return: Object })
const iterable = () => ({ [Symbol.iterator]: steps, [Symbol.asyncIterator]: steps })
const setLike = (size = 1) => ({ size, has: Boolean, keys: steps })
const buffer = () => new ArrayBuffer(2 ** 27, { maxByteLength: 2 ** 28 })
const longKeys = () => new Proxy({}, { ownKeys: () => ({ length: 2 ** 27 }) })
const textKeys = () => new Proxy({}, { ownKeys: () => new String(textOf('x', 2 ** 26)) })

function many(add, count) {
  for (let n = 0; n < count; n++) add(n)
}

function setOf(count) {
  const set = new Set()
  many((n) => set.add(n), count)
  return set
}

function mapOf(count) {
  const map = new Map()
  many((n) => map.set(n, n), count)
  return map
}

function chainOf(length) {
  let last = {}
  many(() => {
    last = Object.create(last)
  }, length)
  return last
}

function nestOf(length) {
  let last = []
  many(() => {
    last = [last]
  }, length)
  return last
}

function boundOf(length) {
  let bound = Math.max
  many(() => {
    bound = bound.bind(null)
  }, length)
  return bound
}

function keyedOf(count) {
  const object = {}
  many((n) => {
    object[`k${n}`] = n
  }, count)
  return object
}

function fill(target, count) {
  many((n) => target.append(`k${n}`, 'x'.repeat(50)), count)
  return target
}

/** What takes long to make is kept as long as nothing has changed it. */
function kept(make, measure) {
  let value
  let size
  return () => {
    if (value === undefined || measure(value) !== size) {
      value = make()
      size = measure(value)
    }
    return value
  }
}

const sizeOf = (value) => value.size
const lengthOf = (value) => value.length
const always = () => 0

const packed = kept(() => quickAsText(new Array(2 ** 20).fill(1.5)), lengthOf)
const nested = kept(() => quickAsText(nestOf(1e4)), lengthOf)
const longChain = kept(() => chainOf(5e3), always)
const manyKeys = kept(() => keyedOf(1e4), always)
const bigSet = kept(() => setOf(2 ** 15), sizeOf)
const bigMap = kept(() => mapOf(2 ** 15), sizeOf)
const longExpression = kept(
  () => new RegExp('a?'.repeat(2 ** 12) + 'a'.repeat(2 ** 12), 'g'),
  always,
)
const greatNumber = kept(() => 1n << (2n ** 26n), always)
const bytes = (length) => quickAsText(new Uint8Array(length))
const bound = kept(() => boundOf(1e4), always)
const manyParts = () => {
  const list = quickAsText([1])
  list.push(list, list, list, list)
  return list
}

const receivers = {
  nothing: () => undefined,
  null: () => null,
  'endless object': () => ({ length: MOST }),
  'four billion places': () => ({ length: MOST_ITEMS }),
  holes: () => holes(),
  'fewer holes': () => holes(2 ** 27),
  proxy: proxied,
  'a million items': packed,
  'deep list': nested,
  'list of itself': manyParts,
  'list of long texts': () => quickAsText(new Array(1000).fill(textOf('x', 2 ** 22))),
  'text 2^24': () => textOf('x', 2 ** 24),
  'text 2^26': () => textOf('x', 2 ** 26),
  'longest text': () => `${textOf('x', 2 ** 28)}y`,
  'wide text 2^25': () => textOf('\u1e9b', 2 ** 25),
  'combining text 2^24': () => textOf('\u1e9b\u0323', 2 ** 24),
  'text object 2^26': () => new String(textOf('x', 2 ** 26)),
  'long regular expression': longExpression,
  'backtracking expression': () => /(a+)+$/g,
  'empty expression': () => /(?:)/g,
  'unicode sets': () => /[\p{L}--\p{Lu}]*?$/giv,
  'bytes 2^27': () => bytes(2 ** 27),
  'bytes 2^28': () => bytes(2 ** 28),
  'floats 2^24': () => quickAsText(new Float64Array(2 ** 24)),
  'big numbers 2^24': () => quickAsText(new BigInt64Array(2 ** 24)),
  'growing bytes': () => quickAsText(new Uint8Array(buffer())),
  buffer,
  view: () => new DataView(buffer()),
  'number of 2^26 bits': greatNumber,
  number: () => 1.7e308,
  symbol: () => Symbol('x'),
  truth: () => true,
  'big set': bigSet,
  'big map': bigMap,
  'endless set': () => setLike(),
  'endless empty set': () => setLike(0),
  'endless steps': steps,
  'endless iterator': () => Iterator.from(steps()),
  'dropping iterator': () => Iterator.from(steps()).drop(MOST),
  'filtering iterator': () => Iterator.from(steps()).filter(Array.isArray),
  'flattening iterator': () => Iterator.from(steps()).flatMap(() => []),
  'iterator of holes': () => holes()[Symbol.iterator](),
  'iterator of bytes': () => new Uint8Array(2 ** 27)[Symbol.iterator](),
  'iterator of a text': () => textOf('x', 2 ** 28)[Symbol.iterator](),
  'iterator of a set': () => bigSet().values(),
  'iterator of matches': () => textOf('x', 2 ** 24).matchAll(/x/g),
  iterable,
  'endless generator': () =>
    (function* () {
      for (;;) yield 1
    })(),
  date: () => new Date(8.64e15),
  'bound function': bound,
  'long chain': longChain,
  'many keys': manyKeys,
  'proxy with long keys': longKeys,
  'proxy with text keys': textKeys,
  promise: () => new Promise(() => {}),
  error: () => new Error(textOf('x', 2 ** 24)),
  'search parameters': () => fill(new URLSearchParams(), 200),
  headers: () => fill(new Headers(), 100),
  form: () => fill(new FormData(), 100),
  blob: () => new Blob([new Uint8Array(2 ** 16)]),
  answer: () => new Response(new Uint8Array(2 ** 16)),
  'answer of text': () => new Response(textOf('[', 2 ** 16)),
  request: () =>
    new Request('http://h/', { method: 'POST', body: textOf('a=b&', 2 ** 14), headers: {} }),
  'endless stream': () => new ReadableStream({ pull: (controller) => controller.enqueue('x') }),
  transform: () => new TransformStream(),
  address: () => new URL(`http://h/?${'a=b&'.repeat(2 ** 8)}`),
  'event target': () => new EventTarget(),
  event: () => new Event('x'),
  controller: () => new AbortController(),
  signal: () => AbortSignal.any([AbortSignal.abort()]),
  decoder: () => new TextDecoder('utf-16le'),
  encoder: () => new TextEncoder(),
}

/** Each is made anew for each call. */
const argumentLists = {
  'no arguments': () => [],
  'an endless object': () => [{ length: MOST }],
  'four billion places': () => [{ length: MOST_ITEMS }, Boolean],
  'an endless object and itself': () => [Object, { length: 2 ** 27 }],
  'function, nothing, endless': () => [Math.max, undefined, { length: MOST_ITEMS }],
  holes: () => [holes(), Boolean],
  'a proxy': () => [proxied(), proxied()],
  'a million items': () => [packed(), packed(), packed()],
  'a deep list': () => [nested(), Infinity],
  'a list of itself': () => [manyParts(), Infinity],
  'a depth': () => [Infinity],
  'a callback': () => [Math.atan2, 0],
  'a callback that keeps': () => [Object],
  'a callback that denies': () => [Array.isArray, undefined],
  'great numbers': () => [MOST, MOST, MOST],
  'places at the end': () => [0, MOST_ITEMS - 1, MOST_ITEMS],
  'places in the middle': () => [2 ** 27, -(2 ** 26), 'xyz'],
  'a length and a text': () => [2 ** 28, textOf('ab', 2 ** 20)],
  'a long text': () => [textOf('x', 2 ** 26)],
  'long texts': () => [textOf('x', 2 ** 24), textOf('y', 2 ** 24), textOf('z', 2 ** 24)],
  'wide texts': () => [textOf('\u1e9b', 2 ** 24), textOf('\u0323', 2 ** 24)],
  'a search that fails late': () => [`${textOf('x', 2 ** 20)}y`],
  'nothing to find, much to put': () => ['', textOf('y', 2 ** 20)],
  'JSON that nests': () => [textOf('[', 2 ** 23), Boolean],
  'JSON of empty lists': () => [`[${textOf('[],', 2 ** 23)}0]`],
  digits: () => [textOf('1', 2 ** 24), 36],
  'a great number': () => [greatNumber(), 1n << (2n ** 20n)],
  'many bits': () => [MOST, greatNumber()],
  'a long expression': () => ['a?'.repeat(2 ** 12) + 'a'.repeat(2 ** 12), 'g'],
  'an expression that backtracks': () => [/(a+)+$/g, textOf('y', 2 ** 16)],
  'a text that backtracks': () => [`${textOf('a', 2 ** 16)}!`, /(a+)+$/],
  'endless steps': () => [iterable(), Boolean],
  'an endless iterator': () => [steps(), Boolean],
  'an endless set': () => [setLike(), setLike(0)],
  'a great set': () => [bigSet(), bigMap()],
  'long bytes': () => [bytes(2 ** 27), 0, 2 ** 27],
  'bytes, twice': () => [bytes(2 ** 26), bytes(2 ** 26), true],
  'what takes long to become a text': () => [new Uint8Array(2 ** 27), new Uint8Array(2 ** 27)],
  'what takes long to become a number': () => [new Array(2 ** 20).fill(1.5), { length: MOST }],
  'a buffer': () => [buffer(), 1, MOST_ITEMS],
  'a kind and bytes': () => ['utf-16le', bytes(2 ** 27), bytes(2 ** 27)],
  'digest of bytes': () => ['SHA-512', bytes(2 ** 27)],
  'a long chain': () => [longChain(), 'x', { value: 1 }],
  'a chain around': () => [{}, longChain(), longChain()],
  'many keys': () => [{}, manyKeys(), manyKeys()],
  'only many keys': () => [manyKeys(), manyKeys()],
  'long keys of a proxy': () => [longKeys(), longKeys()],
  'text keys of a proxy': () => [textKeys(), Object],
  'a text object': () => [new String(textOf('x', 2 ** 26)), {}],
  'a bound function': () => [bound(), bound(), [1]],
  'a function and holes': () => [Math.max, null, holes()],
  'a language and digits': () => ['de', { minimumFractionDigits: 100, length: MOST }],
  'names of languages': () => [new Array(2 ** 16).fill('de'), { style: 'percent' }],
  'a locale': () => ['tr', undefined, 'zh-u-co-stroke'],
}

module.exports = { receivers, argumentLists }
