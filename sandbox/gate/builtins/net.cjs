const { Duplex } = require('./stream.cjs')
const unavailable = require('./unavailable.cjs')

/**
 * A socket of Node over the `connect` that the sandbox grants. Every connection can be secured later, since Node does
 * not say beforehand.
 */
class Socket extends Duplex {
  connecting = false
  remoteAddress
  remotePort
  remoteFamily
  bytesRead = 0
  bytesWritten = 0
  timeout = 0
  #link
  #reader
  #writer
  #wanted = false
  #pulling = false
  #idle

  constructor({ allowHalfOpen = false, signal } = {}) {
    super({ allowHalfOpen, signal, emitClose: true })
  }

  get pending() {
    return !this.#link || this.connecting
  }

  get readyState() {
    if (this.connecting) return 'opening'
    if (this.destroyed || !this.#link) return 'closed'
    if (this.readable) return this.writable ? 'open' : 'readOnly'
    return this.writable ? 'writeOnly' : 'closed'
  }

  connect(...args) {
    const { options, done } = normalize(args)
    if (done) this.once('connect', done)
    const { host = 'localhost', port } = options
    this.use(
      globalThis.connect({ hostname: host, port: Number(port) }, { secureTransport: 'starttls' }),
      port,
      ['connect', 'ready'],
    )
    return this
  }

  /** @param events - emitted when `link`, a socket of the sandbox, is open */
  use(link, port, events) {
    this.connecting = true
    this.#link = link
    link.opened.then(
      ({ remoteAddress }) => {
        if (this.destroyed) return void link.close().catch(() => {})
        this.connecting = false
        this.remoteAddress = remoteAddress
        this.remoteFamily = isIP(remoteAddress) === 6 ? 'IPv6' : 'IPv4'
        this.remotePort = Number(port)
        this.#reader = link.readable.getReader()
        this.#writer = link.writable.getWriter()
        this.#touch()
        this.emit('link')
        for (const event of events) this.emit(event)
        if (this.#wanted) void this.#pull()
      },
      (error) => this.destroy(describe(error)),
    )
  }

  /** Gives the connection away to be secured; this socket is of no use then. */
  release() {
    const link = this.#link
    if (!link) throw new Error('The socket is not connected')
    this.#link = undefined
    this.#reader?.releaseLock()
    this.#writer?.releaseLock()
    clearTimeout(this.#idle)
    return link
  }

  _read() {
    this.#wanted = true
    if (this.#reader) void this.#pull()
  }

  async #pull() {
    const link = this.#link
    // Given away: what comes now is for the socket that has it.
    if (this.#pulling || !link) return
    this.#pulling = true
    try {
      while (this.#wanted && this.#link === link) {
        const { done, value } = await this.#reader.read()
        if (this.#link !== link) return
        this.#touch()
        if (done) {
          this.push(null)
          return
        }
        this.bytesRead += value.length
        this.#wanted = this.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
      }
    } catch (error) {
      if (this.#link === link) this.destroy(describe(error))
    } finally {
      this.#pulling = false
    }
  }

  _write(chunk, encoding, done) {
    if (!this.#writer) return void this.once('link', () => this._write(chunk, encoding, done))
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
    this.#touch()
    this.bytesWritten += bytes.length
    this.#writer.write(bytes).then(
      () => done(),
      (error) => done(describe(error)),
    )
  }

  _final(done) {
    if (!this.#link) return void done()
    if (!this.#writer) return void this.once('link', () => this._final(done))
    this.#writer.close().then(
      () => done(),
      () => done(),
    )
  }

  _destroy(error, done) {
    clearTimeout(this.#idle)
    const link = this.#link
    this.#link = undefined
    this.connecting = false
    if (link) link.close().catch(() => {})
    done(error)
  }

  setTimeout(ms, done) {
    this.timeout = ms
    if (done) this.once('timeout', done)
    this.#touch()
    return this
  }

  #touch() {
    clearTimeout(this.#idle)
    if (this.timeout > 0) this.#idle = setTimeout(() => this.emit('timeout'), this.timeout)
  }

  destroySoon() {
    this.end(() => this.destroy())
  }

  setKeepAlive() {
    return this
  }

  setNoDelay() {
    return this
  }

  ref() {
    return this
  }

  unref() {
    return this
  }

  address() {
    return {}
  }
}

/** Arguments as `net.connect` takes them: options, or port and host, and a listener. */
function normalize(args) {
  const done = typeof args.at(-1) === 'function' ? args.at(-1) : undefined
  const [first, second] = args
  if (typeof first !== 'object')
    return { options: { port: first, host: typeof second === 'string' ? second : undefined }, done }
  if (first.path !== undefined)
    throw new Error('net: sockets in the file system are not available to plugins')
  return { options: first, done }
}

function describe(error) {
  return error instanceof Error
    ? error
    : new Error(String(error?.message ?? error ?? 'The connection ended'))
}

const IPV4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/

function isIP(text) {
  const address = `${text}`
  if (IPV4.test(address)) return 4
  if (!address.includes(':')) return 0
  return URL.canParse(`http://[${address.replace(/%.*$/, '')}]`) ? 6 : 0
}

const connect = (...args) => new Socket(typeof args[0] === 'object' ? args[0] : {}).connect(...args)

module.exports = unavailable('net', {
  Socket,
  Stream: Socket,
  connect,
  createConnection: connect,
  isIP,
  isIPv4: (text) => isIP(text) === 4,
  isIPv6: (text) => isIP(text) === 6,
  normalize,
})
