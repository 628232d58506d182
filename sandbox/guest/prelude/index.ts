import type { Connect } from '@fogbow/plugin-sdk'
import { AbortController, AbortSignal, completeAbortSignal } from './abort.ts'
import type { Bridge } from './bridge.ts'
import { createConnect } from './connect.ts'
import { CustomEvent, DOMException, Event, EventTarget } from './events.ts'
import { createFetch } from './fetch.ts'
import { Headers } from './headers.ts'
import { createRunningPlugin, type RunningPlugin } from './plugin.ts'
import { streams } from './streams.ts'
import { structuredClone } from './structured-clone.ts'
import { createTextEncoding } from './text-encoding.ts'
import { createTextStreams } from './text-streams.ts'
import { createUrl } from './url.ts'
import { createWeb } from './web.ts'

export interface Prelude {
  /** What plugins find as globals, none of it with any authority but that of the bridge. */
  globals: Record<string, unknown>
  /** Globals that are made when they are first touched. */
  lateGlobals: Record<string, () => unknown>
  plugin: RunningPlugin
}

/** Everything web-like that a plugin sees. Evaluated in a compartment of its own, whose globals no plugin can reach. */
export function createPrelude(bridge: Bridge): Prelude {
  completeAbortSignal(bridge)
  const web = createWeb(bridge)
  const fetch = createFetch(bridge, web)
  const connect: Connect = createConnect(bridge)
  const coders = createTextEncoding(bridge)
  return {
    globals: named({
      ...web.classes,
      ...coders,
      ...createUrl(bridge),
      ...createTextStreams(coders),
      AbortController,
      AbortSignal,
      CustomEvent,
      DOMException,
      Event,
      EventTarget,
      Headers,
      connect,
      fetch,
      structuredClone: (value: unknown) => structuredClone(value),
    }),
    lateGlobals: Object.fromEntries(streamNames.map((name) => [name, () => streams()[name]])),
    plugin: createRunningPlugin(bridge, { fetch, connect }),
  }
}

/** Bundling may have changed their names, by which some libraries tell them. */
function named(globals: Record<string, unknown>): Record<string, unknown> {
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(value, 'name', { value: name, configurable: true })
  return globals
}

const streamNames = [
  'ByteLengthQueuingStrategy',
  'CountQueuingStrategy',
  'ReadableByteStreamController',
  'ReadableStream',
  'ReadableStreamBYOBReader',
  'ReadableStreamBYOBRequest',
  'ReadableStreamDefaultController',
  'ReadableStreamDefaultReader',
  'TransformStream',
  'TransformStreamDefaultController',
  'WritableStream',
  'WritableStreamDefaultController',
  'WritableStreamDefaultWriter',
] as const
