import { AbortController, type AbortSignal } from './abort.ts'
import { type BodyInit, createBodyClass, readBodyInit } from './body.ts'
import type { Bridge } from './bridge.ts'
import { Headers, type HeadersInit } from './headers.ts'

interface RequestInit {
  method?: string
  headers?: HeadersInit
  body?: BodyInit
  signal?: AbortSignal | null
  redirect?: 'follow' | 'manual' | 'error'
}

interface ResponseInit {
  status?: number
  statusText?: string
  headers?: HeadersInit
}

/** Form of the host's answer; binary content travels as base64. */
interface HostResponse {
  status: number
  statusText: string
  headers: [string, string][]
  body: string
}

const MOST_REDIRECTS = 10
const redirectStatus = new Set([301, 302, 303, 307, 308])

/** `fetch` and its classes (WHATWG Fetch): each request is one call of the host, which decides what may be reached. */
export function createFetch(bridge: Bridge) {
  const Body = createBodyClass(bridge)

  class Request extends Body {
    readonly url: string
    readonly method: string
    readonly headers: Headers
    readonly signal: AbortSignal
    readonly redirect: string

    constructor(input: unknown, init: RequestInit = {}) {
      const source = input instanceof Request ? input : undefined
      const content = readBodyInit(bridge, init.body)
      const bytes = init.body === undefined && source ? Body.peek(source) : content.bytes
      const method = toMethod(init.method ?? source?.method ?? 'GET')
      if (bytes && (method === 'GET' || method === 'HEAD'))
        throw new TypeError(`${method} has no body`)
      super(bytes)
      this.url = source ? source.url : bridge.parseUrl(String(input))
      this.method = method
      this.headers = new Headers(init.headers ?? source?.headers)
      this.signal = init.signal ?? source?.signal ?? new AbortController().signal
      this.redirect = init.redirect ?? source?.redirect ?? 'follow'
      if (content.type && !this.headers.has('content-type'))
        this.headers.set('content-type', content.type)
    }

    clone(): Request {
      return new Request(this)
    }
  }

  class Response extends Body {
    readonly status: number
    readonly statusText: string
    readonly headers: Headers
    readonly type: string = 'default'
    #url = ''
    #redirected = false

    constructor(body?: BodyInit, init: ResponseInit = {}) {
      const content = readBodyInit(bridge, body)
      super(content.bytes)
      this.status = init.status ?? 200
      if (!(this.status >= 200 && this.status <= 599))
        throw new RangeError('The status must be 200 to 599')
      this.statusText = String(init.statusText ?? '')
      this.headers = new Headers(init.headers)
      if (content.type && !this.headers.has('content-type'))
        this.headers.set('content-type', content.type)
    }

    get ok(): boolean {
      return this.status >= 200 && this.status <= 299
    }

    get url(): string {
      return this.#url
    }

    get redirected(): boolean {
      return this.#redirected
    }

    clone(): Response {
      const copy = new Response(Body.peek(this), this)
      copy.#url = this.#url
      copy.#redirected = this.#redirected
      return copy
    }

    static json(value: unknown, init: ResponseInit = {}): Response {
      const headers = new Headers(init.headers)
      if (!headers.has('content-type')) headers.set('content-type', 'application/json')
      return new Response(JSON.stringify(value), { ...init, headers })
    }

    static fromHost(answer: HostResponse, url: string, redirected: boolean): Response {
      const empty = answer.status === 204 || answer.status === 304
      const response = new Response(empty ? null : bridge.fromBase64(answer.body), answer)
      response.#url = url
      response.#redirected = redirected
      return response
    }
  }

  const { fromHost } = Response
  Reflect.deleteProperty(Response, 'fromHost')

  async function send(
    request: Request,
    url: string,
    method: string,
    bytes: Uint8Array | null,
  ): Promise<HostResponse> {
    request.signal.throwIfAborted()
    const call = bridge.callHost('fetch', [
      {
        url,
        method,
        headers: [...request.headers],
        ...(bytes && { body: bridge.toBase64(bytes) }),
      },
    ])
    const aborted = new Promise<never>((_resolve, reject) => {
      request.signal.addEventListener('abort', () => {
        reject(request.signal.reason)
        call.cancel()
      })
    })
    return (await Promise.race([call.answer, aborted])) as HostResponse
  }

  async function fetch(input: unknown, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init)
    let bytes = Body.peek(request)
    let { url, method } = request
    for (let redirects = 0; ; redirects++) {
      const answer = await send(request, url, method, bytes)
      const location =
        redirectStatus.has(answer.status) && request.redirect !== 'manual' && locationOf(answer)
      if (!location) return fromHost(answer, url, redirects > 0)
      if (request.redirect === 'error')
        throw new TypeError(`${url} redirects, which the caller forbids`)
      if (redirects === MOST_REDIRECTS) throw new TypeError(`${request.url} redirects too often`)
      const next = bridge.parseUrl(location, url)
      if (originOf(next) !== originOf(url)) request.headers.delete('authorization')
      if (answer.status === 303 || (answer.status < 303 && method === 'POST')) {
        method = method === 'HEAD' ? method : 'GET'
        bytes = null
        request.headers.delete('content-type')
      }
      url = next
    }
  }

  return { fetch, Request, Response, Headers }
}

function locationOf(answer: HostResponse): string | undefined {
  return answer.headers.find(([name]) => name.toLowerCase() === 'location')?.[1]
}

function originOf(url: string): string {
  return /^[a-z]+:\/\/[^/?#]*/i.exec(url)?.[0] ?? ''
}

function toMethod(method: string): string {
  const text = String(method)
  if (!/^[A-Za-z-]{1,32}$/.test(text)) throw new TypeError('The method is not one of HTTP')
  const upper = text.toUpperCase()
  if (upper === 'CONNECT' || upper === 'TRACE' || upper === 'TRACK')
    throw new TypeError(`${upper} is not allowed`)
  return upper
}
