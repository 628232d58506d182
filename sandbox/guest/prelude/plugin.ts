import type { CallContext, Connect, PluginHost, Storage } from '@fogbow/plugin-sdk'
import { AbortController, type AbortSignal } from './abort.ts'
import type { Bridge } from './bridge.ts'

type Method = (...args: unknown[]) => unknown

/** A plugin between its definition and its calls. */
export interface RunningPlugin {
  /**
   * Runs `create` of the definition.
   * @returns `kind.method` of everything that the plugin offers
   */
  start(definition: unknown, config: Record<string, unknown>): Promise<string[]>
  call(method: string, args: readonly unknown[], call: CallOfHost): unknown
}

/** What is known of a call beside its arguments. */
export interface CallOfHost {
  /** ms left for the answer when it arrived; 0: no deadline */
  readonly remainingMs: number
  /** Is given what to call when the caller gives up. */
  onCancel(listener: () => void): void
}

export interface Reach {
  fetch: unknown
  connect: Connect
}

export function createRunningPlugin(bridge: Bridge, reach: Reach): RunningPlugin {
  harden(PluginCall)
  const methods = new Map<string, Method>()
  const stopping = new AbortController()

  return {
    async start(definition, config) {
      const create = (definition as { create?: unknown } | null | undefined)?.create
      if (typeof create !== 'function') {
        throw new TypeError("the entry's default export must be what definePlugin(…) returns")
      }
      const host = createHost(bridge, reach, config, stopping.signal)
      const parts: unknown = await create.call(definition, host)
      if (typeof parts !== 'object' || parts === null)
        throw new TypeError('create() must return the kinds offered')
      for (const [kind, part] of Object.entries(parts)) {
        for (const name of methodNames(part)) {
          methods.set(
            `${kind}.${name}`,
            (part as Record<string, Method>)[name]?.bind(part) as Method,
          )
        }
      }
      return [...methods.keys()]
    },
    call(method, args, call) {
      const run = methods.get(method)
      if (!run) throw new TypeError(`${method} is not offered`)
      return runWith(run, args, new PluginCall(bridge, call))
    },
  }
}

/** By number: where the language is frozen, spreading a list takes longer than all else about a call. */
function runWith(run: Method, args: readonly unknown[], call: PluginCall): unknown {
  switch (args.length) {
    case 0:
      return run(call)
    case 1:
      return run(args[0], call)
    case 2:
      return run(args[0], args[1], call)
    case 3:
      return run(args[0], args[1], args[2], call)
    default:
      return run(...args, call)
  }
}

/** Methods of a plain object as well as of an instance of a class. */
function methodNames(part: unknown): string[] {
  const names = new Set<string>()
  for (
    let holder = part;
    isObject(holder) && holder !== Object.prototype;
    holder = Object.getPrototypeOf(holder)
  ) {
    for (const name of Object.getOwnPropertyNames(holder)) {
      if (name !== 'constructor' && typeof (part as Record<string, unknown>)[name] === 'function')
        names.add(name)
    }
  }
  return [...names]
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Makes its signal when it is first asked for: few plugins look at it. */
class PluginCall implements CallContext {
  readonly deadline: number
  readonly #call: CallOfHost
  #signal: AbortSignal | undefined

  constructor(bridge: Bridge, call: CallOfHost) {
    const { remainingMs } = call
    this.deadline = remainingMs > 0 ? bridge.now() + remainingMs : Number.MAX_SAFE_INTEGER
    this.#call = call
  }

  get signal(): globalThis.AbortSignal {
    if (!this.#signal) {
      const controller = new AbortController()
      this.#signal = controller.signal
      this.#call.onCancel(() => controller.abort())
    }
    return this.#signal as unknown as globalThis.AbortSignal
  }
}

function createHost(
  bridge: Bridge,
  { fetch, connect }: Reach,
  config: Record<string, unknown>,
  signal: AbortSignal,
): PluginHost {
  const ask = async (method: string, ...args: unknown[]): Promise<unknown> =>
    bridge.callHost(method, args).answer
  const log = (level: string) => (message: string, fields?: Record<string, unknown>) =>
    bridge.log(level, message, fields)
  const storage = {
    get: async (key) => {
      // A list, so that a stored null is told from a key that is not there.
      const [value] = (await ask('storage.get', key)) as unknown[]
      return value
    },
    set: async (key, value) => {
      if (value === undefined) throw new TypeError(`storage: the value of '${key}' is not JSON`)
      await ask('storage.set', key, value)
    },
    delete: async (key) => {
      await ask('storage.delete', key)
    },
    list: (prefix, options) => ask('storage.list', prefix, options ?? {}),
    write: async (changes) => {
      await ask('storage.write', changes)
    },
  } as Storage
  return harden({
    config,
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    fetch: fetch as PluginHost['fetch'],
    connect,
    secrets: { get: async (name: string) => String(await ask('secrets.get', name)) },
    storage,
    clock: { now: () => bridge.now(), sleep: (ms, given) => sleep(bridge, ms, given) },
    signal: signal as unknown as globalThis.AbortSignal,
  })
}

function sleep(bridge: Bridge, ms: number, signal?: globalThis.AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const giveUp = () => {
      bridge.clearTimeout(token)
      reject(signal?.reason)
    }
    const token = bridge.setTimeout(() => {
      signal?.removeEventListener('abort', giveUp)
      resolve()
    }, ms)
    signal?.addEventListener('abort', giveUp)
  })
}
