import { types } from 'node:util'
import { type Method, replaceMethod } from './stand-in.ts'

/** Places that a built-in may turn into names at once: each becomes a text. */
const MOST_PLACES = 2 ** 18

const { apply } = Reflect
const { isStringObject } = types

/** Built-ins that list the names of what they are given. */
const listing: [holder: object, names: string[]][] = [
  [
    Object,
    [
      'assign',
      'create',
      'defineProperties',
      'entries',
      'freeze',
      'getOwnPropertyDescriptors',
      'getOwnPropertyNames',
      'getOwnPropertySymbols',
      'isFrozen',
      'isSealed',
      'keys',
      'preventExtensions',
      'seal',
      'values',
    ],
  ],
  [Reflect, ['ownKeys']],
]

/**
 * Texts, buffers and lists have a name for each place, made when somebody asks for them, all at once. To be called before
 * lockdown, which then freezes what stands here.
 */
export function vetNames(): void {
  for (const [holder, names] of listing) {
    for (const name of names) {
      const native = Reflect.get(holder, name) as Method
      const vetted = {
        [name](this: unknown, ...args: unknown[]): unknown {
          // The first one of `create` is only to be inherited from.
          for (let at = name === 'create' ? 1 : 0; at < args.length; at++) checkPlaces(args[at])
          return apply(native, this, args)
        },
      }[name]
      replaceMethod(holder, name, vetted)
    }
  }
}

const lengthOfView = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  'length',
)?.get as (this: object) => number
const textOf = String.prototype.valueOf

/**
 * What says how many places there are is not what the plugin says.
 * @throws RangeError when there are too many
 */
export function checkPlaces(value: unknown): void {
  let places = 0
  if (typeof value === 'string') places = value.length
  else if (typeof value !== 'object' || value === null) return
  else if (Array.isArray(value)) places = value.length
  else if (ArrayBuffer.isView(value)) places = apply(lengthOfView as Method, value, []) as number
  else if (isStringObject(value)) places = (apply(textOf as Method, value, []) as string).length
  if (places > MOST_PLACES)
    throw new RangeError(`The names of more than ${MOST_PLACES} places are not listed here`)
}
