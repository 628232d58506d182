import { invalid } from '@fogbow/plugin-sdk'
import type { ByteSink, HostCall, HostStreams } from '@fogbow/sandbox'

/** Both ends of the byte streams of a sandbox, without a sandbox. */
export interface MemoryStreams extends HostStreams {
  /** What the plugin can read under a number. */
  source(id: number): AsyncIterator<Uint8Array>
  /** What the plugin can write to. */
  sink(id: number): ByteSink
  /** As a plugin that opens a stream to write `content`. */
  open(content: AsyncIterable<Uint8Array>): number
  readonly released: number[]
}

export function createMemoryStreams(): MemoryStreams {
  const sources = new Map<number, AsyncIterator<Uint8Array>>()
  const sinks = new Map<number, ByteSink>()
  const uploads = new Map<unknown, AsyncIterable<Uint8Array>>()
  const released: number[] = []
  let lastId = 0
  function put<Stream>(map: Map<number, Stream>, stream: Stream): number {
    map.set(++lastId, stream)
    return lastId
  }
  function get<Stream>(map: Map<unknown, Stream>, id: unknown): Stream {
    const stream = map.get(id)
    if (stream === undefined) throw invalid('stream', 'is not open')
    return stream
  }
  return {
    released,
    offer: (source) => put(sources, source[Symbol.asyncIterator]()),
    receive: (sink) => put(sinks, sink),
    take(id) {
      const upload = get(uploads, id)
      uploads.delete(id)
      return upload
    },
    release: (id) => void released.push(id),
    source: (id) => get(sources, id),
    sink: (id) => get(sinks, id),
    open: (content) => put(uploads as Map<number, AsyncIterable<Uint8Array>>, content),
  }
}

/** A call of a plugin, for brokers under test. */
export function hostCall(
  streams: HostStreams = createMemoryStreams(),
  signal: AbortSignal = new AbortController().signal,
): HostCall {
  return { streams, signal }
}
