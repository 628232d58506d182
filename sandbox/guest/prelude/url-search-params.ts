import type { Bridge } from './bridge.ts'

type Pair = [name: string, value: string]
export type URLSearchParamsInit = string | Iterable<readonly string[]> | Record<string, string>

/** Fields of a query (WHATWG URL, section 6.2), in the form `application/x-www-form-urlencoded`. */
export function createSearchParams(bridge: Bridge) {
  return class URLSearchParams {
    #pairs: Pair[] = []
    #onChange: (() => void) | undefined

    constructor(init: URLSearchParamsInit = '') {
      if (typeof init === 'object' && init !== null) this.#pairs = toPairs(init)
      else this.#pairs = parseForm(bridge, String(init).replace(/^\?/, ''))
    }

    get size(): number {
      return this.#pairs.length
    }

    append(name: string, value: string): void {
      this.#pairs.push([toText(name), toText(value)])
      this.#onChange?.()
    }

    delete(name: string, value?: string): void {
      this.#pairs = this.#pairs.filter((pair) => !isOne(pair, name, value))
      this.#onChange?.()
    }

    get(name: string): string | null {
      return this.#pairs.find((pair) => isOne(pair, name))?.[1] ?? null
    }

    getAll(name: string): string[] {
      return this.#pairs.filter((pair) => isOne(pair, name)).map(([, value]) => value)
    }

    has(name: string, value?: string): boolean {
      return this.#pairs.some((pair) => isOne(pair, name, value))
    }

    set(name: string, value: string): void {
      const first = this.#pairs.find((pair) => isOne(pair, name))
      if (first) first[1] = toText(value)
      else this.#pairs.push([toText(name), toText(value)])
      this.#pairs = this.#pairs.filter((pair) => pair === first || !first || !isOne(pair, name))
      this.#onChange?.()
    }

    sort(): void {
      this.#pairs = this.#pairs.toSorted(([one], [other]) =>
        one < other ? -1 : Number(one > other),
      )
      this.#onChange?.()
    }

    forEach(visit: (value: string, name: string, self: unknown) => void, self?: unknown): void {
      for (const [name, value] of this) visit.call(self, value, name, this)
    }

    *entries(): IterableIterator<Pair> {
      for (let at = 0; at < this.#pairs.length; at++) yield [...(this.#pairs[at] as Pair)]
    }

    *keys(): IterableIterator<string> {
      for (const [name] of this.entries()) yield name
    }

    *values(): IterableIterator<string> {
      for (const [, value] of this.entries()) yield value
    }

    [Symbol.iterator](): IterableIterator<Pair> {
      return this.entries()
    }

    get [Symbol.toStringTag](): string {
      return 'URLSearchParams'
    }

    toString(): string {
      return this.#pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
    }

    /** For the URL whose query they are; plugins see a class without it. */
    static link(params: URLSearchParams, onChange: () => void): void {
      params.#onChange = onChange
    }

    /** Takes the fields of a query without telling the URL, which knows it. */
    static reset(params: URLSearchParams, query: string): void {
      params.#pairs = parseForm(bridge, query.replace(/^\?/, ''))
    }
  }
}

function isOne([name, value]: Pair, wanted: string, wantedValue?: string): boolean {
  return name === String(wanted) && (wantedValue === undefined || value === String(wantedValue))
}

function toPairs(init: Iterable<readonly string[]> | Record<string, string>): Pair[] {
  const pairs = Symbol.iterator in init ? [...init] : Object.entries(init)
  return pairs.map((pair) => {
    const [name, value, ...more] = pair
    if (value === undefined || name === undefined || more.length > 0)
      throw new TypeError('Each field of a query must be a pair of name and value')
    return [toText(name), toText(value)]
  })
}

function toText(value: unknown): string {
  return String(value).toWellFormed()
}

export function parseForm(bridge: Bridge, query: string): Pair[] {
  const parts = query.split('&').filter((part) => part !== '')
  return parts.map((part) => {
    const at = part.indexOf('=')
    return at === -1
      ? [decode(bridge, part), '']
      : [decode(bridge, part.slice(0, at)), decode(bridge, part.slice(at + 1))]
  })
}

function decode(bridge: Bridge, text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  return spaced.includes('%') ? spaced.replace(/(?:%[0-9A-Fa-f]{2})+/g, decodeRun) : spaced

  function decodeRun(run: string): string {
    const bytes = Uint8Array.from(run.slice(1).split('%'), (pair) => Number.parseInt(pair, 16))
    return bridge.createDecoder('utf-8', false, true)?.decode(bytes, false) ?? ''
  }
}

/** What stays as it is besides letters and digits. */
const plain = /[^A-Za-z0-9*\-._]/

function encode(text: string): string {
  if (!plain.test(text)) return text
  return encodeURIComponent(text).replace(/%20|[!'()~]/g, (found) =>
    found === '%20' ? '+' : `%${found.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
