import { types } from 'node:util'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { Transport } from '../rpc/transport.ts'
import { nodeCrypto } from './node-crypto.ts'
import type { GuestPlatform, NativeEncoding, NativeTimers } from './platform.ts'
import { lockDown, startGuest } from './supervisor.ts'

/** Entry of the guest in a worker thread: what it captures here before lockdown is all that it will use of Node. */
export function startWorkerGuest(): void {
  const { prelude, liveness } = workerData as { prelude: string; liveness: MessagePort }
  liveness.on('message', (question) => liveness.postMessage(question))
  const platform: GuestPlatform = {
    transport: parentTransport(),
    prelude,
    timers: nativeTimers(),
    crypto: nodeCrypto(),
    encoding: nativeEncoding(),
    URL: withoutStatics(URL, ['createObjectURL', 'revokeObjectURL']),
    URLSearchParams,
    isProxy: types.isProxy,
    onUncaught: (listener) => {
      process.on('unhandledRejection', listener)
      process.on('uncaughtException', listener)
    },
  }
  lockDown(types.isProxy)
  hardenIterators()
  startGuest(platform)
}

function parentTransport(): Transport {
  const port = parentPort as MessagePort
  return {
    send: (text) => port.postMessage(text),
    onMessage: (listener) => port.on('message', listener),
    onClose: (listener) => port.on('close', () => listener('the host closed the channel')),
    close: () => port.close(),
  }
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

function nativeEncoding(): NativeEncoding {
  const encoder = new TextEncoder()
  const Decoder = TextDecoder
  const { from } = Buffer
  const checkBase64 = globalThis.atob
  const textOf = Buffer.prototype.toString
  return {
    encodeUtf8: (text) => encoder.encode(text),
    createDecoder: (label, fatal, ignoreBOM) => {
      const decoder = new Decoder(label, { fatal, ignoreBOM })
      return {
        encoding: decoder.encoding,
        decode: (bytes, more) => decoder.decode(bytes, { stream: more }),
      }
    },
    toBase64: (bytes) =>
      textOf.call(from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 'base64'),
    // A copy: small buffers of Node share their memory.
    fromBase64: (text) => {
      checkBase64(text)
      return new Uint8Array(from(text, 'base64'))
    },
  }
}

/** URLs are given to plugins as they are, but not what registers objects process-wide. */
function withoutStatics(holder: object, names: readonly string[]): object {
  for (const name of names) Reflect.deleteProperty(holder, name)
  return holder
}

/** Hidden prototypes that no class leads to. */
function hardenIterators(): void {
  const parameters = new URLSearchParams('a=b')
  for (const iterator of [parameters.keys(), parameters.values(), parameters.entries()]) {
    harden(Object.getPrototypeOf(iterator))
  }
}
