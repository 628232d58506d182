import type { AbortSignal } from './abort.ts'
import { longestChunk } from './host-bytes.ts'
import { isDisturbed, type ReadableStream, streams } from './streams.ts'

/** Bytes that are pulled, a chunk at a time. */
export interface ByteSource {
  /** @returns null at the end */
  read(): Promise<Uint8Array | null>
  /** Nobody reads on. */
  cancel(reason?: unknown): void
}

/** Gives up `source` when `signal` aborts: reading then fails with its reason. */
export function abortable(source: ByteSource, signal: AbortSignal): ByteSource {
  let refuse: (() => void) | undefined
  const stop = () => {
    source.cancel(signal.reason)
    refuse?.()
  }
  const leave = () => signal.removeEventListener('abort', stop)
  signal.addEventListener('abort', stop)
  return {
    async read() {
      signal.throwIfAborted()
      const aborted = new Promise<never>((_resolve, reject) => {
        refuse = () => reject(signal.reason)
      })
      try {
        const chunk = await Promise.race([source.read(), aborted])
        if (chunk === null) leave()
        return chunk
      } catch (error) {
        leave()
        throw error
      }
    },
    cancel(reason) {
      leave()
      source.cancel(reason)
    },
  }
}

export function sourceOf(stream: ReadableStream): ByteSource {
  const reader = stream.getReader()
  return {
    async read() {
      const { done, value } = await reader.read()
      if (done) return null
      // A view of our own: that of the plugin may say anything of itself.
      if (value instanceof Uint8Array) return toView(value)
      const problem = new TypeError('A stream of bytes must consist of Uint8Array')
      reader.cancel(problem).catch(nothing)
      throw problem
    },
    cancel: (reason) => void reader.cancel(reason).catch(nothing),
  }
}

/** A stream that asks its source for a chunk when it is read, and not before. */
export function toStream(source: ByteSource): ReadableStream<Uint8Array> {
  const { ReadableStream } = streams()
  const bytes = {
    type: 'bytes' as const,
    async pull(controller: StreamController) {
      let chunk = await source.read()
      while (chunk?.byteLength === 0) chunk = await source.read()
      if (chunk) controller.enqueue(chunk)
      else endOf(controller)
    },
    cancel: (reason: unknown) => source.cancel(reason),
  }
  return new ReadableStream(bytes, { highWaterMark: 0 })
}

/** What our streams use of the controller of a stream of bytes. */
export interface StreamController {
  enqueue(chunk: Uint8Array): void
  close(): void
  readonly byobRequest: { respond(written: number): void } | null
}

/** Closed, a stream still owes an answer to whoever brought a buffer of their own. */
export function endOf(controller: StreamController): void {
  controller.close()
  controller.byobRequest?.respond(0)
}

export function bytesSource(bytes: Uint8Array): ByteSource {
  let rest: Uint8Array | null = bytes.byteLength > 0 ? bytes : null
  return {
    async read() {
      // A copy of its own, because a stream takes the memory of its chunks away.
      const chunk = rest?.slice(0, longestChunk) ?? null
      rest = rest && rest.byteLength > longestChunk ? rest.subarray(longestChunk) : null
      return chunk
    },
    cancel() {
      rest = null
    },
  }
}

export async function readAll(source: ByteSource): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for (let chunk = await source.read(); chunk; chunk = await source.read()) {
    chunks.push(chunk)
    length += chunk.byteLength
  }
  if (chunks.length === 1 && chunks[0]) return chunks[0]
  return concat(chunks, length)
}

export function concat(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return whole
}

/** @throws TypeError for what are no bytes */
export function toView(bytes: unknown): Uint8Array {
  if (ArrayBuffer.isView(bytes))
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes)
  throw new TypeError('Expected bytes: a buffer, or a view of one')
}

export function isUsable(stream: ReadableStream): boolean {
  return !stream.locked && !isDisturbed(stream)
}

function nothing(): void {}
