import './vetted-built-ins.ts'
import type { Transport } from '../rpc/transport.ts'
import { collectWhenIdle } from './collect-idle.ts'
import { nodeCrypto } from './node-crypto.ts'
import type {
  GuestPlatform,
  NativeEncoding,
  NativeTimers,
  NativeUrlParser,
  PreludeTexts,
  UrlParts,
} from './platform.ts'
import { lockDown, startGuest } from './supervisor.ts'
import { noteBytes } from './vetted-buffers.ts'

/** Starts the guest on Node: what is captured here before lockdown is all that it will use of it. */
export function startNodeGuest(texts: PreludeTexts, transport: Transport): void {
  const platform: GuestPlatform = {
    transport: collectWhenIdle(transport),
    texts,
    timers: nativeTimers(),
    crypto: nodeCrypto(),
    encoding: nativeEncoding(),
    url: nativeUrlParser(),
    onUncaught: (listener) => {
      process.on('unhandledRejection', listener)
      process.on('uncaughtException', listener)
    },
  }
  lockDown()
  startGuest(platform)
}

function nativeTimers(): NativeTimers {
  return {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout as NativeTimers['clearTimeout'],
    setImmediate: globalThis.setImmediate,
    clearImmediate: globalThis.clearImmediate as NativeTimers['clearImmediate'],
    elapsedMs: performance.now.bind(performance),
  }
}

/** Longest text that is read as base64, characters: nothing interrupts that either. */
const LONGEST_BASE64 = 2 ** 26

function nativeEncoding(): NativeEncoding {
  const encoder = new TextEncoder()
  const Decoder = TextDecoder
  const { from } = Buffer
  const { fromBase64 } = Uint8Array as unknown as { fromBase64(text: string): Uint8Array }
  const textOf = Buffer.prototype.toString
  return {
    encodeUtf8: (text) => {
      const bytes = encoder.encode(text)
      noteBytes(bytes.length)
      return bytes
    },
    createDecoder: (label, fatal, ignoreBOM) => {
      const decoder = attempt(() => new Decoder(label, { fatal, ignoreBOM }))
      return (
        decoder && {
          encoding: decoder.encoding,
          decode: (bytes, more) => attempt(() => decoder.decode(bytes, { stream: more })),
        }
      )
    },
    toBase64: (bytes) =>
      textOf.call(from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 'base64'),
    // Not by a buffer of Node: small ones share their memory.
    fromBase64: (text) =>
      text.length > LONGEST_BASE64 ? undefined : attempt(() => fromBase64.call(Uint8Array, text)),
  }
}

function nativeUrlParser(): NativeUrlParser {
  const Url = URL
  const { set } = Reflect
  return {
    parse: (url, base) =>
      areShort(url, base) ? attempt(() => toParts(new Url(url, base))) : undefined,
    change: (url, part, value) =>
      attempt(() => {
        if (!areShort(url, value)) return undefined
        const parsed = new Url(url)
        set(parsed, part, value)
        return toParts(parsed)
      }),
  }
}

/** Longest text that is read as an address, characters: nothing interrupts the parser. */
const LONGEST_URL = 2 ** 20

function areShort(...texts: readonly (string | undefined)[]): boolean {
  return texts.every((text = '') => text.length <= LONGEST_URL)
}

function toParts(url: URL): UrlParts {
  const { href, origin, protocol, username, password } = url
  const { host, hostname, port, pathname, search, hash } = url
  return {
    href,
    origin,
    protocol,
    username,
    password,
    host,
    hostname,
    port,
    pathname,
    search,
    hash,
  }
}

function attempt<Value>(run: () => Value): Value | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
