import type { NativeDecoder } from '../platform.ts'
import type { Bridge } from './bridge.ts'
import { toView } from './byte-source.ts'
import { DOMException } from './events.ts'

/** `TextEncoder`, `TextDecoder`, `atob` and `btoa` (WHATWG Encoding; HTML, section 8.3) over plain functions. */
export function createTextEncoding(bridge: Bridge) {
  class TextEncoder {
    get encoding(): string {
      return 'utf-8'
    }

    encode(text = ''): Uint8Array {
      return bridge.encodeUtf8(String(text))
    }

    encodeInto(text: string, target: Uint8Array): { read: number; written: number } {
      let read = 0
      let written = 0
      for (const character of String(text)) {
        const bytes = bridge.encodeUtf8(character)
        if (written + bytes.length > target.length) break
        target.set(bytes, written)
        read += character.length
        written += bytes.length
      }
      return { read, written }
    }
  }

  class TextDecoder {
    readonly fatal: boolean
    readonly ignoreBOM: boolean
    #decoder: NativeDecoder

    constructor(label = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
      this.fatal = Boolean(options.fatal)
      this.ignoreBOM = Boolean(options.ignoreBOM)
      const decoder = bridge.createDecoder(String(label), this.fatal, this.ignoreBOM)
      if (!decoder)
        throw new RangeError(`The encoding '${String(label).slice(0, 64)}' is not known`)
      this.#decoder = decoder
    }

    get encoding(): string {
      return this.#decoder.encoding
    }

    decode(input?: ArrayBuffer | ArrayBufferView, options: { stream?: boolean } = {}): string {
      const text = this.#decoder.decode(
        input ? toView(input) : new Uint8Array(0),
        Boolean(options.stream),
      )
      if (text === undefined) throw new TypeError(`The bytes are no ${this.encoding}`)
      return text
    }
  }

  return {
    TextEncoder,
    TextDecoder,
    atob: (text: unknown): string => {
      const bytes = bridge.fromBase64(String(text))
      if (!bytes) throw new DOMException('The text is not base64', 'InvalidCharacterError')
      let binary = ''
      for (const byte of bytes) binary += String.fromCharCode(byte)
      return binary
    },
    btoa: (text: unknown): string => {
      const binary = String(text)
      const bytes = new Uint8Array(binary.length)
      for (let at = 0; at < binary.length; at++) {
        const code = binary.charCodeAt(at)
        if (code > 255)
          throw new DOMException('The text must consist of bytes', 'InvalidCharacterError')
        bytes[at] = code
      }
      return bridge.toBase64(bytes)
    },
  }
}
