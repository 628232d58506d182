import { AbortController, type AbortSignal } from './abort.ts'
import { type BodyClasses, ReadyContent } from './body.ts'
import type { Bridge } from './bridge.ts'
import { Headers, type HeadersInit } from './headers.ts'
import { isReadableStream } from './streams.ts'
import { invalidUrl } from './url.ts'

export interface RequestInit {
  method?: string
  headers?: HeadersInit
  body?: unknown
  signal?: AbortSignal | null
  redirect?: 'follow' | 'manual' | 'error'
  duplex?: 'half'
  keepalive?: boolean
}

export type RequestClass = ReturnType<typeof createRequest>

/** A request (WHATWG Fetch, section 5.4). What concerns browsers only is there as they have it by default. */
export function createRequest(bridge: Bridge, { Body, take, fork, readInit }: BodyClasses) {
  return class Request extends Body {
    readonly url: string
    readonly method: string
    readonly signal: AbortSignal
    readonly redirect: 'follow' | 'manual' | 'error'
    readonly keepalive: boolean
    readonly cache = 'default'
    readonly credentials = 'same-origin'
    readonly destination = ''
    readonly duplex = 'half'
    readonly integrity = ''
    readonly mode = 'cors'
    readonly referrer = 'about:client'
    readonly referrerPolicy = ''

    constructor(input: unknown, init: RequestInit = {}) {
      const source = input instanceof Request ? input : undefined
      const method = toMethod(init.method ?? source?.method ?? 'GET')
      const hasBody = init.body !== undefined && init.body !== null
      if (hasBody && (method === 'GET' || method === 'HEAD'))
        throw new TypeError(`${method} has no body`)
      const { content, type } = readInit(init.body)
      if (isReadableStream(content) && init.duplex !== 'half')
        throw new TypeError("A request whose body is a stream needs the option duplex: 'half'")
      const headers = new Headers(init.headers ?? source?.headers)
      if (type && !headers.has('content-type')) headers.set('content-type', type)
      super(init.body === undefined && source ? take(source) : content, headers)
      this.url = source ? source.url : toUrl(bridge, input)
      this.method = method
      this.signal = (init.signal === undefined ? source?.signal : init.signal) ?? unaborted()
      this.redirect = init.redirect ?? source?.redirect ?? 'follow'
      this.keepalive = init.keepalive ?? source?.keepalive ?? false
    }

    clone(): Request {
      const { url, method, headers, signal, redirect, keepalive } = this
      const content = fork(this)
      const body = content && new ReadyContent(content)
      return new Request(url, {
        method,
        headers,
        signal,
        redirect,
        keepalive,
        body,
        duplex: 'half',
      })
    }

    get [Symbol.toStringTag](): string {
      return 'Request'
    }
  }
}

function unaborted(): AbortSignal {
  return new AbortController().signal
}

function toUrl(bridge: Bridge, input: unknown): string {
  const text = String(input)
  const url = bridge.parseUrl(text, undefined)
  if (!url) throw invalidUrl(text)
  if (url.username || url.password)
    throw new TypeError('The URL of a request must not contain a user or password')
  return url.href
}

function toMethod(method: string): string {
  const text = String(method)
  if (!/^[A-Za-z-]{1,32}$/.test(text)) throw new TypeError('The method is not one of HTTP')
  const upper = text.toUpperCase()
  if (upper === 'CONNECT' || upper === 'TRACE' || upper === 'TRACK')
    throw new TypeError(`${upper} is not allowed`)
  return upper
}
