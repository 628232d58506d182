import { type Method, replaceMethod } from './stand-in.ts'
import { areThereLongBuffers } from './vetted-buffers.ts'
import { checkPlaces } from './vetted-names.ts'

/**
 * Built-ins that take a list of arguments or names from anything that has a length, read it without a pause and hold it in
 * one piece. Long ones are refused; those that are no plain lists are read by steps that can be interrupted.
 */
const MOST_ARGUMENTS = 2 ** 16
const MOST_NAMES = 10_000
const ORDINARY_LENGTH = 2 ** 20
const LARGEST_LIST = 2 ** 32 - 1
/** Lists and objects that one text of JSON may hold, and from which length on they are counted. */
const MOST_PARTS = 2 ** 20
const LONGEST_JSON = 2 ** 24

const { apply, construct } = Reflect

/** To be called before lockdown, which then freezes what stands here. */
export function vetCalls(isProxied: (list: object) => boolean): void {
  const { isArray } = Array

  function toArguments(list: unknown, most: number): unknown {
    if (typeof list !== 'object' || list === null) return list
    if (isArray(list) && list.length <= most && !isProxied(list)) return list
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
    stringify: (value: unknown, names?: unknown, space?: unknown) => {
      if (isArray(names)) return stringify(value, toArguments(names, MOST_NAMES), space)
      return stringify(value, areThereLongBuffers() ? checkedReplacer(names) : names, space)
    },
    parse: (text: unknown, reviver?: unknown) => {
      const source = String(text)
      if (source.length > ORDINARY_LENGTH) checkJson(source)
      return parse(source, reviver)
    },
  })
  const { values } = Array.prototype
  replace(Array, {
    from(this: unknown, source: unknown, ...rest: unknown[]) {
      if (typeof source !== 'object' || source === null) return apply(from, this, [source, ...rest])
      const iterate = (source as Partial<Iterable<unknown>>)[Symbol.iterator]
      const isPlain = isArray(source) && iterate === values && !isProxied(source)
      if (isPlain) return apply(from, this, [source, ...rest])
      if (iterate === undefined || iterate === null) return listFrom(this, source as List, rest)
      return apply(from, this, [iterableOnce(source, iterate), ...rest])
    },
  })
}

/** What was looked at must be what is used: an object could iterate now and claim a length later. */
function iterableOnce(source: object, iterate: unknown): Iterable<unknown> {
  if (typeof iterate !== 'function')
    throw new TypeError('What Symbol.iterator names is no function')
  return { [Symbol.iterator]: () => apply(iterate as Method, source, []) } as Iterable<unknown>
}

function replace(holder: object, methods: Record<string, unknown>): void {
  for (const [name, method] of Object.entries(methods)) replaceMethod(holder, name, method)
}

/** Sees each value as it is taken, whatever was there before. */
function checkedReplacer(given: unknown): Method {
  return function (this: unknown, key: unknown, value: unknown): unknown {
    const taken = typeof given === 'function' ? apply(given as Method, this, [key, value]) : value
    if (ArrayBuffer.isView(taken)) checkPlaces(taken)
    return taken
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

interface List {
  length: number
  [index: number]: unknown
}

/** As `Array.from` (ECMA-262, section 23.1.2.1) for what has a length only, step by step. */
function listFrom(kind: unknown, source: List, [map, self]: unknown[]): unknown {
  if (map !== undefined && typeof map !== 'function')
    throw new TypeError('The mapper must be a function')
  const length = Math.max(Math.trunc(Number(source.length)) || 0, 0)
  if (length > LARGEST_LIST) throw new RangeError('Invalid array length')
  const items: List = typeof kind === 'function' && kind !== Array ? construct(kind, [length]) : []
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
