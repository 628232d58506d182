import { type BodyClasses, type Content, ReadyContent } from './body.ts'
import type { Bridge } from './bridge.ts'
import { freezeHeaders, Headers, type HeadersInit } from './headers.ts'
import { invalidUrl } from './url.ts'

export interface ResponseInit {
  status?: number
  statusText?: string
  headers?: HeadersInit
}

/** Where an answer came from. */
export interface Origin {
  type: 'default' | 'basic' | 'error'
  url: string
  redirected: boolean
}

const ownAnswer: Origin = { type: 'default', url: '', redirected: false }
const bodiless: ReadonlySet<number> = new Set([204, 205, 304])
const redirections: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** An answer (WHATWG Fetch, section 5.5). */
export function createResponse(bridge: Bridge, { Body, fork, readInit }: BodyClasses) {
  class Response extends Body {
    readonly statusText: string
    #status: number
    #origin = ownAnswer

    constructor(body?: unknown, init: ResponseInit = {}) {
      const { content, type } = readInit(body)
      const status = Number(init?.status ?? 200)
      if (!(Number.isInteger(status) && status >= 200 && status <= 599))
        throw new RangeError('The status must be 200 to 599')
      if (content !== null && bodiless.has(status))
        throw new TypeError(`An answer with status ${status} has no body`)
      const headers = new Headers(init?.headers)
      if (type && !headers.has('content-type')) headers.set('content-type', type)
      super(content, headers)
      this.#status = status
      this.statusText = toReason(init?.statusText)
    }

    get status(): number {
      return this.#status
    }

    get ok(): boolean {
      return this.#status >= 200 && this.#status <= 299
    }

    get type(): string {
      return this.#origin.type
    }

    get url(): string {
      return this.#origin.url
    }

    get redirected(): boolean {
      return this.#origin.redirected
    }

    clone(): Response {
      const { status, statusText, headers } = this
      return make(fork(this), { status, statusText, headers }, this.#origin)
    }

    get [Symbol.toStringTag](): string {
      return 'Response'
    }

    static json(value: unknown, init: ResponseInit = {}): Response {
      const text = JSON.stringify(value)
      if (text === undefined) throw new TypeError('The value is nothing that JSON can express')
      const headers = new Headers(init.headers)
      if (!headers.has('content-type')) headers.set('content-type', 'application/json')
      const { status = 200, statusText = '' } = init
      return new Response(text, { status, statusText, headers })
    }

    static error(): Response {
      return make(null, { status: 0 }, { ...ownAnswer, type: 'error' })
    }

    static redirect(url: unknown, status = 302): Response {
      const location = bridge.parseUrl(String(url), undefined)?.href
      if (!location) throw invalidUrl(url)
      if (!redirections.has(status)) throw new RangeError(`${status} does not redirect`)
      const response = new Response(null, { status, headers: { location } })
      freezeHeaders(response.headers)
      return response
    }

    /** For answers of the host and copies; plugins see a class without it. */
    static make(content: Content, init: ResponseInit, origin: Origin): Response {
      const response = new Response(new ReadyContent(content), { ...init, status: 200 })
      response.#status = init.status ?? 200
      response.#origin = origin
      if (origin.type !== 'default') freezeHeaders(response.headers)
      return response
    }
  }

  const { make } = Response
  Reflect.deleteProperty(Response, 'make')
  return { Response, make }
}

function toReason(text: unknown): string {
  const reason = String(text ?? '')
  if (/[^\t\x20-\x7e\x80-\xff]/.test(reason))
    throw new TypeError('The status text must be one line')
  return reason
}
