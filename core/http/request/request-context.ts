import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { invalid } from '@fogbow/plugin-sdk'
import type { RequestContext } from '../../operations/index.ts'

const saneRequestId = /^[\w.:+=/-]{1,128}$/
const printable = /^[\x20-\x7e]{1,255}$/

/** The client's own request id when it can stand in a log line, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && saneRequestId.test(given) ? given : randomUUID()
}

/** @throws invalid_parameter for an `Idempotency-Key` that no store could hold */
export function createRequestContext(
  request: IncomingMessage,
  known: { requestId: string; requester: string; remoteAddress: string },
): RequestContext {
  const { 'fogbow-user-token': tokenValue, 'idempotency-key': idempotencyKey } = request.headers
  const context: RequestContext = { ...known, signal: goneSignalOf(request.socket) }
  if (typeof tokenValue === 'string' && tokenValue !== '') context.tokenValue = tokenValue
  if (typeof idempotencyKey === 'string') {
    if (!printable.test(idempotencyKey)) {
      throw invalid('Idempotency-Key', 'must be 1 to 255 printable ASCII characters')
    }
    context.idempotencyKey = idempotencyKey
  }
  return context
}

const goneSignals = new WeakMap<Socket, AbortSignal>()

/**
 * Aborts when the client goes away. One per connection, because one per request would cost more than the rest of the
 * edge: with HTTP/1.1 a client can only go away together with its connection.
 */
function goneSignalOf(socket: Socket): AbortSignal {
  let signal = goneSignals.get(socket)
  if (!signal) {
    const controller = new AbortController()
    signal = controller.signal
    setMaxListeners(0, signal)
    goneSignals.set(socket, signal)
    socket.once('close', () => controller.abort())
  }
  return signal
}
