import type * as Polyfill from 'web-streams-polyfill'
import { AbortController } from './abort.ts'
import { DOMException } from './events.ts'

/** The classes of WHATWG Streams. */
export type Streams = typeof Polyfill
export type { ReadableStream, WritableStream } from 'web-streams-polyfill'

let loaded: Streams | undefined

/** Evaluates the classes when they are first asked for: most plugins never touch a stream. */
export function streams(): Streams {
  if (loaded) return loaded
  // The names by which the library looks for them.
  Object.assign(globalThis, { AbortController, DOMException })
  // Not `import`, which would evaluate it at once.
  loaded = harden(require('web-streams-polyfill') as Streams)
  hardenHidden(loaded)
  return loaded
}

/** Prototypes of queues and iterators, to which no class leads. */
function hardenHidden({ ReadableStream }: Streams): void {
  const iterator = new ReadableStream().values()
  const reader = new ReadableStream().getReader()
  for (const holder of [iterator, ...Object.values(iterator), ...Object.values(reader)]) {
    const prototype: unknown = Object.getPrototypeOf(Object(holder))
    harden(prototype)
  }
}

export function isReadableStream(value: unknown): value is Polyfill.ReadableStream {
  return loaded !== undefined && value instanceof loaded.ReadableStream
}

/** Whether anything was read from it (WHATWG Streams: IsReadableStreamDisturbed), which the library keeps in a field. */
export function isDisturbed(stream: Polyfill.ReadableStream): boolean {
  return (stream as unknown as { _disturbed: boolean })._disturbed
}
