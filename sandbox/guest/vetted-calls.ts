/**
 * Built-ins that take a list of arguments or names from anything that has a length, read it without a pause and hold it in
 * one piece. Long ones are refused; those that are no plain lists are read by steps that can be interrupted.
 */
const MOST_ARGUMENTS = 2 ** 16
const MOST_NAMES = 10_000
const ORDINARY_LENGTH = 2 ** 20
/** Lists and objects that one text of JSON may hold, and from which length on they are counted. */
const MOST_PARTS = 2 ** 20
const LONGEST_JSON = 2 ** 24

const { apply, construct } = Reflect

type Method = (this: unknown, ...args: unknown[]) => unknown

/** To be called before lockdown, which then freezes what stands here. */
export function vetCalls(isProxy: (value: unknown) => boolean): void {
  const { isArray } = Array

  function toArguments(list: unknown, most: number): unknown {
    if (typeof list !== 'object' || list === null) return list
    if (isArray(list) && list.length <= most && !isProxy(list)) return list
    const length = Math.trunc(Number((list as { length?: unknown }).length)) || 0
    if (length > most) throw new RangeError(`At most ${most} arguments or names are allowed here`)
    const copy: unknown[] = []
    for (let at = 0; at < length; at++) copy.push((list as Record<number, unknown>)[at])
    return copy
  }

  const nativeApply = Function.prototype.apply as unknown as Method
  const stringify = JSON.stringify as unknown as Method
  const parse = JSON.parse as unknown as Method
  const from = Array.from as unknown as Method

  replace(Reflect, {
    apply: (target: unknown, self: unknown, args: unknown) =>
      apply(target as Method, self, toArguments(args, MOST_ARGUMENTS) as unknown[]),
    construct: (target: unknown, args: unknown, ...newTarget: unknown[]) =>
      apply(construct as unknown as Method, undefined, [
        target,
        toArguments(args, MOST_ARGUMENTS),
        ...newTarget,
      ]),
  })
  replace(Function.prototype, {
    apply(this: unknown, self: unknown, args: unknown) {
      return apply(nativeApply, this, [self, toArguments(args, MOST_ARGUMENTS)])
    },
  })
  replace(JSON, {
    stringify: (value: unknown, names?: unknown, space?: unknown) =>
      stringify(value, isArray(names) ? toArguments(names, MOST_NAMES) : names, space),
    parse: (text: unknown, reviver?: unknown) => {
      const source = String(text)
      if (source.length > ORDINARY_LENGTH) checkJson(source)
      return parse(source, reviver)
    },
  })
  replace(Array, {
    from(this: unknown, source: unknown, ...rest: unknown[]) {
      if (isLongWithoutIterator(source)) return listFrom(this, source, rest)
      return apply(from, this, [source, ...rest])
    },
  })
}

function replace(holder: object, methods: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(methods)) {
    const native = Reflect.get(holder, name) as Method
    Object.defineProperty(value as Method, 'length', { value: native.length, configurable: true })
    Object.defineProperty(holder, name, {
      value,
      writable: true,
      enumerable: false,
      configurable: true,
    })
  }
}

const BRACE_BIT = 0x20
const OPEN = 0x7b

/** Reading is fast for texts and numbers and slow for what nests, and cannot be interrupted. */
function checkJson(text: string): void {
  if (text.length > LONGEST_JSON) {
    throw new RangeError(`JSON beyond ${LONGEST_JSON} characters is not read here`)
  }
  let parts = 0
  for (let at = 0; at < text.length; at++) {
    if ((text.charCodeAt(at) | BRACE_BIT) === OPEN && ++parts > MOST_PARTS) {
      throw new RangeError(`JSON of more than ${MOST_PARTS} lists and objects is not read here`)
    }
  }
}

interface LongList {
  length: number
  [index: number]: unknown
}

function isLongWithoutIterator(source: unknown): source is LongList {
  if (typeof source !== 'object' || source === null) return false
  const { [Symbol.iterator]: iterator, length } = source as Partial<Iterable<unknown>> & LongList
  return (iterator === undefined || iterator === null) && Number(length) > ORDINARY_LENGTH
}

/** As `Array.from` (ECMA-262, section 23.1.2.1) for what has a length only, step by step. */
function listFrom(kind: unknown, source: LongList, [map, self]: unknown[]): unknown {
  if (map !== undefined && typeof map !== 'function')
    throw new TypeError('The mapper must be a function')
  const length = Math.min(Math.trunc(Number(source.length)), 2 ** 53 - 1)
  const items: LongList =
    typeof kind === 'function' && kind !== Array ? construct(kind, [length]) : []
  for (let at = 0; at < length; at++) {
    const item = map ? apply(map, self, [source[at], at]) : source[at]
    Object.defineProperty(items, at, {
      value: item,
      writable: true,
      enumerable: true,
      configurable: true,
    })
  }
  items.length = length
  return items
}
