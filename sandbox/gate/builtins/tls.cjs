const { Socket, isIP, normalize } = require('./net.cjs')
const unavailable = require('./unavailable.cjs')

/** TLS as the host speaks it: which authorities it trusts is the administrator's, whatever the options say. */
class TLSSocket extends Socket {
  encrypted = true
  authorized = false
  authorizationError = null

  constructor(socket, options) {
    super(options)
    this.once('secureConnect', () => {
      this.authorized = true
    })
    if (!socket) return
    this.use(socket.release().startTls(), socket.remotePort, ['secureConnect'])
    // It is one connection, and the end of either is that of both.
    this.once('close', () => socket.destroy())
    socket.once('close', () => this.destroy())
  }

  getPeerCertificate() {
    return {}
  }

  getProtocol() {
    return 'TLSv1.3'
  }
}

function connect(...args) {
  const { options, done } = normalizeTls(args)
  const { host = 'localhost', port, socket } = options
  const secured = new TLSSocket(socket, options)
  if (done) secured.once('secureConnect', done)
  if (!socket) {
    const link = globalThis.connect(
      { hostname: host, port: Number(port) },
      { secureTransport: 'on' },
    )
    secured.use(link, port, ['connect', 'secureConnect'])
  }
  return secured
}

/** Port, host and options may come one by one. */
function normalizeTls(args) {
  const { options, done } = normalize(args)
  const more = args.slice(1).find((arg) => typeof arg === 'object' && arg !== null)
  return { options: { ...options, ...more }, done }
}

module.exports = unavailable('tls', {
  DEFAULT_MIN_VERSION: 'TLSv1.2',
  DEFAULT_MAX_VERSION: 'TLSv1.3',
  TLSSocket,
  connect,
  createSecureContext: (options) => ({ context: options }),
  isIP,
  rootCertificates: [],
})
