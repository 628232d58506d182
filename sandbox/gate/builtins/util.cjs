const unavailable = require('./unavailable.cjs')

const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1)
const hasTag =
  (...tags) =>
  (value) =>
    tags.includes(tagOf(value))
const isA =
  (...types) =>
  (value) =>
    types.includes(typeof value)
const isNothing = (value) => value === null || value === undefined
const isTypedArray = (value) => ArrayBuffer.isView(value) && tagOf(value) !== 'DataView'

const types = {
  isAnyArrayBuffer: hasTag('ArrayBuffer', 'SharedArrayBuffer'),
  isArrayBuffer: hasTag('ArrayBuffer'),
  isArrayBufferView: (value) => ArrayBuffer.isView(value),
  isAsyncFunction: hasTag('AsyncFunction', 'AsyncGeneratorFunction'),
  isBoxedPrimitive: (value) =>
    value instanceof String || value instanceof Number || value instanceof Boolean,
  isDataView: hasTag('DataView'),
  isDate: hasTag('Date'),
  isGeneratorFunction: hasTag('GeneratorFunction', 'AsyncGeneratorFunction'),
  isKeyObject: () => false,
  isMap: hasTag('Map'),
  isNativeError: (value) => value instanceof Error,
  isPromise: hasTag('Promise'),
  isProxy: () => false,
  isRegExp: hasTag('RegExp'),
  isSet: hasTag('Set'),
  isSharedArrayBuffer: hasTag('SharedArrayBuffer'),
  isTypedArray,
  isUint8Array: hasTag('Uint8Array'),
  isWeakMap: hasTag('WeakMap'),
  isWeakSet: hasTag('WeakSet'),
}

function inherits(child, parent) {
  Object.defineProperty(child, 'super_', { value: parent, configurable: true, writable: true })
  Object.setPrototypeOf(child.prototype, parent.prototype)
}

function promisify(original) {
  if (typeof original[promisify.custom] === 'function') return original[promisify.custom]
  return function (...args) {
    return new Promise((resolve, reject) => {
      original.call(this, ...args, (error, value) => (error ? reject(error) : resolve(value)))
    })
  }
}
promisify.custom = Symbol.for('nodejs.util.promisify.custom')

function callbackify(original) {
  return function (...args) {
    const done = args.pop()
    original.apply(this, args).then(
      (value) => queueMicrotask(() => done(null, value)),
      (error) => queueMicrotask(() => done(error ?? new Error('Rejected without a reason'))),
    )
  }
}

const DEEPEST = 4
const LONGEST = 100

function inspect(value, { depth = 2 } = {}) {
  return show(value, Math.min(depth ?? DEEPEST, DEEPEST), new Set())
}
inspect.custom = Symbol.for('nodejs.util.inspect.custom')
inspect.defaultOptions = {}
inspect.colors = {}
inspect.styles = {}

function show(value, depth, above) {
  if (typeof value === 'string') return `'${value}'`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return `[Function: ${value.name || '(anonymous)'}]`
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (value instanceof Date) return Number.isNaN(+value) ? 'Invalid Date' : value.toISOString()
  if (value instanceof RegExp) return String(value)
  if (above.has(value)) return '[Circular]'
  if (depth < 0) return Array.isArray(value) ? '[Array]' : `[${tagOf(value)}]`
  above.add(value)
  const text = showParts(value, (part) => show(part, depth - 1, above))
  above.delete(value)
  return text
}

function showParts(value, part) {
  if (Array.isArray(value) || isTypedArray(value)) {
    const items = Array.from(value.slice(0, LONGEST), part)
    const more = value.length - items.length
    return `[ ${[...items, ...(more > 0 ? [`... ${more} more`] : [])].join(', ')} ]`
  }
  const entries = (pairs) => [...pairs].map(([key, item]) => `${part(key)} => ${part(item)}`)
  if (value instanceof Map) return `Map(${value.size}) { ${entries(value).join(', ')} }`
  if (value instanceof Set) return `Set(${value.size}) { ${[...value].map(part).join(', ')} }`
  const name = value.constructor?.name
  const fields = Object.entries(value).map(([key, item]) => `${key}: ${part(item)}`)
  return `${name && name !== 'Object' ? `${name} ` : ''}${fields.length > 0 ? `{ ${fields.join(', ')} }` : '{}'}`
}

const conversions = {
  s: (value) => (typeof value === 'string' ? value : inspect(value, { depth: 0 })),
  d: (value) => String(Number(value)),
  i: (value) => String(Number.parseInt(value, 10)),
  f: (value) => String(Number.parseFloat(value)),
  j: (value) => JSON.stringify(value),
  o: (value) => inspect(value),
  O: (value) => inspect(value),
  c: () => '',
}

function format(first, ...values) {
  if (typeof first !== 'string') return [first, ...values].map(conversions.s).join(' ')
  const text = first.replace(/%([sdifjoOc%])/g, (mark, kind) => {
    if (kind === '%') return '%'
    return values.length > 0 ? conversions[kind](values.shift()) : mark
  })
  return [text, ...values.map(conversions.s)].join(' ')
}

function isDeepStrictEqual(left, right) {
  if (Object.is(left, right)) return true
  if (typeof left !== 'object' || typeof right !== 'object' || !left || !right) return false
  if (tagOf(left) !== tagOf(right)) return false
  if (left instanceof Date) return +left === +right
  if (left instanceof RegExp) return String(left) === String(right)
  if (left instanceof Map || left instanceof Set) return isDeepStrictEqual([...left], [...right])
  const keys = Object.keys(left)
  if (keys.length !== Object.keys(right).length) return false
  return keys.every((key) => Object.hasOwn(right, key) && isDeepStrictEqual(left[key], right[key]))
}

const TERMINAL_CODES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, 'g')

const debuglog = () => Object.assign(() => {}, { enabled: false })

module.exports = unavailable('util', {
  TextDecoder: globalThis.TextDecoder,
  TextEncoder: globalThis.TextEncoder,
  callbackify,
  debug: debuglog,
  debuglog,
  deprecate: (original) => original,
  format,
  inherits,
  inspect,
  isArray: Array.isArray,
  isBoolean: isA('boolean'),
  isBuffer: (value) => value?.constructor?.isBuffer?.(value) === true,
  isDate: types.isDate,
  isDeepStrictEqual,
  isError: types.isNativeError,
  isFunction: isA('function'),
  isNull: (value) => value === null,
  isNullOrUndefined: isNothing,
  isNumber: isA('number'),
  isObject: (value) => typeof value === 'object' && value !== null,
  isPrimitive: (value) => value === null || !['object', 'function'].includes(typeof value),
  isRegExp: types.isRegExp,
  isString: isA('string'),
  isSymbol: isA('symbol'),
  isUndefined: (value) => value === undefined,
  promisify,
  stripVTControlCharacters: (text) => text.replace(TERMINAL_CODES, ''),
  toUSVString: (text) => String(text).toWellFormed(),
  types,
})
