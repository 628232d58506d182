import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { FogbowError, invalid } from '@fogbow/plugin-sdk'
import type { Dialer } from './dial.ts'
import type { FetchRequest } from './fetch-request.ts'
import type { Target } from './network-pattern.ts'
import type { NetworkLimits } from './network-settings.ts'

/** HTTP/1.1 exchanges of one plugin, over connections that no other one shares. */
export interface Exchanges {
  /**
   * Sends a request; resolves with the headers of the answer. Aborting the signal ends the exchange at any time.
   * @throws what the dialer throws; unavailable_provider, timeout, payload_too_large
   */
  begin(
    asked: FetchRequest,
    upload: AsyncIterable<Uint8Array> | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage>
  close(): void
}

/** What of a request's options is handed on to the opening of its connection. */
type Settings = { target: Target; dialSignal: AbortSignal }

export function createExchanges(dialer: Dialer, limits: NetworkLimits): Exchanges {
  const agent = new CheckedAgent(dialer, limits)
  return {
    begin: (asked, upload, signal) => {
      dialer.permit(asked.target)
      return send(agent, limits, asked, upload, signal)
    },
    close: () => agent.destroy(),
  }
}

/** Keeps connections by scheme, host and port, and opens each through the dialer. */
class CheckedAgent extends Agent {
  readonly #dialer: Dialer

  constructor(dialer: Dialer, { keepAliveMs }: NetworkLimits) {
    super({ keepAlive: true, timeout: keepAliveMs, maxFreeSockets: 8, scheduling: 'lifo' })
    this.#dialer = dialer
  }

  override getName(options: unknown): string {
    const { scheme, host, port } = (options as Settings).target
    return `${scheme}://${host}:${port}`
  }

  override createConnection(
    options: unknown,
    callback: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const { target, dialSignal } = options as Settings
    this.#dialer.connect(target, dialSignal).then(
      (socket) => callback(null, socket),
      (error) => callback(error, undefined as never),
    )
  }
}

async function send(
  agent: CheckedAgent,
  limits: NetworkLimits,
  asked: FetchRequest,
  upload: AsyncIterable<Uint8Array> | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const sending = open(agent, limits, asked, signal)
  const answer = headersOf(sending, asked, limits, signal)
  if (upload) {
    // An answer may come before the upload has ended; what becomes of the upload then shows in the exchange.
    void pour(upload, sending, asked, limits).catch((error) => sending.destroy(error))
  } else sending.end(asked.body)
  try {
    return await answer
  } catch (cause) {
    sending.destroy()
    if (signal.aborted) throw signal.reason
    if (wasStale(sending, asked, cause)) return send(agent, limits, asked, upload, signal)
    throw describe(asked, cause, limits)
  }
}

function open(
  agent: CheckedAgent,
  limits: NetworkLimits,
  asked: FetchRequest,
  signal: AbortSignal,
): ClientRequest {
  const options = {
    agent,
    target: asked.target,
    dialSignal: signal,
    signal,
    method: asked.method,
    path: asked.path,
    setHost: false,
    maxHeaderSize: limits.headerBytes,
    insecureHTTPParser: false,
  }
  const sending = request(options)
  sending.on('error', () => {})
  sending.setHeader('host', asked.authority)
  sending.setHeader('accept-encoding', 'identity')
  for (const [name, value] of asked.headers) sending.appendHeader(name, value)
  const length = asked.body?.length ?? asked.bodyLength
  if (length !== undefined) sending.setHeader('content-length', length)
  else if (asked.bodyStream === undefined && asked.method !== 'GET' && asked.method !== 'HEAD')
    sending.setHeader('content-length', 0)
  return sending
}

function headersOf(
  sending: ClientRequest,
  asked: FetchRequest,
  { headersMs }: NetworkLimits,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { host, port } = asked.target
    const late = new FogbowError('timeout', `${host}:${port} did not answer within ${headersMs} ms`)
    const timer = setTimeout(() => sending.destroy(late), headersMs)
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
    sending.on('response', (answer) => {
      clearTimeout(timer)
      resolve(answer)
    })
    sending.on('upgrade', (_answer, socket) => {
      socket.destroy()
      reject(new FogbowError('unavailable_provider', `${host}:${port} changes the protocol`))
    })
    sending.on('error', reject)
    sending.on('close', () => {
      clearTimeout(timer)
      reject(new FogbowError('unavailable_provider', `${host}:${port} closed the connection`))
    })
  })
}

/** Writes an upload as fast as the server takes it. */
async function pour(
  upload: AsyncIterable<Uint8Array>,
  sending: ClientRequest,
  { bodyLength }: FetchRequest,
  limits: NetworkLimits,
): Promise<void> {
  const chunks = upload[Symbol.asyncIterator]()
  sending.once('close', () => void chunks.return?.().catch(() => {}))
  sending.on('response', (answer) =>
    answer.once('end', () => sending.writableFinished || sending.destroy()),
  )
  const most = Math.min(bodyLength ?? limits.uploadBytes, limits.uploadBytes)
  let bytes = 0
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    bytes += next.value.length
    if (bytes > most) {
      throw new FogbowError('payload_too_large', `The body is longer than ${most} bytes`)
    }
    if (sending.destroyed) return
    if (!sending.write(next.value)) await drained(sending, limits.idleMs)
  }
  if (bodyLength !== undefined && bytes < bodyLength)
    throw invalid('bodyStream', `ended after ${bytes} of ${bodyLength} bytes`)
  sending.end()
}

function drained(sending: ClientRequest, idleMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = new FogbowError('timeout', `The body was not taken for ${idleMs} ms`)
    const timer = setTimeout(() => finish(() => reject(late)), idleMs)
    const go = () => finish(resolve)
    const finish = (settle: () => void) => {
      clearTimeout(timer)
      sending.off('drain', go)
      sending.off('close', go)
      settle()
    }
    sending.on('drain', go)
    sending.on('close', go)
  })
}

/** A kept connection may end just when it is used again: then nobody has seen the request. */
function wasStale(sending: ClientRequest, { method }: FetchRequest, cause: unknown): boolean {
  const { code } = cause as NodeJS.ErrnoException
  return sending.reusedSocket && code === 'ECONNRESET' && (method === 'GET' || method === 'HEAD')
}

/** Names the host and never the path, the query or a header: secrets are there. */
function describe({ authority }: FetchRequest, cause: unknown, { headerBytes }: NetworkLimits) {
  if (cause instanceof FogbowError) return cause
  const { code, name } = cause as NodeJS.ErrnoException
  if (code === 'HPE_HEADER_OVERFLOW') {
    const problem = `The headers of the answer of ${authority} are longer than ${headerBytes} bytes`
    return new FogbowError('payload_too_large', problem, { cause })
  }
  return new FogbowError('unavailable_provider', `${authority} does not answer: ${code ?? name}`, {
    cause,
  })
}
