import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'

type Method = (this: unknown, ...args: unknown[]) => unknown
type Holder = Record<string, Method>

const TypedArray = Object.getPrototypeOf(Uint8Array) as { prototype: object }

/** Built-in methods as they were before they were vetted. */
const native = {
  array: methodsOf(Array.prototype),
  string: methodsOf(String.prototype),
  typed: methodsOf(TypedArray.prototype),
  arrayFrom: Array.from as unknown as Method,
  typedFrom: Reflect.get(TypedArray, 'from') as Method,
  stringify: JSON.stringify as unknown as Method,
  parse: JSON.parse as unknown as Method,
  apply: Reflect.apply,
  construct: Reflect.construct,
  Proxy,
  RegExp,
  keys: Object.keys,
  ownKeys: Reflect.ownKeys,
  encodeURIComponent,
  raw: String.raw as unknown as Method,
  classes: { Uint8Array, Int16Array, Float64Array, BigInt64Array, ArrayBuffer },
}
await import('./vetted-built-ins.ts')
const vetted = {
  array: methodsOf(Array.prototype),
  string: methodsOf(String.prototype),
  typed: methodsOf(TypedArray.prototype),
}

function methodsOf(holder: object): Holder {
  const methods: Holder = {}
  for (const name of Object.getOwnPropertyNames(holder)) {
    const { value } = Object.getOwnPropertyDescriptor(holder, name) ?? {}
    if (name !== 'constructor' && typeof value === 'function') methods[name] = value
  }
  return methods
}

/** What a call comes to: the answer or the kind of error, and what became of the receiver. */
function outcome(method: Method, receiver: unknown, args: readonly unknown[]): unknown {
  try {
    return { answer: native.apply(method, receiver, args as unknown[]), receiver }
  } catch (error) {
    return { error: (error as Error).name, receiver }
  }
}

function changed(before: Holder, after: Holder): string[] {
  return Object.keys(before).filter((name) => before[name] !== after[name])
}

const item = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(undefined, null, Number.NaN, -0, '', 'a', 'b', true),
  fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
)
const items = fc.array(fc.option(item, { nil: undefined }), { maxLength: 8 })
const holes = fc.array(fc.nat(7), { maxLength: 4 })
const callbacks = [
  (value: unknown) => Boolean(value),
  (value: unknown, other: unknown) => [value, other],
  (value: unknown, at: unknown, list: unknown) => `${String(value)}${String(at)}${typeof list}`,
]
const compare = (one: unknown, other: unknown) => Number(one) - Number(other)
const argument = fc.oneof(
  item,
  fc.integer({ min: -10, max: 10 }),
  fc.constantFrom<unknown>(...callbacks, compare, '1', 1.5, Number.POSITIVE_INFINITY),
)
const args = fc.array(argument, { maxLength: 4 })
/** With an order that contradicts itself any result is right. */
const orders = fc.constantFrom<unknown[]>([], [undefined], [byText], ['x'], [null])

function byText(one: unknown, other: unknown): number {
  const [first, second] = [String(one), String(other)]
  return first < second ? 1 : first > second ? -1 : 0
}

function listOf(values: readonly unknown[], missing: readonly number[]): unknown[] {
  const list = [...values]
  for (const at of missing) if (at < list.length) delete list[at]
  return list
}

/** The forms of a receiver: all but the first take the plain way. */
const receivers: Record<string, (values: unknown[], missing: number[]) => unknown> = {
  'a list': listOf,
  'a proxy of a list': (values, missing) => new Proxy(listOf(values, missing), {}),
  'an object with a length': (values, missing) => {
    const list = listOf(values, missing)
    return Object.assign(Object.create(null), { ...list, length: list.length })
  },
}

for (const [form, make] of Object.entries(receivers)) {
  for (const name of changed(native.array, vetted.array)) {
    test(`Array.prototype.${name} does to ${form} what the built-in one does`, () => {
      fc.assert(
        fc.property(items, holes, /sort/i.test(name) ? orders : args, (values, missing, given) => {
          const expected = outcome(native.array[name] as Method, make(values, missing), given)
          const found = outcome(vetted.array[name] as Method, make(values, missing), given)
          assert.deepEqual(found, expected)
        }),
        { numRuns: 150 },
      )
    })
  }
}

for (const name of changed(native.string, vetted.string)) {
  test(`String.prototype.${name} does what the built-in one does`, () => {
    const text = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('aAaé', 'ab,ab', ''))
    const given = fc.array(
      fc.oneof(
        text,
        fc.integer({ min: -2, max: 6 }),
        fc.constantFrom<unknown>(undefined, null, /a/g, /(?:)/, { toString: () => 'a' }, () => 'x'),
      ),
      { maxLength: 3 },
    )
    const plain = (found: unknown) => {
      const { answer } = found as { answer?: unknown }
      const iterates = typeof answer === 'object' && answer !== null && !Array.isArray(answer)
      return iterates ? [...(answer as Iterable<unknown>)] : found
    }
    fc.assert(
      fc.property(text, given, (receiver, values) => {
        assert.deepEqual(
          plain(outcome(vetted.string[name] as Method, receiver, values)),
          plain(outcome(native.string[name] as Method, receiver, values)),
        )
      }),
      { numRuns: 150 },
    )
  })
}

test('long lists of numbers are sorted as the built-in sorts them', () => {
  const numbers = new Float64Array(2 ** 20 + 1000)
  for (let at = 0; at < numbers.length; at++) numbers[at] = (at * 2654435761) % 1000
  numbers.set([Number.NaN, -0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], 500)
  const backwards = (one: number, other: number) => other - one
  for (const by of [undefined, backwards]) {
    const expected = native.apply(native.typed.toSorted as Method, numbers, [by])
    assert.ok(isSame(numbers.toSorted(by), expected as Float64Array))
    assert.ok(isSame(numbers.slice().sort(by), expected as Float64Array))
  }
})

function isSame(one: Float64Array, other: Float64Array): boolean {
  return one.length === other.length && one.every((value, at) => Object.is(value, other[at]))
}

test('long lists of numbers are joined as the built-in joins them', () => {
  const numbers = new Uint8Array(2 ** 20 + 10).fill(7)
  const expected = native.apply(native.typed.join as Method, numbers, ['-']) as string
  assert.ok(numbers.join('-') === expected)
  assert.ok(String(numbers) === native.apply(native.typed.join as Method, numbers, []))
})

test('typed arrays are made of whatever the built-in classes take', () => {
  const buffer = new ArrayBuffer(16)
  const sources: unknown[][] = [
    [],
    [3],
    ['2'],
    [undefined],
    [null],
    [-1],
    [1.9],
    [[1, 2, 3]],
    [new Set([1, 2])],
    [{ length: 2, 0: 5, 1: 6 }],
    [{ length: -1 }],
    [buffer],
    [buffer, 8],
    [buffer, 8, 1],
    [buffer, 3],
    [buffer, 0, 99],
    [new Uint8Array([1, 2])],
    [new Proxy([4, 5], {})],
    ['x'],
    [Symbol('x')],
    [listOf([1, 2, 3], [1])],
    [
      (function* () {
        yield 1
      })(),
    ],
  ]
  for (const name of ['Uint8Array', 'Int16Array', 'Float64Array'] as const) {
    for (const source of sources) {
      const twice = () =>
        source.map((one) =>
          Symbol.iterator in Object(one) &&
          !Array.isArray(one) &&
          !ArrayBuffer.isView(one) &&
          typeof one === 'object' &&
          one !== null &&
          'next' in one
            ? (function* () {
                yield 1
              })()
            : one,
        )
      const make = (Kind: unknown) => {
        const given = twice()
        return outcome(() => native.construct(Kind as typeof Uint8Array, given), undefined, [])
      }
      assert.deepEqual(make(globalThis[name]), make(native.classes[name]))
    }
  }
})

test('classes that extend a typed array, its copies and its parts are of their kind', () => {
  class Bytes extends Uint8Array {
    first(): unknown {
      return this[0]
    }
  }
  const bytes = new Bytes([1, 2, 3])
  assert.equal((bytes.subarray(1) as Bytes).first(), 2)
  assert.ok(bytes.map((one) => one + 1) instanceof Bytes)
  assert.ok(bytes instanceof Uint8Array && Object.getPrototypeOf(Bytes) === Uint8Array)
  assert.ok(Bytes.from([1]) instanceof Bytes && Uint8Array.of(1, 2) instanceof Uint8Array)
  assert.equal(new Uint8Array(2).constructor, Uint8Array)
  assert.equal(Uint8Array.BYTES_PER_ELEMENT, 1)
  assert.equal(Uint8Array.name, 'Uint8Array')
  assert.equal(Uint8Array.length, 3)
  assert.throws(() => (Uint8Array as unknown as () => void)(), TypeError)
})

test('buffers are made, resized and moved as before', () => {
  const buffer = new ArrayBuffer(4, { maxByteLength: 16 })
  buffer.resize(8)
  assert.deepEqual([buffer.byteLength, buffer.maxByteLength, buffer.resizable], [8, 16, true])
  assert.equal(buffer.transfer(2).byteLength, 2)
  assert.throws(() => new ArrayBuffer(-1), RangeError)
  assert.throws(() => new ArrayBuffer(8, { maxByteLength: 4 }), RangeError)
  assert.equal(ArrayBuffer.isView(new DataView(new ArrayBuffer(1))), true)
})

test('texts become JSON and lists are made as before', () => {
  const value = { b: listOf([1, 2, undefined, { c: 'x' }], [1]), a: new Date(0), c: Number.NaN }
  for (const given of [
    [],
    [null, 2],
    [['a', 'c']],
    [[1, 'b']],
    [(_key: string, one: unknown) => one],
  ]) {
    assert.equal(
      JSON.stringify(value, ...(given as [])),
      native.apply(native.stringify, JSON, [value, ...given]),
    )
  }
  assert.deepEqual(
    JSON.parse('[1,{"a":2}]', (_key, one) => one),
    [1, { a: 2 }],
  )
  assert.throws(() => JSON.parse('['), SyntaxError)
  const long = { length: 2 ** 20 + 1, 5: 'x' }
  const expected = native.apply(native.arrayFrom, Array, [long, (one: unknown) => one ?? 0])
  assert.deepEqual(
    Array.from(long, (one) => one ?? 0),
    expected,
  )
  assert.deepEqual(
    Array.from(new Set([1, 2]), (one) => one * 2),
    [2, 4],
  )
})

test('functions are called and constructed with lists of any kind as before', () => {
  const all = (...given: unknown[]) => given
  const kinds: unknown[] = [
    [1, 2],
    { length: 2, 0: 1 },
    undefined,
    null,
    new Proxy([1], {}),
    new Uint8Array([1]),
  ]
  for (const list of kinds) {
    const through = (call: (list: never) => unknown) =>
      outcome(() => call(list as never), undefined, [])
    assert.deepEqual(
      through((given) => all.apply(null, given)),
      through((given) =>
        native.apply(Function.prototype.call, all, [null, ...Array.from(given ?? [])]),
      ),
    )
    assert.deepEqual(
      through((given) => Reflect.apply(all, null, given)),
      through((given) => native.apply(all, null, given)),
    )
    assert.deepEqual(
      through((given) => Reflect.construct(Array, given)),
      through((given) => native.construct(Array, given)),
    )
  }
  class Kind {}
  assert.ok(Reflect.construct(Array, [], Kind) instanceof Kind)
  assert.throws(() => all.apply(null, { length: 2 ** 27 } as never), RangeError)
})

const changing: Record<string, (list: unknown[]) => void> = {
  'grows the list': (list) => list.length < 40 && list.push(list.length),
  'shortens the list': (list) => list.pop(),
  'empties the list': (list) => {
    list.length = 0
  },
  'makes holes': (list) => {
    delete list[list.length - 1]
  },
  'makes the list as long as can be': (list) => {
    list.length = 2 ** 32 - 1
  },
}

for (const [what, change] of Object.entries(changing)) {
  test(`a callback that ${what} is called as often as by the built-in methods`, () => {
    for (const name of [
      'every',
      'filter',
      'find',
      'findIndex',
      'forEach',
      'map',
      'reduce',
      'some',
    ]) {
      const follow = (method: Method) => {
        const list: unknown[] = [1, 2, 3, 4, 5]
        const seen: unknown[] = []
        const callback = (...given: unknown[]) => {
          seen.push(given.slice(0, -1))
          change(list)
          return name === 'every'
        }
        const answer = native.apply(method, list, [callback])
        return [answer, seen, list.length]
      }
      assert.deepEqual(
        follow(vetted.array[name] as Method),
        follow(native.array[name] as Method),
        name,
      )
    }
  })
}

test('lists of a class of their own make lists of that class, with this of the callback', () => {
  class Own extends Array<number> {}
  const own = Own.from([1, 2, 3]) as Own
  const self = {}
  const seen = new Set<unknown>()
  const noting = function (this: unknown, one: number) {
    seen.add(this)
    return one > 1
  }
  for (const made of [own.map(noting, self), own.filter(noting, self), own.slice(1)])
    assert.ok(made instanceof Own)
  own.forEach(noting, self)
  own.some(noting, self)
  assert.deepEqual([...seen], [self])
  class Plain extends Array<number> {
    static override get [Symbol.species]() {
      return Array
    }
  }
  assert.ok(!(Plain.from([1]).map((one) => one) instanceof Plain))
})

test('the start of reduce may be undefined, and without one the first item is it', () => {
  const joined = (one: unknown, other: unknown) => `${one}${other}`
  assert.equal([1, 2].reduce(joined as never, undefined as never), 'undefined12')
  assert.equal([1, 2].reduce(joined as never), '12')
  assert.throws(() => ([] as number[]).reduce(joined as never), TypeError)
})

test('methods of lists have the names and lengths of the built-in ones and make no objects', () => {
  for (const [name, method] of Object.entries(vetted.array)) {
    assert.equal(method.length, (native.array[name] as Method).length, name)
    assert.equal(method.name, (native.array[name] as Method).name)
    assert.throws(() => native.construct(method, []), TypeError)
  }
})

/** What is read twice may say something else the second time. */
function changingItsMind<Value>(first: Value, then: Value): () => Value {
  let reads = 0
  return () => (reads++ === 0 ? first : then)
}

test('what is measured is what is used, whatever an object says later', () => {
  const read = changingItsMind(2, 2 ** 32 - 1)
  const list = {
    get length() {
      return read()
    },
  }
  assert.equal(Array.from(list).length, 2)
  const iterate = changingItsMind<unknown>(Array.prototype.values, undefined)
  const iterable = {
    length: 3,
    get [Symbol.iterator]() {
      return iterate()
    },
  }
  assert.equal(Array.from(iterable as never).length, 3)
  const searched = (): never => {
    const text = changingItsMind('a', 'b')
    return { [Symbol.match]: undefined, [Symbol.replace]: undefined, toString: text } as never
  }
  assert.equal('ab'.includes(searched()), true)
  assert.equal('ab'.replaceAll(searched(), 'x'), 'xb')
  assert.equal('ab'.split(searched()).length, 2)
})

test('objects that search by themselves do so as before', () => {
  const by = (symbol: symbol, answer: unknown) => ({ [symbol]: (text: string) => [text, answer] })
  assert.deepEqual('ab'.replace(by(Symbol.replace, 1) as never, 'x'), ['ab', 1])
  assert.deepEqual('ab'.split(by(Symbol.split, 2) as never), ['ab', 2])
  assert.deepEqual('ab'.match(by(Symbol.match, 3) as never), ['ab', 3])
  assert.equal(
    'a1b2'.replace(/\d/g, (digit) => `<${digit}>`),
    'a<1>b<2>',
  )
  assert.equal('a1b2'.replaceAll(/\d/g, '$&$&'), 'a11b22')
  assert.deepEqual('a1b'.split(/(\d)/, 2), ['a', '1'])
  assert.throws(() => 'a'.replaceAll(/a/, 'b'), TypeError)
  assert.throws(() => 'a'.matchAll(/a/), TypeError)
  assert.throws(() => 'a'.includes(/a/ as never), TypeError)
  assert.equal('x'.padEnd({ valueOf: () => 3 } as never, { toString: () => 'ab' } as never), 'xab')
})

test('String.raw puts pieces together as before', () => {
  assert.equal(String.raw`a\n${1}b${null}`, 'a\\n1bnull')
  for (const given of [
    [{ raw: 'abc' }, 1, 2, 3],
    [{ raw: { length: 2, 0: 'x' } }, 5],
    [{ raw: [] }],
  ])
    assert.equal(native.apply(String.raw, String, given), native.apply(native.raw, String, given))
  assert.throws(() => String.raw(null as never), TypeError)
  assert.throws(() => String.raw({ raw: [Symbol('x')] as never }), TypeError)
})

test('proxies do what the built-in ones do', () => {
  const log: unknown[] = []
  const traps = (Kind: ProxyConstructor) => {
    log.length = 0
    const target = Object.assign(() => 1, { a: 1 })
    const handler: ProxyHandler<typeof target> = {
      get: (_, key, receiver) => log.push(['get', key, receiver === proxy]),
      has: (_, key) => log.push(['has', key]) > 0,
      ownKeys: () => ['a', 'b', 'length', 'name'],
    }
    const proxy = new Kind(target, handler) as typeof target & { b?: unknown }
    const early = [proxy.a, 'x' in proxy, Reflect.ownKeys(proxy), proxy(), { ...proxy }.a]
    handler.get = null as never
    handler.set = () => false
    const late = [proxy.a, Reflect.set(proxy, 'a', 2), Reflect.deleteProperty(proxy, 'a')]
    return [early, late, 'a' in target, typeof proxy, [...log]]
  }
  assert.deepEqual(traps(Proxy), traps(native.Proxy))
  for (const Kind of [Proxy, native.Proxy]) {
    assert.throws(() => (Kind as unknown as () => void)(), TypeError)
    assert.throws(() => new Kind({}, null as never), TypeError)
    assert.throws(() => new Kind(1 as never, {}), TypeError)
    assert.throws(() => Reflect.ownKeys(new Kind({}, { ownKeys: () => [1 as never] })), TypeError)
    assert.equal('prototype' in Kind, false)
    assert.deepEqual([Kind.name, Kind.length], ['Proxy', 2])
    const { proxy, revoke } = Kind.revocable<unknown[]>([1], {})
    assert.deepEqual(
      proxy.map((one) => one),
      [1],
    )
    revoke()
    assert.throws(() => proxy.map((one) => one), TypeError)
    assert.throws(() => Object.keys(new Kind(proxy, {})), TypeError)
  }
})

test('regular expressions are made as before, unless their text is long', () => {
  for (const given of [['a+', 'g'], [/b/i], [/b/i, 'g'], [], [undefined], [null], [{}], [5]]) {
    const [made, called, plain] = [
      Reflect.construct(RegExp, given),
      native.apply(RegExp as never, undefined, given) as RegExp,
      native.construct(native.RegExp, given) as RegExp,
    ]
    assert.deepEqual([String(made), String(called)], [String(plain), String(plain)])
    assert.ok(made instanceof RegExp && /x/ instanceof RegExp)
  }
  class Own extends RegExp {}
  assert.ok(new Own('a') instanceof Own)
  const unfinished = '('
  assert.throws(() => new RegExp(unfinished), SyntaxError)
  assert.throws(() => new RegExp('a'.repeat(2 ** 16 + 1)), RangeError)
})

test('names are listed as before, unless there are more places than that', () => {
  const values: unknown[] = [{ b: 1, a: 2 }, [1, 2], 'ab', new Uint8Array(2), new Map(), 5]
  for (const value of values)
    assert.deepEqual(Object.keys(value as object), native.keys(value as object))
  assert.deepEqual(Reflect.ownKeys([1]), native.ownKeys([1]))
  assert.deepEqual(Object.assign({}, 'ab', null, [3]), { 0: 3, 1: 'b' })
  assert.throws(() => Reflect.ownKeys('ab' as never), TypeError)
  const many = 2 ** 19
  const liar = Object.defineProperty(new Uint8Array(many), 'length', { value: 1 })
  const text = 'x'.repeat(many)
  for (const long of [new Uint8Array(many), liar, new Array(many), text, Object(text)]) {
    assert.throws(() => Object.keys(long), RangeError)
    assert.throws(() => Object.assign({}, long), RangeError)
    if (typeof long === 'object') assert.throws(() => Object.keys(new Proxy(long, {})), RangeError)
  }
})

test('long buffers are no JSON, however they came about and wherever they stand', () => {
  const many = 2 ** 20 + 1
  assert.equal(JSON.stringify(new Uint8Array([1, 2])), '{"0":1,"1":2}')
  for (const long of [
    new Uint8Array(many),
    Uint8Array.from({ length: many }),
    new Uint8Array(new ArrayBuffer(many)),
  ])
    assert.throws(() => JSON.stringify([{ long }]), RangeError)
  const nameless = (key: string, value: unknown) => (key === 'long' ? undefined : value)
  assert.equal(JSON.stringify({ long: new Uint8Array(many), a: 1 }, nameless), '{"a":1}')
  assert.equal(
    JSON.stringify({ a: 1, b: [new Date(0)] }, null, 1),
    native.apply(native.stringify, JSON, [{ a: 1, b: [new Date(0)] }, null, 1]),
  )
})

test('texts are encoded as before, unless they are long', () => {
  for (const text of ['é /?', undefined, null, { toString: () => 'é' }, 5])
    assert.equal(encodeURIComponent(text as never), native.encodeURIComponent(text as never))
  assert.equal(0xff, 255)
  assert.equal(Number.parseInt, parseInt)
  assert.throws(() => decodeURIComponent('%'), URIError)
  assert.throws(() => encodeURIComponent('x'.repeat(2 ** 24 + 1)), RangeError)
})
