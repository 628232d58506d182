import { FogbowError, invalid } from '@fogbow/plugin-sdk'
import type { HostMethod, HostStreams } from '../sandbox.ts'
import type { SandboxClock } from './clock.ts'
import type { Deadlines } from './deadlines.ts'
import { longestChunk, Source, Target } from './stream-ends.ts'
import { noLongerRead, Pipe } from './stream-pipe.ts'

const MOST_STREAMS = 256
/** A stream that the plugin opened and nobody took in this time ends. */
const TAKE_WITHIN_MS = 60_000
/** A source that was not read for so long may have been forgotten, and has to go when there is no room for another. */
const FORGOTTEN_AFTER_MS = 30_000
const LONGEST_TEXT = Math.ceil(longestChunk / 3) * 4

/** The byte streams of one sandbox. */
export interface StreamTable {
  /**
   * For the broker that answers a call.
   * @param signal - aborts when the plugin gives the call up: it then never learns of the streams made for it
   */
  streamsFor(signal: AbortSignal): HostStreams
  /** What the plugin's side calls: `stream.open`, `read`, `write`, `close` and `cancel`. */
  readonly methods: Readonly<Record<string, HostMethod>>
  /** Ends all that is open; what is offered from now on ends at once. */
  end(reason: FogbowError): void
}

/** Nothing that the plugin says of a stream is believed: numbers, order and content are checked here. */
export function createStreamTable(deadlines: Deadlines, clock: SandboxClock): StreamTable {
  const open = new Map<number, Source | Target>()
  let lastId = 0
  let ended: FogbowError | undefined

  function add(stream: Source | Target): number {
    if (open.size >= MOST_STREAMS) endForgotten()
    const refusal = ended ?? (open.size >= MOST_STREAMS ? tooMany() : undefined)
    if (refusal) {
      stream.end(refusal)
      throw refusal
    }
    const id = ++lastId
    open.set(id, stream)
    stream.onEnd = () => void open.delete(id)
    return id
  }

  /** Plugins that look at the status of an answer only leave its body unread, and nothing tells when it is dropped. */
  function endForgotten(): void {
    const sources = [...open.values()].filter((stream) => stream instanceof Source)
    const idle = sources.filter((source) => source.idleSince + FORGOTTEN_AFTER_MS <= clock.now())
    const longest = idle.sort((one, other) => one.idleSince - other.idleSince)[0]
    if (longest) end(longest, givenUp())
  }

  function find<Kind extends Source | Target>(id: unknown, kind: new (...args: never) => Kind) {
    const stream = open.get(id as number)
    if (stream instanceof kind) return stream
    throw invalid('stream', 'is not open')
  }

  function openUpload(): number {
    const pipe = new Pipe()
    const upload = new Target(pipe, pipe)
    const id = add(upload)
    upload.expire(
      deadlines,
      deadlines.add(TAKE_WITHIN_MS, () => end(upload, untaken())),
    )
    pipe.onLeft = () => end(upload, noLongerRead())
    return id
  }

  function addFor(signal: AbortSignal, stream: Source | Target): number {
    const id = add(stream)
    const giveUp = () => open.get(id) === stream && end(stream, givenUp())
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp)
    return id
  }

  return {
    streamsFor: (signal) => ({
      offer: (source) => addFor(signal, new Source(source[Symbol.asyncIterator](), clock)),
      receive: (sink) => addFor(signal, new Target(sink)),
      take: (id) => find(id, Target).take(),
      release: (id) => open.get(id)?.release(),
    }),
    methods: {
      'stream.open': openUpload,
      'stream.read': async ([id]) => {
        const chunk = await find(id, Source).read()
        return chunk ? toBase64(chunk) : null
      },
      'stream.write': ([id, text]) => find(id, Target).write(fromBase64(text)),
      'stream.close': ([id]) => find(id, Target).close(),
      'stream.cancel': ([id]) => {
        const stream = open.get(id as number)
        if (stream) end(stream, givenUp())
      },
    },
    end(reason) {
      ended = reason
      for (const stream of open.values()) end(stream, reason)
    },
  }
}

function end(stream: Source | Target, reason: Error): void {
  stream.onEnd()
  try {
    stream.end(reason)
  } catch {
    // A broker that fails to give up must not keep the others, or the end of the sandbox.
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

function fromBase64(text: unknown): Uint8Array {
  const short = typeof text === 'string' && text.length <= LONGEST_TEXT
  const bytes = Buffer.from(short ? text : '', 'base64')
  // Whatever is not base64 is left out by the decoder, so the length tells.
  const whole = short && text.length % 4 === 0 && Buffer.byteLength(text, 'base64') === bytes.length
  if (whole && bytes.length <= longestChunk) return bytes
  throw invalid('chunk', `must be base64 of at most ${longestChunk} bytes`)
}

function tooMany(): FogbowError {
  return new FogbowError(
    'too_many_requests',
    `${MOST_STREAMS} streams are open already; read bodies to their end, or cancel them`,
  )
}

function untaken(): FogbowError {
  return new FogbowError('timeout', 'Nobody asked for what is written here')
}

function givenUp(): FogbowError {
  return new FogbowError('timeout', 'The plugin gave the stream up')
}
