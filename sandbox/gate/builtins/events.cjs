const EventEmitter = require('events/')

// Newer than the package.
EventEmitter.captureRejectionSymbol = Symbol.for('nodejs.rejection')
EventEmitter.errorMonitor ??= Symbol('events.errorMonitor')
EventEmitter.setMaxListeners ??= () => {}
EventEmitter.getEventListeners ??= (emitter, event) => emitter.listeners?.(event) ?? []
EventEmitter.addAbortListener ??= (signal, listener) => {
  signal.addEventListener('abort', listener, { once: true })
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', listener) }
}
EventEmitter.EventEmitter = EventEmitter

module.exports = EventEmitter
