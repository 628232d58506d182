import type { BlobClasses } from './blob.ts'
import type { Bridge } from './bridge.ts'
import {
  type ByteSource,
  bytesSource,
  isUsable,
  readAll,
  sourceOf,
  toStream,
  toView,
} from './byte-source.ts'
import { decodeForm, encodeMultipart, type FormData, type FormDataClass } from './form-data.ts'
import type { Headers } from './headers.ts'
import { isDisturbed, isReadableStream, type ReadableStream, streams } from './streams.ts'

/** What a body consists of: bytes that are there, bytes that are pulled, or a stream of somebody's. */
export type Content = Uint8Array | ByteSource | ReadableStream | null

export interface BodyParts {
  content: Content
  /** Media type that follows from what the body was made of. */
  type: string | null
}

/** Content that is used as it is, without a type; plugins never see one. */
export class ReadyContent {
  readonly content: Content

  constructor(content: Content) {
    this.content = content
  }
}

export interface BodyKinds {
  bridge: Bridge
  blobs: BlobClasses
  FormData: FormDataClass
}

export type BodyClasses = ReturnType<typeof createBody>

/** The body mixin of requests and answers (WHATWG Fetch, section 5.3). A stream is made only when one is asked for. */
export function createBody({ bridge, blobs, FormData }: BodyKinds) {
  class Body {
    readonly headers: Headers
    #content: Content
    #used = false

    constructor(content: Content, headers: Headers) {
      this.#content = content
      this.headers = headers
    }

    get bodyUsed(): boolean {
      return this.#used || (isReadableStream(this.#content) && isDisturbed(this.#content))
    }

    get body(): ReadableStream<Uint8Array> | null {
      if (this.#content === null) return null
      if (!isReadableStream(this.#content))
        this.#content = this.#used ? spentStream() : toStream(toSource(this.#content))
      return this.#content
    }

    async arrayBuffer(): Promise<ArrayBuffer> {
      return (await this.bytes()).buffer as ArrayBuffer
    }

    async bytes(): Promise<Uint8Array> {
      return (await this.#readAll()).slice()
    }

    async blob(): Promise<InstanceType<BlobClasses['Blob']>> {
      const bytes = await this.#readAll()
      return new blobs.Blob([bytes], { type: this.headers.get('content-type') ?? '' })
    }

    async text(): Promise<string> {
      const bytes = await this.#readAll()
      return bridge.createDecoder('utf-8', false, false)?.decode(bytes, false) ?? ''
    }

    async json(): Promise<unknown> {
      return JSON.parse(await this.text())
    }

    async formData(): Promise<FormData> {
      const bytes = await this.#readAll()
      return decodeForm(
        bridge,
        blobs,
        new FormData(),
        bytes,
        this.headers.get('content-type') ?? '',
      )
    }

    async #readAll(): Promise<Uint8Array> {
      const content = this.#take()
      if (content === null || content instanceof Uint8Array) return content ?? new Uint8Array(0)
      return readAll(toSource(content))
    }

    #take(): Content {
      this.#refuseUsed()
      const content = this.#content
      this.#used = content !== null
      return content
    }

    #refuseUsed(): void {
      const locked = isReadableStream(this.#content) && this.#content.locked
      if (locked || this.bodyUsed)
        throw new TypeError('The body was read already, or somebody is reading it')
    }

    /** The content, for whoever sends it; plugins see a class without it. */
    static take(body: Body): Content {
      return body.#take()
    }

    /** A second body of the same content. */
    static fork(body: Body): Content {
      body.#refuseUsed()
      if (body.#content === null || body.#content instanceof Uint8Array) return body.#content
      const [one, other] = (body.body as ReadableStream).tee()
      body.#content = one
      return other
    }
  }

  const { take, fork } = Body
  Reflect.deleteProperty(Body, 'take')
  Reflect.deleteProperty(Body, 'fork')

  /** @throws TypeError for a stream that somebody else reads, or has */
  function readInit(init: unknown): BodyParts {
    if (init === null || init === undefined) return { content: null, type: null }
    if (init instanceof ReadyContent) return { content: init.content, type: null }
    if (isReadableStream(init)) {
      if (!isUsable(init)) throw new TypeError('The stream was read already, or somebody reads it')
      return { content: init, type: null }
    }
    if (init instanceof ArrayBuffer || ArrayBuffer.isView(init))
      return { content: toView(init).slice(), type: null }
    if (init instanceof blobs.Blob) return { content: blobs.bytesOf(init), type: init.type || null }
    if (init instanceof FormData) {
      const { bytes, type } = encodeMultipart(bridge, blobs, init)
      return { content: bytes, type }
    }
    if (isForeignStream(init)) return { content: streams().ReadableStream.from(init), type: null }
    const form = Object.prototype.toString.call(init) === '[object URLSearchParams]'
    const type = form
      ? 'application/x-www-form-urlencoded;charset=UTF-8'
      : 'text/plain;charset=UTF-8'
    return { content: bridge.encodeUtf8(String(init)), type }
  }

  return { Body, take, fork, readInit }
}

/** Bytes in any other form that can be iterated, such as the streams of a library's own. */
function isForeignStream(init: unknown): init is AsyncIterable<Uint8Array> {
  return typeof init === 'object' && init !== null && Symbol.asyncIterator in init
}

/** What content other than a stream is read by; a stream is locked by it. */
export function toSource(content: Exclude<Content, null>): ByteSource {
  if (content instanceof Uint8Array) return bytesSource(content)
  return isReadableStream(content) ? sourceOf(content) : content
}

/** What stands for a body that was read as a whole. */
function spentStream(): ReadableStream<Uint8Array> {
  const stream = toStream(bytesSource(new Uint8Array(0)))
  stream.cancel().catch(() => {})
  return stream
}
