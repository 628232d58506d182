import type { TransformStream } from 'web-streams-polyfill'
import { streams } from './streams.ts'
import type { createTextEncoding } from './text-encoding.ts'

type Coders = Pick<ReturnType<typeof createTextEncoding>, 'TextEncoder' | 'TextDecoder'>

/** `TextEncoderStream` and `TextDecoderStream` (WHATWG Encoding, section 7). */
export function createTextStreams({ TextEncoder, TextDecoder }: Coders) {
  class TextEncoderStream {
    readonly encoding = 'utf-8'
    readonly readable: TransformStream['readable']
    readonly writable: TransformStream['writable']

    constructor() {
      const encoder = new TextEncoder()
      let lead = ''
      const { readable, writable } = new (streams().TransformStream)<string, Uint8Array>({
        transform(part, controller) {
          const text = lead + String(part)
          // The first half of a pair waits for the second.
          lead = /[\ud800-\udbff]$/.exec(text)?.[0] ?? ''
          const whole = lead ? text.slice(0, -1) : text
          if (whole) controller.enqueue(encoder.encode(whole))
        },
        flush(controller) {
          if (lead) controller.enqueue(encoder.encode(lead))
        },
      })
      this.readable = readable
      this.writable = writable
    }
  }

  class TextDecoderStream {
    readonly encoding: string
    readonly fatal: boolean
    readonly ignoreBOM: boolean
    readonly readable: TransformStream['readable']
    readonly writable: TransformStream['writable']

    constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }) {
      const decoder = new TextDecoder(label, options)
      const { readable, writable } = new (streams().TransformStream)<ArrayBufferView, string>({
        transform(chunk, controller) {
          const text = decoder.decode(chunk, { stream: true })
          if (text) controller.enqueue(text)
        },
        flush(controller) {
          const text = decoder.decode()
          if (text) controller.enqueue(text)
        },
      })
      this.encoding = decoder.encoding
      this.fatal = decoder.fatal
      this.ignoreBOM = decoder.ignoreBOM
      this.readable = readable
      this.writable = writable
    }
  }

  return { TextEncoderStream, TextDecoderStream }
}
