import { type Constructor, type Method, replaceMethod, replaceValue, standIn } from './stand-in.ts'

/** Longest text that a built-in may make or work through at once, characters: it cannot be interrupted meanwhile. */
const LONGEST = 2 ** 24

/** Length of a pattern that any text may be searched for. */
const SHORT = 256
/** Comparisons of characters that take about as long as making one. */
const COMPARISONS = 64
/** Places at which a text may be replaced by another at once. */
const MOST_PLACES = 2 ** 20
/** Longest text that becomes a regular expression. */
const LONGEST_PATTERN = 2 ** 16

const { apply, construct } = Reflect

/** Length of what a method would make or read, computed before it is called. */
type Measure = (text: string, args: unknown[]) => number

/** To be called before lockdown, which then freezes what stands here. */
export function vetStrings(isPattern: (value: unknown) => boolean): void {
  for (const [name, measure] of Object.entries(measures)) {
    const native = (String.prototype as unknown as Record<string, Method>)[name]
    if (!native) continue
    const isShort = shortForms.get(measure) ?? never
    const searcher = searcherFor(name)
    const vetted = {
      [name](this: unknown, ...args: unknown[]): unknown {
        const [pattern, other] = args
        if (this === undefined || this === null || isShort(this, pattern)) {
          return apply(native, this, args)
        }
        const text = String(this)
        const by = searcher?.(pattern)
        const plain = by ? args : args.map((arg, at) => plainForm(name, at, arg))
        if (measure(text, plain) > LONGEST) {
          throw new RangeError(`${name}: texts beyond ${LONGEST} characters are not allowed here`)
        }
        return by ? apply(by, pattern, [text, other]) : apply(native, text, plain)
      },
    }[name] as Method
    replaceMethod(String.prototype, name, vetted)
  }
  vetRaw()
  vetPatterns(isPattern)
  vetCoding()
}

type Plain = (arg: unknown) => unknown

/** What was measured must be what is used: objects that turn into texts or numbers are turned once. */
const asText: Plain = (arg) => (typeof arg === 'object' && arg !== null ? String(arg) : arg)
const asNumber: Plain = (arg) => (typeof arg === 'object' && arg !== null ? Number(arg) : arg)
const asPattern: Plain = (arg) => {
  if (typeof arg === 'object' && (arg as Record<symbol, unknown> | null)?.[Symbol.match]) {
    throw new TypeError('A regular expression is no text to search for')
  }
  return asText(arg)
}

const plainForms: Record<string, Plain[]> = {
  includes: [asPattern],
  indexOf: [asText],
  lastIndexOf: [asText],
  localeCompare: [asText],
  match: [asText],
  matchAll: [asText],
  normalize: [asText],
  padEnd: [asNumber, asText],
  padStart: [asNumber, asText],
  repeat: [asNumber],
  replace: [asText, asText],
  replaceAll: [asText, asText],
  search: [asText],
  split: [asText],
}

function plainForm(name: string, at: number, arg: unknown): unknown {
  if (name === 'concat') return asText(arg)
  return plainForms[name]?.[at]?.(arg) ?? arg
}

/** By which method an object is itself what searches (ECMA-262, section 22.1.3). */
const searchers: Record<string, symbol> = {
  match: Symbol.match,
  matchAll: Symbol.matchAll,
  replace: Symbol.replace,
  replaceAll: Symbol.replace,
  search: Symbol.search,
  split: Symbol.split,
}

/** Read once as well: an object that searches now and is a long text later would not have been measured. */
function searcherFor(name: string): ((pattern: unknown) => Method | undefined) | undefined {
  const symbol = searchers[name]
  const needsGlobal = name.endsWith('All')
  if (!symbol) return undefined
  return (pattern) => {
    if (typeof pattern !== 'object' || pattern === null) return undefined
    const given = pattern as Record<symbol, unknown> & { flags?: unknown }
    if (needsGlobal && given[Symbol.match] && !String(given.flags).includes('g')) {
      throw new TypeError(`${name} needs a regular expression with the flag g`)
    }
    const by = given[symbol]
    if (by === undefined || by === null) return undefined
    if (typeof by !== 'function') throw new TypeError(`${String(symbol)} is no function`)
    return by as Method
  }
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

/** An upper bound first; only when that is too long or too much to do are the places counted. */
function grown(text: string, pattern: string, by: unknown, most: number): number {
  const growth = Math.max(String(by).length - pattern.length, 0)
  const isFew = most <= MOST_PLACES && text.length + most * growth <= LONGEST
  const places = isFew || pattern === '' ? most : placesOf(text, pattern)
  return places > MOST_PLACES ? Number.POSITIVE_INFINITY : text.length + places * growth
}

function placesOf(text: string, pattern: string): number {
  let places = 0
  let at = text.indexOf(pattern)
  for (; at !== -1; at = text.indexOf(pattern, at + pattern.length)) places++
  return places
}

/** Each piece of a text that is put together takes memory of its own until the text is read. */
const MOST_PIECES = 1_048_576

/** As ECMA-262, section 22.1.2.4, step by step. */
function vetRaw(): void {
  const { raw } = {
    raw(template: { raw: ArrayLike<unknown> }, ...parts: unknown[]): string {
      const pieces = Object(template.raw) as ArrayLike<unknown>
      const length = Math.trunc(Number(pieces.length)) || 0
      if (length > MOST_PIECES) {
        throw new RangeError(`String.raw: more than ${MOST_PIECES} pieces are not allowed here`)
      }
      let text = ''
      for (let at = 0; at < length; at++) {
        text += `${pieces[at]}`
        if (at + 1 < length && at < parts.length) text += `${parts[at]}`
      }
      return text
    },
  }
  replaceMethod(String, 'raw', raw)
}

/** A long regular expression is read and compiled without a pause. */
function vetPatterns(isPattern: (value: unknown) => boolean): void {
  const native = RegExp
  const checked = ([pattern, ...rest]: unknown[]): unknown[] => {
    const isText = pattern === undefined || isPattern(pattern)
    const plain = isText ? pattern : String(pattern)
    if (typeof plain === 'string' && plain.length > LONGEST_PATTERN) {
      throw new RangeError(`Patterns beyond ${LONGEST_PATTERN} characters are not allowed here`)
    }
    return [plain, ...rest]
  }
  standIn(
    native as unknown as Constructor,
    (args, target) => construct(native, checked(args), target),
    (args) => apply(native as unknown as Method, undefined, checked(args)) as object,
  )
}

/** Functions that read a text from one end to the other. */
function vetCoding(): void {
  const names = ['decodeURI', 'decodeURIComponent', 'encodeURI', 'encodeURIComponent']
  for (const name of [...names, 'escape', 'unescape', 'parseInt', 'parseFloat']) {
    const native = Reflect.get(globalThis, name) as Method
    const { [name]: vetted } = {
      [name](given: unknown, ...rest: unknown[]): unknown {
        const text = asText(given)
        if (typeof text === 'string' && text.length > LONGEST) {
          throw new RangeError(`${name}: texts beyond ${LONGEST} characters are not allowed here`)
        }
        return apply(native, undefined, [text, ...rest])
      },
    }
    replaceMethod(globalThis, name, vetted)
  }
  // The language has them be the same function.
  replaceValue(Number, 'parseInt', Reflect.get(globalThis, 'parseInt'))
  replaceValue(Number, 'parseFloat', Reflect.get(globalThis, 'parseFloat'))
}
