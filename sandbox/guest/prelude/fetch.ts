import type { AbortSignal } from './abort.ts'
import { type Content, toSource } from './body.ts'
import type { Bridge } from './bridge.ts'
import { abortable } from './byte-source.ts'
import { Headers } from './headers.ts'
import { hostSource, tell } from './host-bytes.ts'
import type { RequestInit } from './request.ts'
import { startUpload, type Upload } from './upload.ts'
import type { Web } from './web.ts'

/** What one call of the host is about. */
interface Exchange {
  url: string
  method: string
  headers: Headers
  content: Content
}

/** Form of the host's answer: the whole body as base64, or the number of a stream. */
interface HostResponse {
  status: number
  statusText: string
  headers: [string, string][]
  body?: string
  stream?: number
}

const MOST_REDIRECTS = 10
/** Longer bodies are streamed, bytes. */
const LONGEST_INLINE = 1_048_576
const redirections: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const bodiless: ReadonlySet<number> = new Set([204, 205, 304])
const bodyHeaders = ['content-encoding', 'content-language', 'content-location', 'content-type']
const originHeaders = ['authorization', 'cookie', 'proxy-authorization']

/** `fetch` (WHATWG Fetch): each request is one call of the host, which decides what may be reached. */
export function createFetch(bridge: Bridge, { classes, takeBody, makeResponse }: Web) {
  const fetch = async (input: unknown, init?: RequestInit) => {
    const request = new classes.Request(input, init)
    const { url, method, signal, redirect } = request
    const headers = new Headers(request.headers)
    let exchange: Exchange = { url, method, headers, content: takeBody(request) }
    for (let redirects = 0; ; redirects++) {
      const answer = await send(bridge, exchange, signal)
      const location = redirect === 'manual' ? undefined : locationOf(answer)
      if (location === undefined) {
        const body = bodyOf(bridge, exchange.method, answer, signal)
        const origin = { type: 'basic' as const, redirected: redirects > 0 }
        return makeResponse(body, answer, { ...origin, url: withoutFragment(exchange.url) })
      }
      discard(bridge, answer)
      if (redirect === 'error') throw new TypeError(`${url} redirects, which the caller forbids`)
      if (redirects === MOST_REDIRECTS) throw new TypeError(`${url} redirects too often`)
      exchange = follow(bridge, exchange, answer.status, location)
    }
  }
  return fetch
}

async function send(bridge: Bridge, exchange: Exchange, signal: AbortSignal) {
  signal.throwIfAborted()
  const { content, method } = exchange
  const inline = content instanceof Uint8Array && content.byteLength <= LONGEST_INLINE
  const upload = content && !inline ? await startUpload(bridge, toSource(content)) : undefined
  const message = { url: withoutFragment(exchange.url), method, headers: [...exchange.headers] }
  const body = inline ? { body: bridge.toBase64(content) } : toUploadFields(content, upload)
  const call = bridge.callHost('fetch', [{ ...message, ...body }])
  let giveUp: () => void = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(signal.reason)
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp)
  })
  try {
    const ends = upload ? [aborted, upload.failed] : [aborted]
    return (await Promise.race([call.answer, ...ends])) as HostResponse
  } catch (error) {
    call.cancel((late) => discard(bridge, late as HostResponse))
    upload?.stop(error)
    throw error
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

function toUploadFields(content: Content, upload: Upload | undefined) {
  if (!upload) return {}
  const { id: bodyStream } = upload
  return content instanceof Uint8Array
    ? { bodyStream, bodyLength: content.byteLength }
    : { bodyStream }
}

function bodyOf(
  bridge: Bridge,
  method: string,
  answer: HostResponse,
  signal: AbortSignal,
): Content {
  if (method === 'HEAD' || bodiless.has(answer.status)) {
    discard(bridge, answer)
    return null
  }
  if (answer.stream === undefined) return bridge.fromBase64(answer.body ?? '') ?? null
  return abortable(hostSource(bridge, answer.stream), signal)
}

function discard(bridge: Bridge, answer: HostResponse | undefined): void {
  if (answer?.stream !== undefined) tell(bridge, 'stream.cancel', answer.stream)
}

/** The request that a redirect asks for (WHATWG Fetch, section 4.4: HTTP-redirect fetch). */
function follow(bridge: Bridge, exchange: Exchange, status: number, location: string): Exchange {
  const from = bridge.parseUrl(exchange.url, undefined)
  const to = bridge.parseUrl(location, exchange.url)
  if (!to) throw new TypeError(`${exchange.url} redirects to what is no URL`)
  const { headers } = exchange
  if (to.origin !== from?.origin) remove(headers, originHeaders)
  if (dropsBody(status, exchange.method)) {
    remove(headers, bodyHeaders)
    return { url: to.href, method: 'GET', headers, content: null }
  }
  const { content } = exchange
  if (content !== null && !(content instanceof Uint8Array))
    throw new TypeError(`${exchange.url} redirects a stream, which cannot be sent again`)
  return { ...exchange, url: to.href }
}

function dropsBody(status: number, method: string): boolean {
  if (status === 303) return method !== 'GET' && method !== 'HEAD'
  return status <= 302 && method === 'POST'
}

function remove(headers: Headers, names: readonly string[]): void {
  for (const name of names) headers.delete(name)
}

function locationOf({ status, headers }: HostResponse): string | undefined {
  if (!redirections.has(status)) return undefined
  return headers.find(([name]) => name.toLowerCase() === 'location')?.[1]
}

function withoutFragment(url: string): string {
  const at = url.indexOf('#')
  return at === -1 ? url : url.slice(0, at)
}
