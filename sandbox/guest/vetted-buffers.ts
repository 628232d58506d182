import { type Method, replaceMethod, standIn } from './stand-in.ts'

/**
 * Buffers and typed arrays: what is allocated at once is bounded, because no watch comes between an allocation and its use;
 * and what works through a long one without a pause is done in pieces.
 */
const MOST_BYTES = 2 ** 28
/** Elements that the built-ins may sort or print at once. */
const LONG = 2 ** 20

type TypedArray = Uint8Array & { BYTES_PER_ELEMENT: number }
type TypedArrayClass = new (...args: unknown[]) => TypedArray
const { apply, construct } = Reflect

const classNames = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
]

/** To be called before lockdown, which then freezes what stands here. */
export function vetBuffers(isProxied: (list: object) => boolean): void {
  const shared = Object.getPrototypeOf(Uint8Array) as { prototype: object }
  vetArrayBuffer()
  for (const name of classNames) vetClass(name, isProxied)
  vetFrom(shared, isProxied)
  vetMethods(shared.prototype)
  vetDecoding()
}

let someLong = false

/** Whether there may be a buffer of more places than are listed at once: as JSON it becomes an object with a name for each. */
export function areThereLongBuffers(): boolean {
  return someLong
}

/** Of bytes that came about without the classes here. */
export function noteBytes(bytes: number): void {
  if (bytes > LONG) someLong = true
}

function checkBytes(bytes: number): void {
  noteBytes(bytes)
  if (bytes > MOST_BYTES) {
    throw new RangeError(`Array buffers beyond ${MOST_BYTES} bytes are not allowed here`)
  }
}

function vetArrayBuffer(): void {
  const native = ArrayBuffer
  standIn(native, ([length, options], target) => {
    const bytes = toIndex(length)
    checkBytes(bytes)
    const most = (options as { maxByteLength?: unknown } | null | undefined)?.maxByteLength
    if (most === undefined || typeof options !== 'object') {
      return construct(native, [bytes], target)
    }
    const maxByteLength = toIndex(most)
    checkBytes(maxByteLength)
    return construct(native, [bytes, { maxByteLength }], target)
  })
  const holder = native.prototype as unknown as Record<string, Method>
  for (const name of ['resize', 'transfer', 'transferToFixedLength', 'transferToImmutable']) {
    const method = holder[name]
    if (!method) continue
    const vetted = {
      [name](this: unknown, ...args: unknown[]): unknown {
        if (args[0] === undefined) return apply(method, this, args)
        const bytes = toIndex(args[0])
        checkBytes(bytes)
        return apply(method, this, [bytes])
      },
    }[name] as Method
    replaceMethod(holder, name, vetted)
  }
}

/** As ECMA-262, section 7.1.22; what is no index is left to the built-in to refuse. */
function toIndex(value: unknown): number {
  return Math.trunc(Number(value)) || 0
}

function vetClass(name: string, isProxied: (list: object) => boolean): void {
  const native = (globalThis as unknown as Record<string, TypedArrayClass | undefined>)[name]
  if (!native) return
  const bytesPerElement = (native as unknown as TypedArray).BYTES_PER_ELEMENT
  standIn(native, (args, target) => {
    const [source] = args
    if (typeof source !== 'object' || source === null) {
      const length = toIndex(source)
      checkBytes(length * bytesPerElement)
      return construct(native, [length], target)
    }
    if (isBuffer(source)) return construct(native, args, target)
    if (ArrayBuffer.isView(source)) {
      checkBytes(((source as TypedArray).length || 0) * bytesPerElement)
      return construct(native, [source], target)
    }
    const items = toShortList(source, isProxied)
    checkBytes(items.length * bytesPerElement)
    return construct(native, [items], target)
  })
}

const { get: byteLengthOf } = Object.getOwnPropertyDescriptor(
  ArrayBuffer.prototype,
  'byteLength',
) as { get: () => number }

function isBuffer(value: object): boolean {
  try {
    apply(byteLengthOf, value, [])
    return true
  } catch {
    return Object.prototype.toString.call(value) === '[object SharedArrayBuffer]'
  }
}

/** The items of an iterable or of anything with a length, collected by steps that can be interrupted. */
function toShortList(source: object, isProxied: (list: object) => boolean): unknown[] {
  if (Array.isArray(source) && source.length <= LONG && !isProxied(source)) return source
  const { [Symbol.iterator]: iterate } = source as { [Symbol.iterator]?: unknown }
  const items: unknown[] = []
  if (iterate !== undefined && iterate !== null) {
    for (const item of {
      [Symbol.iterator]: () => apply(iterate as Method, source, []),
    } as Iterable<unknown>) {
      items.push(item)
    }
    return items
  }
  const list = source as { length?: unknown; [index: number]: unknown }
  const length = toIndex(list.length)
  checkBytes(length)
  for (let at = 0; at < length; at++) items.push(list[at])
  return items
}

/** `from` of what is no short list. */
function vetFrom(shared: object, isProxied: (list: object) => boolean): void {
  const native = Reflect.get(shared, 'from') as Method
  const { from } = {
    from(this: unknown, source: unknown, ...rest: unknown[]): unknown {
      const plain = typeof source === 'object' && source !== null && !ArrayBuffer.isView(source)
      return apply(native, this, [plain ? toShortList(source, isProxied) : source, ...rest])
    },
  }
  replaceMethod(shared, 'from', from)
}

/** These make bytes of a text by themselves. */
function vetDecoding(): void {
  for (const name of ['fromBase64', 'fromHex']) {
    const native = Reflect.get(Uint8Array, name) as Method | undefined
    if (!native) continue
    const { [name]: vetted } = {
      [name](this: unknown, text: unknown, ...rest: unknown[]): unknown {
        if (typeof text === 'string') noteBytes(text.length)
        return apply(native, this, [text, ...rest])
      },
    }
    replaceMethod(Uint8Array, name, vetted)
  }
}

function vetMethods(holder: object): void {
  const methods = holder as Record<string, Method>
  const { get: lengthOf } = Object.getOwnPropertyDescriptor(holder, 'length') as {
    get: () => number
  }
  for (const [name, inPieces] of Object.entries(longForms)) {
    const native = methods[name]
    if (!native) continue
    const vetted = {
      [name](this: unknown, ...args: unknown[]): unknown {
        const length = apply(lengthOf, this, []) as number
        if (length <= LONG) return apply(native, this, args)
        return inPieces(this as TypedArray, args, native)
      },
    }[name] as Method
    replaceMethod(holder, name, vetted)
  }
}

type LongForm = (list: TypedArray, args: unknown[], native: Method) => unknown

const longForms: Record<string, LongForm> = {
  join: (list, [separator]) => joined(list, separator === undefined ? ',' : String(separator)),
  sort: (list, [by], native) => sortInPieces(list, by, native),
  toLocaleString: (list: TypedArray, args: unknown[]) => {
    let text = ''
    for (let at = 0; at < list.length; at++) {
      text += (at > 0 ? ',' : '') + (list[at] as number).toLocaleString(...(args as []))
    }
    return text
  },
  toSorted: (list, [by]) => {
    const copy = list.slice() as TypedArray
    return (copy.sort as Method).call(copy, by)
  },
}

function joined(list: TypedArray, separator: string): string {
  let text = ''
  for (let at = 0; at < list.length; at++) text += (at > 0 ? separator : '') + String(list[at])
  return text
}

function sortInPieces(list: TypedArray, by: unknown, native: Method): TypedArray {
  if (list.length <= LONG) return apply(native, list, [by]) as TypedArray
  const middle = list.length >> 1
  const left = sortInPieces(list.subarray(0, middle) as TypedArray, by, native).slice()
  const right = sortInPieces(list.subarray(middle) as TypedArray, by, native).slice()
  for (let at = 0, one = 0, other = 0; at < list.length; at++) {
    const takeLeft =
      other === right.length || (one < left.length && !isAfter(left[one], right[other], by))
    list[at] = (takeLeft ? left[one++] : right[other++]) as number
  }
  return list
}

/** Order of numbers when there is none given: -0 before 0, NaN last. */
function isAfter(one: unknown, other: unknown, by: unknown): boolean {
  if (by !== undefined) return Number(apply(by as Method, undefined, [one, other])) > 0
  const [first, second] = [one as number, other as number]
  if (first === second) return Object.is(second, -0) && !Object.is(first, -0)
  return first > second || (Number.isNaN(first) && !Number.isNaN(second))
}
