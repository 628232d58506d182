export type HeadersInit = Headers | Record<string, string> | Iterable<readonly [string, string]>

const nameForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** What a field value must not contain (RFC 9110, section 5.5). */
const badValue = /[\0\r\n]/

/** Header fields by name, whatever its case (WHATWG Fetch, section 2.2.2). */
export class Headers {
  #fields = new Map<string, string[]>()

  constructor(init?: HeadersInit) {
    if (init === undefined || init === null) return
    const pairs = Symbol.iterator in init ? init : Object.entries(init)
    for (const [name, value] of pairs) this.append(name, value)
  }

  append(name: string, value: string): void {
    const key = toName(name)
    const values = this.#fields.get(key) ?? []
    values.push(toValue(value))
    this.#fields.set(key, values)
  }

  set(name: string, value: string): void {
    this.#fields.set(toName(name), [toValue(value)])
  }

  get(name: string): string | null {
    return this.#fields.get(toName(name))?.join(', ') ?? null
  }

  getSetCookie(): string[] {
    return [...(this.#fields.get('set-cookie') ?? [])]
  }

  has(name: string): boolean {
    return this.#fields.has(toName(name))
  }

  delete(name: string): void {
    this.#fields.delete(toName(name))
  }

  forEach(visit: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const [name, value] of this) visit.call(self, value, name, this)
  }

  *entries(): IterableIterator<[string, string]> {
    for (const name of [...this.#fields.keys()].sort()) {
      const values = this.#fields.get(name) ?? []
      if (name === 'set-cookie') for (const value of values) yield [name, value]
      else yield [name, values.join(', ')]
    }
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.entries()) yield name
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this.entries()) yield value
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries()
  }

  get [Symbol.toStringTag](): string {
    return 'Headers'
  }
}

function toName(name: unknown): string {
  const text = String(name)
  if (!nameForm.test(text)) throw new TypeError(`'${text.slice(0, 64)}' is not a header name`)
  return text.toLowerCase()
}

function toValue(value: unknown): string {
  const text = String(value).trim()
  if (badValue.test(text)) throw new TypeError('A header value must be one line')
  return text
}
