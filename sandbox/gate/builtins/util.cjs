const unavailable = require('./unavailable.cjs')

const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1)
const hasTag = (tag) => (value) => tagOf(value) === tag

const types = {
  isAnyArrayBuffer: hasTag('ArrayBuffer'),
  isArrayBuffer: hasTag('ArrayBuffer'),
  isArrayBufferView: (value) => ArrayBuffer.isView(value),
  isDate: hasTag('Date'),
  isMap: hasTag('Map'),
  isNativeError: (value) => value instanceof Error,
  isPromise: hasTag('Promise'),
  isRegExp: hasTag('RegExp'),
  isSet: hasTag('Set'),
  isTypedArray: (value) => ArrayBuffer.isView(value) && tagOf(value) !== 'DataView',
  isUint8Array: hasTag('Uint8Array'),
}

function inherits(child, parent) {
  Object.defineProperty(child, 'super_', { value: parent, configurable: true })
  Object.setPrototypeOf(child.prototype, parent.prototype)
}

function promisify(original) {
  return function (...args) {
    return new Promise((resolve, reject) => {
      original.call(this, ...args, (error, value) => (error ? reject(error) : resolve(value)))
    })
  }
}

function inspect(value) {
  if (typeof value === 'string') return `'${value}'`
  if (value instanceof Error) return `${value.name}: ${value.message}`
  try {
    return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
  } catch {
    return `[${tagOf(value)}]`
  }
}
inspect.custom = Symbol.for('nodejs.util.inspect.custom')
promisify.custom = Symbol.for('nodejs.util.promisify.custom')

function format(...args) {
  return args.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' ')
}

const debuglog = () => Object.assign(() => {}, { enabled: false })

module.exports = unavailable('util', {
  TextDecoder: globalThis.TextDecoder,
  TextEncoder: globalThis.TextEncoder,
  debug: debuglog,
  debuglog,
  deprecate: (original) => original,
  format,
  inherits,
  inspect,
  promisify,
  types,
})
