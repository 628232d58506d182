import type { UrlParts } from '../platform.ts'
import type { Bridge } from './bridge.ts'
import { createSearchParams } from './url-search-params.ts'

/** `URL` and `URLSearchParams` (WHATWG URL, section 6) around the parser of the platform, of which only texts come in. */
export function createUrl(bridge: Bridge) {
  const URLSearchParams = createSearchParams(bridge)
  const { link, reset } = URLSearchParams
  Reflect.deleteProperty(URLSearchParams, 'link')
  Reflect.deleteProperty(URLSearchParams, 'reset')

  class URL {
    #parts: UrlParts
    #params: InstanceType<typeof URLSearchParams> | undefined

    constructor(url: unknown, base?: unknown) {
      const parts = bridge.parseUrl(String(url), base === undefined ? undefined : String(base))
      if (!parts) throw invalidUrl(url)
      this.#parts = parts
    }

    get href(): string {
      return this.#parts.href
    }

    set href(url: unknown) {
      const parts = bridge.parseUrl(String(url), undefined)
      if (!parts) throw invalidUrl(url)
      this.#parts = parts
      this.#updateParams()
    }

    get origin(): string {
      return this.#parts.origin
    }

    get protocol(): string {
      return this.#parts.protocol
    }

    set protocol(value: unknown) {
      this.#change('protocol', value)
    }

    get username(): string {
      return this.#parts.username
    }

    set username(value: unknown) {
      this.#change('username', value)
    }

    get password(): string {
      return this.#parts.password
    }

    set password(value: unknown) {
      this.#change('password', value)
    }

    get host(): string {
      return this.#parts.host
    }

    set host(value: unknown) {
      this.#change('host', value)
    }

    get hostname(): string {
      return this.#parts.hostname
    }

    set hostname(value: unknown) {
      this.#change('hostname', value)
    }

    get port(): string {
      return this.#parts.port
    }

    set port(value: unknown) {
      this.#change('port', value)
    }

    get pathname(): string {
      return this.#parts.pathname
    }

    set pathname(value: unknown) {
      this.#change('pathname', value)
    }

    get search(): string {
      return this.#parts.search
    }

    set search(value: unknown) {
      this.#change('search', value)
      this.#updateParams()
    }

    get hash(): string {
      return this.#parts.hash
    }

    set hash(value: unknown) {
      this.#change('hash', value)
    }

    get searchParams(): InstanceType<typeof URLSearchParams> {
      if (!this.#params) {
        const params = new URLSearchParams(this.#parts.search)
        link(params, () => this.#change('search', params.toString()))
        this.#params = params
      }
      return this.#params
    }

    toString(): string {
      return this.#parts.href
    }

    toJSON(): string {
      return this.#parts.href
    }

    get [Symbol.toStringTag](): string {
      return 'URL'
    }

    #change(part: keyof UrlParts, value: unknown): void {
      this.#parts = bridge.changeUrl(this.#parts.href, part, String(value)) ?? this.#parts
    }

    #updateParams(): void {
      if (this.#params) reset(this.#params, this.#parts.search)
    }

    static canParse(url: unknown, base?: unknown): boolean {
      return URL.parse(url, base) !== null
    }

    static parse(url: unknown, base?: unknown): URL | null {
      try {
        return new URL(url, base)
      } catch {
        return null
      }
    }
  }

  return { URL, URLSearchParams }
}

export function invalidUrl(url: unknown): TypeError {
  const input = String(url).slice(0, 256)
  return Object.assign(new TypeError(`Invalid URL: ${input}`), { code: 'ERR_INVALID_URL', input })
}
