import { type Method, replaceMethod, replaceValue } from './stand-in.ts'

/** Names that a trap may list at once: the engine makes room for them and reads them without a pause. */
const MOST_NAMES = 2 ** 20

const { apply } = Reflect

/**
 * Proxies whose traps cannot lead the engine astray. To be called before lockdown, which then freezes what stands here.
 * @returns whether a list is a proxy of one; asked in each call of a method of lists, so it has to be quick
 */
export function vetProxies(): (list: object) => boolean {
  const Native = Proxy
  const Traps = createTraps()
  const proxied = new WeakSet<object>()
  let some = false

  const trapsOf = (handler: object) => (isObject(handler) ? new Traps(handler) : handler)
  function note<Made extends object>(target: object, proxy: Made): Made {
    if (isListOrRevoked(target)) {
      some = true
      proxied.add(proxy)
    }
    return proxy
  }

  // Bound, so that it has no prototype: as the built-in one it cannot be extended.
  const vetted = function (this: unknown, target: object, handler: object): object {
    if (new.target === undefined) throw new TypeError("Proxy requires 'new'")
    return note(target, new Native(target, trapsOf(handler)))
  }.bind(undefined)
  const { revocable } = {
    revocable(target: object, handler: object) {
      const made = Native.revocable(target, trapsOf(handler))
      note(target, made.proxy)
      return made
    },
  }
  Object.defineProperty(vetted, 'name', { value: 'Proxy', configurable: true })
  replaceValue(vetted, 'revocable', Native.revocable)
  replaceMethod(vetted, 'revocable', revocable)
  replaceValue(globalThis, 'Proxy', vetted)
  return (list) => some && proxied.has(list)
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function isListOrRevoked(target: object): boolean {
  try {
    return Array.isArray(target)
  } catch {
    return true
  }
}

/** Hands each trap on to that of the handler, read anew each time as the language has it, or to the target. */
function createTraps(): new (handler: object) => object {
  class Traps {
    readonly #handler: Record<string, unknown>

    constructor(handler: object) {
      this.#handler = handler as Record<string, unknown>
    }

    static add(name: string, fallback: Method, check: (answer: unknown) => unknown): void {
      replaceValue(Traps.prototype, name, function (this: Traps, ...args: unknown[]): unknown {
        const trap = this.#handler[name]
        if (trap === undefined || trap === null) return apply(fallback, undefined, args)
        return check(apply(trap as Method, this.#handler, args))
      })
    }
  }
  const asItIs = (answer: unknown) => answer
  for (const [name, fallback] of Object.entries(Object.getOwnPropertyDescriptors(Reflect)))
    if (typeof fallback.value === 'function')
      Traps.add(name, fallback.value as Method, name === 'ownKeys' ? shortList : asItIs)
  return Traps
}

/** Read by steps that can be interrupted. */
function shortList(answer: unknown): unknown {
  if (!isObject(answer)) return answer
  const list = answer as ArrayLike<unknown>
  const length = Math.trunc(Number(list.length)) || 0
  if (length > MOST_NAMES) {
    throw new RangeError(`ownKeys: at most ${MOST_NAMES} names are allowed here`)
  }
  const copy: unknown[] = []
  for (let at = 0; at < length; at++) copy[at] = list[at]
  return copy
}
