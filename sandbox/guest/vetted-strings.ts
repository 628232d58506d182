/** Longest text that a built-in may make or work through at once, characters: it cannot be interrupted meanwhile. */
const LONGEST = 2 ** 24

type Method = (this: unknown, ...args: unknown[]) => unknown

/** Length of what a method would make or read, computed before it is called. */
type Measure = (text: string, args: unknown[]) => number

/** To be called before lockdown, which then freezes what stands here. */
export function vetStrings(): void {
  const { apply } = Reflect
  for (const [name, measure] of Object.entries(measures)) {
    const native = (String.prototype as unknown as Record<string, Method>)[name]
    if (!native) continue
    const vetted = {
      [name](this: unknown, ...args: unknown[]): unknown {
        if (this === undefined || this === null) return apply(native, this, args)
        const text = String(this)
        const plain = args.map(toPlain)
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

/** What was measured must be what is used: objects that turn into texts are turned once. */
function toPlain(arg: unknown): unknown {
  if (typeof arg !== 'object' || arg === null) return arg
  return Symbol.replace in arg || Symbol.split in arg ? arg : String(arg)
}

const ownLength: Measure = (text) => text.length
const padded: Measure = (text, [length]) => Math.max(text.length, Number(length) || 0)

const measures: Record<string, Measure> = {
  concat: (text, parts) =>
    parts.reduce<number>((sum, part) => sum + String(part).length, text.length),
  normalize: ownLength,
  padEnd: padded,
  padStart: padded,
  repeat: (text, [count]) => text.length * (Number(count) || 0),
  replaceAll: (text, [pattern, by]) => {
    if (typeof pattern !== 'string' || typeof by === 'function') return text.length
    const places = pattern === '' ? text.length + 1 : Math.floor(text.length / pattern.length)
    return text.length > LONGEST ? text.length : grown(text, pattern, by, places)
  },
  split: ownLength,
  toLocaleLowerCase: ownLength,
  toLocaleUpperCase: ownLength,
  toLowerCase: ownLength,
  toUpperCase: ownLength,
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
      return Reflect.apply(native, undefined, [{ raw: [...Array.from(template.raw)] }, ...parts])
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
