const EventEmitter = require('./events.cjs')
const unavailable = require('./unavailable.cjs')

/** Node's streams are not there, but packages inherit from their classes when they are loaded. */
function Stream() {
  EventEmitter.call(this)
}
inherit(Stream, EventEmitter)
Object.setPrototypeOf(Stream, unavailable('stream', {}))

function streamClass(name, parent) {
  function StreamClass() {
    throw new Error(`stream.${name} of Node is not available to plugins; use web streams`)
  }
  return inherit(StreamClass, parent)
}

function inherit(child, parent) {
  child.prototype = Object.create(parent.prototype, {
    constructor: { value: child, writable: true, configurable: true },
  })
  return child
}

Stream.Stream = Stream
Stream.Readable = streamClass('Readable', Stream)
Stream.Writable = streamClass('Writable', Stream)
Stream.Duplex = streamClass('Duplex', Stream.Readable)
Stream.Transform = streamClass('Transform', Stream.Duplex)
Stream.PassThrough = streamClass('PassThrough', Stream.Transform)

module.exports = Stream
