import { type Method, replaceMethod } from './stand-in.ts'

/**
 * Built-in array methods run loops that nothing can interrupt: `includes` on `{ length: 2 ** 53 - 1 }` would hold the
 * thread for years. Here each of them is replaced by one that takes the built-in for ordinary arrays of ordinary length
 * and, for everything else, the same algorithm in plain JavaScript, which a stopped thread leaves at once.
 * (ECMA-262, section 23.1.3, whose steps the plain forms follow.)
 */
const ORDINARY_LENGTH = 2 ** 20
const LARGEST_LENGTH = 2 ** 53 - 1
const LARGEST_LIST = 2 ** 32 - 1

const { apply } = Reflect

type ArrayLike = Record<PropertyKey, unknown>
type Plain = (list: ArrayLike, length: number, args: unknown[]) => unknown

/** To be called before lockdown, which then freezes what stands here. */
export function vetArrays(isProxied: (list: object) => boolean): void {
  const { isArray } = Array
  const isOrdinary: IsOrdinary = (list): list is unknown[] =>
    isArray(list) && list.length <= ORDINARY_LENGTH && !isProxied(list)
  const quick = quickForms(isOrdinary)
  for (const [name, plain] of Object.entries(plainForms)) {
    const native = (Array.prototype as unknown as Record<string, Method>)[name]
    if (!native) continue
    replaceMethod(
      Array.prototype,
      name,
      Object.hasOwn(quick, name) ? quick[name] : generalForm(name, native, plain, isOrdinary),
    )
  }
  vetFlattening()
}

type IsOrdinary = (list: unknown) => list is unknown[]

function generalForm(name: string, native: Method, plain: Plain, isOrdinary: IsOrdinary): Method {
  const isOrdinaryPart = (part: unknown): boolean =>
    typeof part !== 'object' || part === null || isOrdinary(part)
  const takesLists = name === 'concat'
  const { [name]: vetted } = {
    [name](this: unknown, ...args: unknown[]): unknown {
      if (isOrdinary(this) && (!takesLists || args.every(isOrdinaryPart)))
        return apply(native, this, args)
      return runPlain(plain, this, args)
    },
  }
  return vetted as Method
}

function runPlain(plain: Plain | undefined, receiver: unknown, args: unknown[]): unknown {
  if (receiver === undefined || receiver === null)
    throw new TypeError('Methods of lists are not for null and undefined')
  const list = Object(receiver) as ArrayLike
  return plain?.(list, toLength(list.length), args)
}

/**
 * The methods that are called most, each written out: so the engine can put the built-in one and its callback in the place
 * of the call, as it does without us.
 */
function quickForms(isOrdinary: IsOrdinary): Record<string, unknown> {
  const { every, filter, find, findIndex, forEach, includes, indexOf, join } = Array.prototype
  const { map, slice, some } = Array.prototype
  type Callback = (item: unknown, at: number, list: unknown[]) => unknown
  return {
    every(this: unknown, test: Callback, self?: unknown) {
      if (isOrdinary(this)) return every.call(this, test, self)
      return runPlain(plainForms.every, this, [test, self])
    },
    filter(this: unknown, test: Callback, self?: unknown) {
      if (isOrdinary(this)) return filter.call(this, test, self)
      return runPlain(plainForms.filter, this, [test, self])
    },
    find(this: unknown, test: Callback, self?: unknown) {
      if (isOrdinary(this)) return find.call(this, test, self)
      return runPlain(plainForms.find, this, [test, self])
    },
    findIndex(this: unknown, test: Callback, self?: unknown) {
      if (isOrdinary(this)) return findIndex.call(this, test, self)
      return runPlain(plainForms.findIndex, this, [test, self])
    },
    forEach(this: unknown, visit: Callback, self?: unknown) {
      if (isOrdinary(this)) return forEach.call(this, visit, self)
      return runPlain(plainForms.forEach, this, [visit, self])
    },
    includes(this: unknown, item: unknown, from?: number) {
      if (isOrdinary(this)) return includes.call(this, item, from)
      return runPlain(plainForms.includes, this, [item, from])
    },
    indexOf(this: unknown, item: unknown, from?: number) {
      if (isOrdinary(this)) return indexOf.call(this, item, from)
      return runPlain(plainForms.indexOf, this, [item, from])
    },
    join(this: unknown, separator?: string) {
      if (isOrdinary(this)) return join.call(this, separator)
      return runPlain(plainForms.join, this, [separator])
    },
    map(this: unknown, change: Callback, self?: unknown) {
      if (isOrdinary(this)) return map.call(this, change, self)
      return runPlain(plainForms.map, this, [change, self])
    },
    slice(this: unknown, start?: number, end?: number) {
      if (isOrdinary(this)) return slice.call(this, start, end)
      return runPlain(plainForms.slice, this, [start, end])
    },
    some(this: unknown, test: Callback, self?: unknown) {
      if (isOrdinary(this)) return some.call(this, test, self)
      return runPlain(plainForms.some, this, [test, self])
    },
  }
}

/** `flat` and `flatMap` multiply: a few small arrays nested in each other make an endless result. */
function vetFlattening(): void {
  const flat = {
    flat(this: unknown, depth: unknown = 1): unknown {
      const result: unknown[] = []
      flattenInto(result, Object(this) as ArrayLike, Number(depth) || 0)
      return result
    },
  }.flat as Method
  const flatMap = {
    flatMap(this: unknown, mapper: unknown, self?: unknown): unknown {
      const list = Object(this) as ArrayLike
      const mapped: unknown[] = []
      const map = callable(mapper)
      for (let at = 0, length = toLength(list.length); at < length; at++) {
        if (at in list) mapped.push(apply(map, self, [list[at], at, list]))
      }
      const result: unknown[] = []
      flattenInto(result, mapped as unknown as ArrayLike, 1)
      return result
    },
  }.flatMap as Method
  replaceMethod(Array.prototype, 'flat', flat)
  replaceMethod(Array.prototype, 'flatMap', flatMap)
}

function flattenInto(result: unknown[], list: ArrayLike, depth: number): void {
  for (let at = 0, length = toLength(list.length); at < length; at++) {
    if (!(at in list)) continue
    const item = list[at]
    if (depth >= 1 && Array.isArray(item)) flattenInto(result, item as never, depth - 1)
    else result.push(item)
  }
}

function toLength(value: unknown): number {
  const length = Math.trunc(Number(value)) || 0
  return Math.min(Math.max(length, 0), LARGEST_LENGTH)
}

/** A start or end given by the caller; negative counts from the end. */
function position(value: unknown, length: number, absent: number): number {
  if (value === undefined) return absent
  const given = Math.trunc(Number(value)) || 0
  return given < 0 ? Math.max(length + given, 0) : Math.min(given, length)
}

/** A list of this length cannot be, so it is not begun. */
function checkLength(length: number): void {
  if (length > LARGEST_LIST) throw new RangeError('Invalid array length')
}

function callable(value: unknown): Method {
  if (typeof value !== 'function') throw new TypeError(`${String(value)} is not a function`)
  return value as Method
}

/** A list that grows step by step, unlike one made at full length, is stopped by the limits on memory. */
function listOf(list: ArrayLike, start: number, end: number): unknown[] {
  const result: unknown[] = []
  for (let at = start; at < end; at++) {
    if (at in list) result[at - start] = list[at]
    else result.length = at - start + 1
  }
  return result
}

function move(list: ArrayLike, from: number, to: number): void {
  if (from in list) list[to] = list[from]
  else Reflect.deleteProperty(list, to)
}

const sameValueZero = (one: unknown, other: unknown): boolean =>
  one === other || (Number.isNaN(one) && Number.isNaN(other))

/** Calls the callback of `forEach` and its kin for each element; it may end the walk by answering true. */
function walk(
  list: ArrayLike,
  length: number,
  args: unknown[],
  visit: (answer: unknown, item: unknown, at: number) => boolean | undefined,
  options: { holes?: boolean; backwards?: boolean } = {},
): void {
  const callback = callable(args[0])
  for (let step = 0; step < length; step++) {
    const at = options.backwards ? length - 1 - step : step
    if (!options.holes && !(at in list)) continue
    const item = list[at]
    if (visit(apply(callback, args[1], [item, at, list]), item, at)) return
  }
}

function reduce(list: ArrayLike, length: number, args: unknown[], backwards: boolean): unknown {
  const callback = callable(args[0])
  let value = args[1]
  let started = args.length > 1
  for (let step = 0; step < length; step++) {
    const at = backwards ? length - 1 - step : step
    if (!(at in list)) continue
    value = started ? apply(callback, undefined, [value, list[at], at, list]) : list[at]
    started = true
  }
  if (!started) throw new TypeError('Reduce of empty array with no initial value')
  return value
}

function merge(items: unknown[], compare: (one: unknown, other: unknown) => number): unknown[] {
  if (items.length < 2) return items
  const middle = items.length >> 1
  const left = merge(listOf(items as never, 0, middle), compare)
  const right = merge(listOf(items as never, middle, items.length), compare)
  const merged: unknown[] = []
  let at = 0
  let other = 0
  while (at < left.length && other < right.length) {
    merged.push(compare(left[at], right[other]) <= 0 ? left[at++] : right[other++])
  }
  while (at < left.length) merged.push(left[at++])
  while (other < right.length) merged.push(right[other++])
  return merged
}

function sorted(items: unknown[], by: unknown): unknown[] {
  if (by !== undefined) callable(by)
  return merge(items, (one, other) => {
    if (one === undefined || other === undefined)
      return Number(one === undefined) - Number(other === undefined)
    if (by !== undefined) return Number(apply(by as Method, undefined, [one, other])) || 0
    const [first, second] = [String(one), String(other)]
    return first < second ? -1 : first > second ? 1 : 0
  })
}

function find(
  list: ArrayLike,
  length: number,
  args: unknown[],
  backwards: boolean,
): { item: unknown; at: number } {
  let found: { item: unknown; at: number } = { item: undefined, at: -1 }
  const visit = (answer: unknown, item: unknown, at: number): boolean => {
    if (answer) found = { item, at }
    return Boolean(answer)
  }
  walk(list, length, args, visit, { holes: true, backwards })
  return found
}

function splice(list: ArrayLike, length: number, args: unknown[]): unknown[] {
  const start = position(args[0], length, 0)
  const wanted =
    args.length === 0 ? 0 : args.length === 1 ? length - start : Math.trunc(Number(args[1])) || 0
  const count = Math.min(Math.max(wanted, 0), length - start)
  const items = args.slice(2)
  const removed = listOf(list, start, start + count)
  const shift = items.length - count
  if (shift < 0) {
    for (let at = start + count; at < length; at++) move(list, at, at + shift)
    for (let at = length - 1; at >= length + shift; at--) Reflect.deleteProperty(list, at)
  } else if (shift > 0) {
    for (let at = length - 1; at >= start + count; at--) move(list, at, at + shift)
  }
  for (let at = 0; at < items.length; at++) list[start + at] = items[at]
  list.length = length + shift
  return removed
}

const plainForms: Record<string, Plain> = {
  concat(list, length, args) {
    const result: unknown[] = []
    const parts: unknown[] = [list, ...args]
    for (const part of parts) {
      const spreads = part === list ? Array.isArray(part) || spreadable(part) : spreadable(part)
      if (!spreads) {
        result.push(part)
        continue
      }
      const from = part as ArrayLike
      const end = part === list ? length : toLength(from.length)
      const start = result.length
      for (let at = 0; at < end; at++) {
        if (at in from) result[start + at] = from[at]
        else result.length = start + at + 1
      }
    }
    return result
  },
  copyWithin(list, length, args) {
    const to = position(args[0], length, 0)
    const from = position(args[1], length, 0)
    const count = Math.min(position(args[2], length, length) - from, length - to)
    const backwards = from < to
    for (let step = 0; step < count; step++) {
      const offset = backwards ? count - 1 - step : step
      move(list, from + offset, to + offset)
    }
    return list
  },
  every(list, length, args) {
    let all = true
    walk(list, length, args, (answer) => {
      all = Boolean(answer)
      return !all
    })
    return all
  },
  fill(list, length, args) {
    const end = position(args[2], length, length)
    for (let at = position(args[1], length, 0); at < end; at++) list[at] = args[0]
    return list
  },
  filter(list, length, args) {
    const kept: unknown[] = []
    walk(list, length, args, (answer, item) => {
      if (answer) kept.push(item)
      return false
    })
    return kept
  },
  find: (list, length, args) => find(list, length, args, false).item,
  findIndex: (list, length, args) => find(list, length, args, false).at,
  findLast: (list, length, args) => find(list, length, args, true).item,
  findLastIndex: (list, length, args) => find(list, length, args, true).at,
  forEach(list, length, args) {
    walk(list, length, args, () => false)
  },
  includes(list, length, args) {
    for (let at = position(args[1], length, 0); at < length; at++) {
      if (sameValueZero(list[at], args[0])) return true
    }
    return false
  },
  indexOf(list, length, args) {
    for (let at = position(args[1], length, 0); at < length; at++) {
      if (at in list && list[at] === args[0]) return at
    }
    return -1
  },
  join(list, length, args) {
    const separator = args[0] === undefined ? ',' : String(args[0])
    let text = ''
    for (let at = 0; at < length; at++) {
      const item = list[at]
      text += (at > 0 ? separator : '') + (item === undefined || item === null ? '' : String(item))
    }
    return text
  },
  lastIndexOf(list, length, args) {
    const given = args.length > 1 ? Math.trunc(Number(args[1])) || 0 : length - 1
    for (let at = given < 0 ? length + given : Math.min(given, length - 1); at >= 0; at--) {
      if (at in list && list[at] === args[0]) return at
    }
    return -1
  },
  map(list, length, args) {
    checkLength(length)
    const mapped: unknown[] = []
    walk(list, length, args, (answer, _item, at) => {
      mapped[at] = answer
      return false
    })
    mapped.length = length
    return mapped
  },
  reduce: (list, length, args) => reduce(list, length, args, false),
  reduceRight: (list, length, args) => reduce(list, length, args, true),
  reverse(list, length) {
    for (let low = 0, high = length - 1; low < high; low++, high--) {
      const [hasLow, hasHigh] = [low in list, high in list]
      const [first, last] = [list[low], list[high]]
      if (hasHigh) list[low] = last
      else Reflect.deleteProperty(list, low)
      if (hasLow) list[high] = first
      else Reflect.deleteProperty(list, high)
    }
    return list
  },
  shift(list, length) {
    return splice(list, length, [0, 1])[0]
  },
  slice(list, length, args) {
    return listOf(list, position(args[0], length, 0), position(args[1], length, length))
  },
  some(list, length, args) {
    let any = false
    walk(list, length, args, (answer) => {
      any = Boolean(answer)
      return any
    })
    return any
  },
  sort(list, length, args) {
    const items: unknown[] = []
    for (let at = 0; at < length; at++) if (at in list) items.push(list[at])
    const result = sorted(items, args[0])
    for (let at = 0; at < result.length; at++) list[at] = result[at]
    for (let at = result.length; at < length; at++) Reflect.deleteProperty(list, at)
    return list
  },
  splice,
  toLocaleString(list: ArrayLike, length: number, args: unknown[]) {
    let text = ''
    for (let at = 0; at < length; at++) {
      const item = list[at] as { toLocaleString(...given: unknown[]): string } | null | undefined
      text += (at > 0 ? ',' : '') + (item?.toLocaleString(...args) ?? '')
    }
    return text
  },
  toReversed(list, length) {
    checkLength(length)
    const result: unknown[] = []
    for (let at = length - 1; at >= 0; at--) result.push(list[at])
    return result
  },
  toSorted(list, length, args) {
    checkLength(length)
    const items: unknown[] = []
    for (let at = 0; at < length; at++) items.push(list[at])
    return sorted(items, args[0])
  },
  toSpliced(list, length, args) {
    const copy: unknown[] = []
    for (let at = 0; at < length; at++) copy.push(list[at])
    splice(copy as never, length, args)
    return copy
  },
  unshift(list, length, args) {
    splice(list, length, [0, 0, ...args])
    return length + args.length
  },
  with(list, length, args) {
    const given = Math.trunc(Number(args[0])) || 0
    const index = given < 0 ? length + given : given
    if (index < 0 || index >= length) throw new RangeError('Invalid index')
    const copy: unknown[] = []
    for (let at = 0; at < length; at++) copy.push(at === index ? args[1] : list[at])
    return copy
  },
}

function spreadable(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false
  const flag = (part as ArrayLike)[Symbol.isConcatSpreadable]
  return flag === undefined ? Array.isArray(part) : Boolean(flag)
}
