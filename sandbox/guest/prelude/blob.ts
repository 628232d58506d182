import type { Bridge } from './bridge.ts'
import { bytesSource, concat, toStream, toView } from './byte-source.ts'
import type { ReadableStream } from './streams.ts'

/** What a blob is made of: texts, buffers and other blobs. */
export type BlobPart = unknown

export type BlobClasses = ReturnType<typeof createBlob>

/** `Blob` and `File` (W3C File API), held in memory. */
export function createBlob(bridge: Bridge) {
  class Blob {
    readonly type: string
    #bytes: Uint8Array

    constructor(parts: Iterable<BlobPart> = [], options: { type?: string } = {}) {
      const chunks = [...parts].map((part) => toBytes(part))
      const size = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
      this.#bytes = concat(chunks, size)
      this.type = toType(options?.type)
    }

    get size(): number {
      return this.#bytes.byteLength
    }

    slice(start?: number, end?: number, type?: string): Blob {
      const part = new Blob([], type === undefined ? {} : { type })
      part.#bytes = this.#bytes.subarray(start, end)
      return part
    }

    stream(): ReadableStream<Uint8Array> {
      return toStream(bytesSource(this.#bytes))
    }

    async arrayBuffer(): Promise<ArrayBuffer> {
      return this.#bytes.slice().buffer as ArrayBuffer
    }

    async bytes(): Promise<Uint8Array> {
      return this.#bytes.slice()
    }

    async text(): Promise<string> {
      return bridge.createDecoder('utf-8', false, false)?.decode(this.#bytes, false) ?? ''
    }

    get [Symbol.toStringTag](): string {
      return 'Blob'
    }

    /** Its bytes, not to be changed; plugins see a class without it. */
    static bytesOf(blob: Blob): Uint8Array {
      return blob.#bytes
    }
  }

  const { bytesOf } = Blob
  Reflect.deleteProperty(Blob, 'bytesOf')

  class File extends Blob {
    readonly name: string
    readonly lastModified: number

    constructor(
      parts: Iterable<BlobPart>,
      name: string,
      options: { type?: string; lastModified?: number } = {},
    ) {
      super(parts, options)
      this.name = String(name)
      this.lastModified = Number(options?.lastModified ?? bridge.now())
    }

    override get [Symbol.toStringTag](): string {
      return 'File'
    }
  }

  function toBytes(part: unknown): Uint8Array {
    if (part instanceof Blob) return bytesOf(part)
    if (part instanceof ArrayBuffer || ArrayBuffer.isView(part)) return toView(part)
    return bridge.encodeUtf8(String(part))
  }

  return { Blob, File, bytesOf: (blob: InstanceType<typeof Blob>) => bytesOf(blob) }
}

/** A type with other characters than printable ones is none. */
function toType(type: unknown): string {
  const text = String(type ?? '')
  return /^[\x20-\x7e]*$/.test(text) ? text.toLowerCase() : ''
}
