const EventEmitter = require('./events.cjs')
const unavailable = require('./unavailable.cjs')

/** Packages make agents when they are loaded or set up; connections are pooled by the host, whatever they say. */
class Agent extends EventEmitter {
  constructor(options = {}) {
    super()
    Object.assign(this, {
      options,
      maxSockets: options.maxSockets ?? Number.POSITIVE_INFINITY,
      maxFreeSockets: options.maxFreeSockets ?? 256,
      keepAlive: options.keepAlive === true,
      requests: {},
      sockets: {},
      freeSockets: {},
    })
  }

  destroy() {}
}

const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']

module.exports = unavailable('http', { Agent, METHODS, STATUS_CODES: {}, globalAgent: new Agent() })
