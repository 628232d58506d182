/** Longest text that a built-in may make or work through at once, characters: it cannot be interrupted meanwhile. */
const LONGEST = 2 ** 24

/** Length of a pattern that any text may be searched for. */
const SHORT = 256
/** Comparisons of characters that take about as long as making one. */
const COMPARISONS = 64
/** Longest text that becomes a regular expression. */
const LONGEST_PATTERN = 2 ** 16

const { apply } = Reflect

type Method = (this: unknown, ...args: unknown[]) => unknown

/** Length of what a method would make or read, computed before it is called. */
type Measure = (text: string, args: unknown[]) => number

/** To be called before lockdown, which then freezes what stands here. */
export function vetStrings(): void {
  for (const [name, measure] of Object.entries(measures)) {
    const native = (String.prototype as unknown as Record<string, Method>)[name]
    if (!native) continue
    const isShort = shortForms.get(measure) ?? never
    const vetted = {
      [name](this: unknown, ...args: unknown[]): unknown {
        if (this === undefined || this === null || isShort(this, args[0])) {
          return apply(native, this, args)
        }
        const text = String(this)
        const plain = args.map((arg, at) =>
          at < (textsOf[name] ?? args.length) ? toPlain(arg) : arg,
        )
        if (measure(text, plain) > LONGEST) {
          throw new RangeError(`${name}: texts beyond ${LONGEST} characters are not allowed here`)
        }
        return apply(native, text, plain)
      },
    }[name] as Method
    Object.defineProperty(vetted, 'length', { value: native.length, configurable: true })
    Object.defineProperty(String.prototype, name, {
      value: vetted,
      writable: true,
      enumerable: false,
      configurable: true,
    })
  }
  vetRaw()
}

/** How many of the arguments are texts, where others follow that are none: locales and their options. */
const textsOf: Record<string, number> = {
  localeCompare: 1,
  toLocaleLowerCase: 0,
  toLocaleUpperCase: 0,
}

/** What was measured must be what is used: objects that turn into texts are turned once. */
function toPlain(arg: unknown): unknown {
  if (typeof arg !== 'object' || arg === null) return arg
  return Symbol.replace in arg || Symbol.split in arg || Symbol.match in arg ? arg : String(arg)
}

const ownLength: Measure = (text) => text.length
const searched: Measure = (text, [pattern]) => searchCost(text, pattern)
const padded: Measure = (text, [length]) => Math.max(text.length, Number(length) || 0)

const measures: Record<string, Measure> = {
  concat: (text, parts) =>
    parts.reduce<number>((sum, part) => sum + String(part).length, text.length),
  includes: searched,
  indexOf: searched,
  lastIndexOf: searched,
  localeCompare: (text, [other]) => text.length + String(other).length,
  match: (text, [pattern]) => text.length * patternCost(pattern),
  matchAll: (text, [pattern]) => text.length * patternCost(pattern),
  normalize: ownLength,
  padEnd: padded,
  padStart: padded,
  replace: (text, [pattern]) => (typeof pattern === 'string' ? searchCost(text, pattern) : 0),
  repeat: (text, [count]) => text.length * (Number(count) || 0),
  replaceAll: (text, [pattern, by]) => {
    if (typeof pattern !== 'string' || typeof by === 'function') return text.length
    const places = pattern === '' ? text.length + 1 : Math.floor(text.length / pattern.length)
    if (text.length > LONGEST) return text.length
    return Math.max(searchCost(text, pattern), grown(text, pattern, by, places))
  },
  search: (text, [pattern]) => text.length * patternCost(pattern),
  split: (text, [pattern]) =>
    Math.max(text.length, typeof pattern === 'string' ? searchCost(text, pattern) : 0),
  toLocaleLowerCase: ownLength,
  toLocaleUpperCase: ownLength,
  toLowerCase: ownLength,
  toUpperCase: ownLength,
}

/** Most calls, by what they cost: short enough for whatever the method does. */
const shortForms = new Map<Measure, (text: unknown, first: unknown) => boolean>([
  [ownLength, (text) => typeof text === 'string' && text.length <= LONGEST],
  [searched, (text, first) => typeof text === 'string' && isShortPattern(first)],
  [
    measures.split as Measure,
    (text, first) => typeof text === 'string' && text.length <= LONGEST && isShortPattern(first),
  ],
])

function isShortPattern(pattern: unknown): boolean {
  return typeof pattern === 'string' && pattern.length <= SHORT
}

function never(): boolean {
  return false
}

/** A search may compare nearly all of a pattern at each place; with a short pattern that is no matter. */
function searchCost(text: string, pattern: unknown): number {
  const { length } = String(pattern)
  return length <= SHORT ? 0 : (text.length * length) / COMPARISONS
}

/** A text that is made into a regular expression is read at once. */
function patternCost(pattern: unknown): number {
  return typeof pattern === 'string' && pattern.length > LONGEST_PATTERN
    ? Number.POSITIVE_INFINITY
    : 0
}

/** An upper bound first; only when that is too long are the places counted. */
function grown(text: string, pattern: string, by: unknown, most: number): number {
  const growth = Math.max(String(by).length - pattern.length, 0)
  if (text.length + most * growth <= LONGEST || pattern === '') return text.length + most * growth
  let places = 0
  for (let at = text.indexOf(pattern); at !== -1; at = text.indexOf(pattern, at + pattern.length))
    places++
  return text.length + places * growth
}

function vetRaw(): void {
  const native = String.raw
  const { raw } = {
    raw(template: { raw: ArrayLike<unknown> }, ...parts: unknown[]): string {
      if (Number(template?.raw?.length) > LONGEST)
        throw new RangeError('raw: the template is too long')
      return apply(native, undefined, [{ raw: [...Array.from(template.raw)] }, ...parts])
    },
  }
  Object.defineProperty(raw, 'length', { value: 1, configurable: true })
  Object.defineProperty(String, 'raw', {
    value: raw,
    writable: true,
    enumerable: false,
    configurable: true,
  })
}
