import type { IncomingMessage } from 'node:http'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { HostCall, HostMethod } from '@fogbow/sandbox'
import type { Dialer } from './dial.ts'
import { createExchanges } from './exchange.ts'
import { type FetchRequest, isOwnHeader, readFetchRequest } from './fetch-request.ts'
import type { NetworkLimits } from './network-settings.ts'
import { pull } from './pull.ts'
import { createSlots } from './slots.ts'

/** What a plugin is answered; its body is in `body`, base64, when it is short and there, and else in a stream. */
export type FetchAnswer = {
  status: number
  statusText: string
  headers: [string, string][]
} & ({ body: string } | { stream: number })

export interface FetchBroker {
  methods: Record<'fetch', HostMethod>
  close(): void
}

const LONGEST_INLINE = 65_536
/** Brotli and Zstandard are not among them: each of their streams may claim many MiB of this process. */
const decoders: Readonly<Record<string, () => NodeJS.ReadWriteStream & Readable>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
}

/**
 * `fetch`: one HTTP request to a host that the plugin asked for and the administrator granted. Redirects are answered,
 * not followed: the plugin decides, and its next request is checked like any other.
 */
export function fetchBroker(plugin: string, dialer: Dialer, limits: NetworkLimits): FetchBroker {
  const exchanges = createExchanges(dialer, limits)
  const what = `Requests of plugin '${plugin}'`
  const slots = createSlots(limits.parallelRequests, limits.waitingRequests, what)

  async function fetch(request: unknown, call: HostCall): Promise<FetchAnswer> {
    const asked = readFetchRequest(request, limits.headerBytes)
    dialer.permit(asked.target)
    const release = await slots.take(call.signal)
    const lifetime = createLifetime(asked.authority, limits.totalMs, call.signal, release)
    try {
      const { bodyStream } = asked
      const upload = bodyStream === undefined ? undefined : call.streams.take(bodyStream)
      const answer = await exchanges.begin(asked, upload, lifetime.signal)
      return await toAnswer(answer, asked, limits, call, lifetime)
    } catch (error) {
      lifetime.end(error)
      throw error
    }
  }

  return { methods: { fetch: ([request], call) => fetch(request, call) }, close: exchanges.close }
}

interface Lifetime {
  signal: AbortSignal
  /** @param error - absent when all went well, and the connection may be used again */
  end(error?: unknown): void
}

/** From a request's turn to the end of its answer's body. */
function createLifetime(
  host: string,
  totalMs: number,
  given: AbortSignal,
  release: () => void,
): Lifetime {
  const controller = new AbortController()
  const late = new FogbowError('timeout', `${host} took longer than ${totalMs} ms`)
  const timer = setTimeout(() => controller.abort(late), totalMs)
  const giveUp = () =>
    controller.abort(new FogbowError('unavailable_provider', `The request to ${host} was given up`))
  given.addEventListener('abort', giveUp)
  controller.signal.addEventListener('abort', release)
  return {
    signal: controller.signal,
    end(error) {
      clearTimeout(timer)
      given.removeEventListener('abort', giveUp)
      release()
      if (error !== undefined) controller.abort(error)
    },
  }
}

async function toAnswer(
  answer: IncomingMessage,
  { authority, method }: FetchRequest,
  limits: NetworkLimits,
  call: HostCall,
  lifetime: Lifetime,
): Promise<FetchAnswer> {
  const { body, headers } = decoded(answer, method, readHeaders(answer))
  const chunks = pull(body, {
    what: `The answer of ${authority}`,
    mostBytes: limits.answerBytes,
    idleMs: limits.idleMs,
    signal: lifetime.signal,
    onEnd() {
      body.destroy()
      answer.destroy()
      lifetime.end()
    },
  })
  const head = { status: answer.statusCode ?? 0, statusText: answer.statusMessage ?? '', headers }
  if (await isAtHand(answer, body)) {
    const all: Uint8Array[] = []
    for await (const chunk of chunks) all.push(chunk)
    return { ...head, body: Buffer.concat(all).toString('base64') }
  }
  call.signal.throwIfAborted()
  return { ...head, stream: call.streams.offer(chunks) }
}

/** Whether the body is short and here, or as good as. */
async function isAtHand(answer: IncomingMessage, body: Readable): Promise<boolean> {
  if (body !== answer) return false
  const length = Number(answer.headers['content-length'] ?? Number.NaN)
  if (length <= LONGEST_INLINE) return true
  // What came in one packet with the headers is parsed in this turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve))
  return answer.complete && answer.readableLength <= LONGEST_INLINE
}

function readHeaders({ rawHeaders }: IncomingMessage): [string, string][] {
  const headers: [string, string][] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    if (name === 'content-length' || !isOwnHeader(name))
      headers.push([name, rawHeaders[i + 1] ?? ''])
  }
  return headers
}

/**
 * A server that compresses without being asked to: what the plugin reads is what the limit counts. The headers say no
 * more what is not true any more.
 */
function decoded(answer: IncomingMessage, method: string, headers: [string, string][]) {
  const coding = answer.headers['content-encoding']?.trim().toLowerCase() ?? ''
  const create = Object.hasOwn(decoders, coding) ? decoders[coding] : undefined
  const empty = method === 'HEAD' || answer.statusCode === 204 || answer.statusCode === 304
  if (!create || empty) return { body: answer as Readable, headers }
  const decoder = create()
  pipeline(answer, decoder, () => {})
  const kept = headers.filter(([name]) => name !== 'content-encoding' && name !== 'content-length')
  return { body: decoder as Readable, headers: kept }
}
