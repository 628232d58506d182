export type Method = (this: unknown, ...args: unknown[]) => unknown
export type Constructor = new (...args: never[]) => object

/** Puts a method in the place of a built-in one of that name, which looks as that did. */
export function replaceMethod(holder: object, name: PropertyKey, value: unknown): void {
  const native = Reflect.get(holder, name) as Method
  Object.defineProperty(value, 'length', { value: native.length, configurable: true })
  replaceValue(holder, name, value)
}

export function replaceValue(holder: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(holder, name, {
    value,
    writable: true,
    enumerable: false,
    configurable: true,
  })
}

/**
 * Puts a class in front of a built-in one: the same prototype and static members, another constructor.
 * @param make - is given the built-in one as its target when nobody extends the class
 * @param call - what it does without `new`; absent: it refuses
 */
export function standIn(
  native: Constructor,
  make: (args: unknown[], target: Constructor) => object,
  call?: (args: unknown[]) => object,
): void {
  const { [native.name]: vetted } = {
    [native.name]: function (...args: unknown[]): object {
      const target = new.target as unknown
      if (target !== undefined) return make(args, target === vetted ? native : (target as never))
      if (call) return call(args)
      throw new TypeError(`${native.name} requires 'new'`)
    },
  } as unknown as Record<string, Constructor>
  if (!vetted) return
  Object.setPrototypeOf(vetted, Object.getPrototypeOf(native))
  for (const key of Reflect.ownKeys(native)) {
    const property = Object.getOwnPropertyDescriptor(native, key) as PropertyDescriptor
    Object.defineProperty(vetted, key, property)
  }
  replaceValue(native.prototype, 'constructor', vetted)
  replaceValue(globalThis, native.name, vetted)
}
