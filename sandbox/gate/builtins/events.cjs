/** EventEmitter as far as packages use it; a function, since older ones call it on their own object. */
function EventEmitter() {
  if (!Object.hasOwn(this, 'listenersByEvent')) this.listenersByEvent = new Map()
}

Object.assign(EventEmitter.prototype, {
  on(event, listener) {
    return add(this, event, { listener, once: false }, 'push')
  },
  once(event, listener) {
    return add(this, event, { listener, once: true }, 'push')
  },
  prependListener(event, listener) {
    return add(this, event, { listener, once: false }, 'unshift')
  },
  off(event, listener) {
    const entries = entriesOf(this, event)
    const index = entries.findLastIndex((entry) => entry.listener === listener)
    if (index >= 0) this.listenersByEvent.set(event, entries.toSpliced(index, 1))
    return this
  },
  removeAllListeners(event) {
    EventEmitter.call(this)
    if (event === undefined) this.listenersByEvent.clear()
    else this.listenersByEvent.delete(event)
    return this
  },
  emit(event, ...args) {
    const entries = entriesOf(this, event)
    if (entries.length === 0 && event === 'error') throw args[0] ?? new Error('Unhandled error')
    for (const entry of [...entries]) {
      if (entry.once) this.off(event, entry.listener)
      entry.listener.apply(this, args)
    }
    return entries.length > 0
  },
  listeners(event) {
    return entriesOf(this, event).map((entry) => entry.listener)
  },
  listenerCount(event) {
    return entriesOf(this, event).length
  },
  eventNames() {
    EventEmitter.call(this)
    return [...this.listenersByEvent.keys()].filter((event) => this.listenerCount(event) > 0)
  },
  setMaxListeners() {
    return this
  },
})
EventEmitter.prototype.addListener = EventEmitter.prototype.on
EventEmitter.prototype.removeListener = EventEmitter.prototype.off

function entriesOf(emitter, event) {
  return emitter.listenersByEvent?.get(event) ?? []
}

function add(emitter, event, entry, end) {
  EventEmitter.call(emitter)
  const entries = [...entriesOf(emitter, event)]
  entries[end](entry)
  emitter.listenersByEvent.set(event, entries)
  return emitter
}

EventEmitter.EventEmitter = EventEmitter
EventEmitter.defaultMaxListeners = 10
EventEmitter.once = (emitter, event) =>
  new Promise((resolve, reject) => {
    emitter.once(event, (...args) => resolve(args))
    if (event !== 'error') emitter.once('error', reject)
  })

module.exports = EventEmitter
