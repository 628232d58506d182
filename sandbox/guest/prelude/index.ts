import { AbortController, AbortSignal, completeAbortSignal } from './abort.ts'
import type { Bridge } from './bridge.ts'
import { DOMException, Event, EventTarget } from './events.ts'
import { createFetch } from './fetch.ts'
import { createRunningPlugin, type RunningPlugin } from './plugin.ts'
import { structuredClone } from './structured-clone.ts'
import { createTextEncoding } from './text-encoding.ts'

export interface Prelude {
  /** What plugins find as globals, none of it with any authority but that of the bridge. */
  globals: Record<string, unknown>
  plugin: RunningPlugin
}

/** Everything web-like that a plugin sees. Evaluated in a compartment of its own, whose globals no plugin can reach. */
export function createPrelude(bridge: Bridge): Prelude {
  completeAbortSignal(bridge)
  const web = createFetch(bridge)
  return {
    globals: {
      ...web,
      ...createTextEncoding(bridge),
      AbortController,
      AbortSignal,
      DOMException,
      Event,
      EventTarget,
      structuredClone: (value: unknown) => structuredClone(value),
    },
    plugin: createRunningPlugin(bridge, web.fetch),
  }
}
