import type { LogLevel } from './log.ts'
import type { GuestPlatform, PreludeTexts } from './platform.ts'
import type { Bridge } from './prelude/bridge.ts'
import type { Prelude } from './prelude/index.ts'

/** The prelude runs in a compartment of its own: no plugin can put anything in the place of the names it uses. */
export function evaluatePrelude({ prelude, streams }: PreludeTexts, bridge: Bridge): Prelude {
  const compartment = new Compartment()
  // Evaluated when a plugin already runs, but from our text and in this compartment, whose names no plugin reaches.
  const require = () => compartment.evaluate(`(() => { ${streams}\n; return streams })()`)
  Object.assign(compartment.globalThis, { Date, Math, require: harden(require) })
  const create = compartment.evaluate(`(() => { ${prelude}\n; return prelude.createPrelude })()`)
  return harden((create as (bridge: Bridge) => Prelude)(bridge))
}

export interface PluginCompartmentParts {
  platform: GuestPlatform
  globals: Record<string, unknown>
  /** Globals that are made when they are first touched. */
  lateGlobals: Record<string, () => unknown>
  print(level: LogLevel, values: readonly unknown[]): void
  now(): number
}

/** @returns what evaluates a bundle in CommonJS form and answers its plugin definition */
export function createPluginCompartment(parts: PluginCompartmentParts): (code: string) => unknown {
  const compartment = new Compartment()
  const own = compartment.globalThis
  const define = (name: string, value: unknown) =>
    Object.defineProperty(own, name, {
      value: harden(value),
      writable: true,
      enumerable: false,
      configurable: true,
    })
  for (const [name, value] of Object.entries(endowments(parts))) define(name, value)
  for (const [name, make] of Object.entries(parts.lateGlobals)) {
    Object.defineProperty(own, name, {
      get: harden(() => define(name, make())[name]),
      set: harden((value: unknown) => {
        Object.defineProperty(own, name, { value, writable: true, configurable: true })
      }),
      enumerable: false,
      configurable: true,
    })
  }
  own.self = own
  own.global = own
  // The inert constructor: libraries read `Function.prototype`, and calling it throws.
  own.Function = (() => {}).constructor
  for (const name of ['eval', 'Compartment', 'lockdown', 'ModuleSource', 'harden', 'assert'])
    own[name] = undefined
  return (code) => evaluateBundle(compartment, code)
}

/** Imports with a phase, also behind a comment or the dots of a spread. */
const phaseImport =
  /(?:^|[^.]|\.\.\.)\bimport\s*\.(?:\s|\/\*[\s\S]*?\*\/|\/\/.*)*(?:source|defer)\b/

function evaluateBundle(compartment: Compartment, code: string): unknown {
  // What `ses` looks for does not include them, and the engine would ask Node for the module.
  if (phaseImport.test(code))
    throw new SyntaxError('a plugin must not use import.source or import.defer')
  const run = compartment.evaluate(`(function (module, exports) { ${code}\n})`) as (
    module: { exports: Record<string, unknown> },
    exports: Record<string, unknown>,
  ) => void
  const module: { exports: Record<string, unknown> } = { exports: {} }
  run(module, module.exports)
  return module.exports?.default ?? module.exports
}

function endowments({
  platform,
  globals,
  print,
  now,
}: PluginCompartmentParts): Record<string, unknown> {
  return {
    ...globals,
    console: createConsole(print),
    process: createProcess(globals),
    performance: { now: () => coarse(platform.timers.elapsedMs()), timeOrigin: coarse(now()) },
    Date,
    Math,
    Float32Array,
    Float64Array,
  }
}

function createConsole(print: PluginCompartmentParts['print']): object {
  const to =
    (level: LogLevel) =>
    (...values: unknown[]) =>
      print(level, values)
  const nothing = () => {}
  return {
    debug: to('debug'),
    log: to('info'),
    info: to('info'),
    warn: to('warn'),
    error: to('error'),
    trace: to('debug'),
    dir: to('debug'),
    time: nothing,
    timeEnd: nothing,
    group: nothing,
    groupEnd: nothing,
    assert: (holds: unknown, ...values: unknown[]) => {
      if (!holds) print('error', ['Assertion failed:', ...values])
    },
  }
}

/** What libraries look at to find out where they run. */
function createProcess(globals: Record<string, unknown>): object {
  const later = globals.queueMicrotask as (run: () => void) => void
  return {
    env: {},
    argv: [],
    version: 'v0.0.0',
    versions: {},
    platform: 'linux',
    cwd: () => '/',
    emitWarning: () => {},
    nextTick: (run: (...args: unknown[]) => void, ...args: unknown[]) => later(() => run(...args)),
  }
}

/** Fine clocks help to read what others compute; a tenth of a millisecond suffices to measure a request. */
function coarse(ms: number): number {
  return Math.round(ms * 10) / 10
}
