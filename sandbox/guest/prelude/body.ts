import type { Bridge } from './bridge.ts'

export type BodyInit = string | ArrayBuffer | ArrayBufferView | { toString(): string } | null

/** Bytes of a request or answer and the type that follows from what they were made of. */
export interface BodyContent {
  bytes: Uint8Array | null
  type: string | null
}

/** The body mixin of requests and answers (WHATWG Fetch, section 5.3), read as a whole. */
export function createBodyClass(bridge: Bridge) {
  return class Body {
    #bytes: Uint8Array | null
    #used = false

    constructor(bytes: Uint8Array | null) {
      this.#bytes = bytes
    }

    get bodyUsed(): boolean {
      return this.#used
    }

    /** Streams are not there yet; libraries that test for them read the body as a whole. */
    get body(): null {
      return null
    }

    async arrayBuffer(): Promise<ArrayBuffer> {
      return this.#take().slice().buffer as ArrayBuffer
    }

    async bytes(): Promise<Uint8Array> {
      return this.#take().slice()
    }

    async text(): Promise<string> {
      return bridge.createDecoder('utf-8', false, false).decode(this.#take(), false)
    }

    async json(): Promise<unknown> {
      return JSON.parse(await this.text())
    }

    /** The bytes for a copy of this object, or for sending it. */
    static peek(body: Body): Uint8Array | null {
      if (body.#used) throw new TypeError('The body was read already')
      return body.#bytes
    }

    #take(): Uint8Array {
      if (this.#used) throw new TypeError('The body was read already')
      this.#used = this.#bytes !== null
      return this.#bytes ?? new Uint8Array(0)
    }
  }
}

export function readBodyInit(bridge: Bridge, init: unknown): BodyContent {
  if (init === null || init === undefined) return { bytes: null, type: null }
  if (init instanceof ArrayBuffer) return { bytes: new Uint8Array(init).slice(), type: null }
  if (ArrayBuffer.isView(init)) {
    return {
      bytes: new Uint8Array(init.buffer, init.byteOffset, init.byteLength).slice(),
      type: null,
    }
  }
  const form = Object.prototype.toString.call(init) === '[object URLSearchParams]'
  const type = form ? 'application/x-www-form-urlencoded;charset=UTF-8' : 'text/plain;charset=UTF-8'
  return { bytes: bridge.encodeUtf8(String(init)), type }
}
