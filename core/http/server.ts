import { createServer, type RequestListener, STATUS_CODES } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { FogbowError } from '@fogbow/plugin-sdk'

export interface Listening {
  port: number
  /** Where a client on this machine reaches it, without trailing slash. */
  url: string
}

export interface HttpServer {
  /**
   * @param port - 0 takes a free one
   * @throws configuration_error when the port cannot be had
   */
  listen(port: number, host: string): Promise<Listening>
  /** Stops accepting, lets running requests finish until the deadline, then ends what is left. */
  close(): Promise<void>
}

/** A whole request must have arrived within this time, so that slow senders hold nothing. */
const REQUEST_TIMEOUT_MS = 60_000
const HEADERS_TIMEOUT_MS = 15_000
const KEEP_ALIVE_TIMEOUT_MS = 30_000

/** While closing: how soon a connection is ended after its last answer, which had promised to keep it open. */
const SWEEP_INTERVAL_MS = 20

export function createHttpServer(handler: RequestListener, closeTimeoutMs: number): HttpServer {
  let isClosing = false
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    },
    (request, response) => {
      if (isClosing) response.setHeader('Connection', 'close')
      handler(request, response)
    },
  )
  server.on('clientError', refuseUnreadable)

  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', (cause) => reject(cannotListen(port, host, cause)))
        server.listen(port, host, () => resolve(toListening(server.address() as AddressInfo)))
      }),
    async close() {
      if (!server.listening) return
      isClosing = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_INTERVAL_MS)
      const deadline = setTimeout(() => server.closeAllConnections(), closeTimeoutMs)
      await closed
      clearInterval(sweep)
      clearTimeout(deadline)
    },
  }
}

/** Answers what is not HTTP, or has headers beyond the limit, in the form of every other error. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
  const message =
    status === 431
      ? 'The headers are larger than this site takes; is the token the one it issued?'
      : 'This is not an HTTP request that can be read'
  const body = JSON.stringify({ message, details: 'uri=', code: 'invalid_parameter' })
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n` +
      'Content-Type: application/json; charset=utf-8\r\nAccess-Control-Allow-Origin: *\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

function cannotListen(port: number, host: string, cause: Error): FogbowError {
  const code = 'code' in cause ? cause.code : undefined
  const reason =
    code === 'EADDRINUSE'
      ? 'another program listens there; set PORT or `http.port` to a free one'
      : code === 'EACCES'
        ? 'this user may not; take a port above 1023'
        : cause.message
  return new FogbowError('configuration_error', `Cannot listen at ${host}:${port}: ${reason}`, {
    cause,
  })
}

function toListening({ port, address, family }: AddressInfo): Listening {
  const isEverywhere = address === '0.0.0.0' || address === '::'
  const host = isEverywhere ? 'localhost' : family === 'IPv6' ? `[${address}]` : address
  return { port, url: `http://${host}:${port}` }
}
