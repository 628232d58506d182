export type HeadersInit = Headers | Record<string, string> | Iterable<readonly [string, string]>

const nameForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** What a field value must not contain: line breaks and what is not a byte (RFC 9110, section 5.5; WHATWG Fetch). */
const badValue = /[\0\r\n]|[^\0-\xff]/

/** Header fields by name, whatever its case (WHATWG Fetch, section 2.2.2). */
export class Headers {
  #fields = new Map<string, string[]>()
  #frozen = false

  constructor(init?: HeadersInit) {
    if (init === undefined || init === null) return
    if (typeof init !== 'object')
      throw new TypeError('Headers must be an object or a list of pairs')
    const pairs = Symbol.iterator in init ? init : Object.entries(init)
    for (const given of pairs) {
      const pair = [...given]
      if (pair.length !== 2) throw new TypeError('Each header must be a pair of name and value')
      this.append(pair[0] as string, pair[1] as string)
    }
  }

  append(name: string, value: string): void {
    const key = toName(name)
    const text = toValue(value)
    this.#refuseFrozen()
    const values = this.#fields.get(key)
    if (values) values.push(text)
    else this.#fields.set(key, [text])
  }

  set(name: string, value: string): void {
    const key = toName(name)
    const text = toValue(value)
    this.#refuseFrozen()
    this.#fields.set(key, [text])
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
    const key = toName(name)
    this.#refuseFrozen()
    this.#fields.delete(key)
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

  #refuseFrozen(): void {
    if (this.#frozen) throw new TypeError('These headers cannot be changed')
  }

  /** The guard `immutable`, which what came from elsewhere has; plugins see a class without it. */
  static freeze(headers: Headers): Headers {
    headers.#frozen = true
    return headers
  }
}

export const { freeze: freezeHeaders } = Headers
Reflect.deleteProperty(Headers, 'freeze')

function toName(name: unknown): string {
  const text = String(name)
  if (!nameForm.test(text)) throw new TypeError(`'${text.slice(0, 64)}' is not a header name`)
  return text.toLowerCase()
}

function toValue(value: unknown): string {
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '')
  if (badValue.test(text)) throw new TypeError('A header value must be one line of bytes')
  return text
}
