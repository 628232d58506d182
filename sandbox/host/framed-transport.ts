import type { Socket } from 'node:net'
import { ProtocolError } from '../rpc/frame.ts'
import { createFrameWriter, FrameReader } from '../rpc/framing.ts'
import type { Transport } from '../rpc/transport.ts'
import { readDirectly } from './read-directly.ts'

export interface FramedTransportOptions {
  socket: Socket
  /** Bytes of a text. */
  longestFrame: number
  /** Bytes sent and not read by the other side, above which it is given up. */
  mostUnread: number
  /** Resolves with the reason when the other side is gone. */
  exited: Promise<string>
}

/** Frames handled in one go; a flood of tiny ones must not keep the site from its other work. */
const FRAMES_AT_ONCE = 256
const CLOSE_PATIENCE_MS = 250

/** The host's end of a channel to a process, which it does not trust. */
export function framedTransport(options: FramedTransportOptions): Transport {
  const reader = new FrameReader(options.longestFrame)
  const socket = readDirectly(options.socket, (bytes) => {
    reader.push(bytes)
    handle()
  })
  const writer = createFrameWriter((bytes) => {
    socket.write(bytes)
    return socket.writableLength === 0
  })
  let receive: (text: string) => void = () => {}
  let listener: ((reason: string, broken?: boolean) => void) | undefined
  let closed = false

  function close(): void {
    closed = true
    socket.destroy()
  }

  function fail(reason: string, broken = false): void {
    if (closed) return
    close()
    listener?.(reason, broken)
  }

  function handle(): void {
    try {
      for (let frames = 0; frames < FRAMES_AT_ONCE && !closed; frames++) {
        const text = reader.next()
        if (text === undefined) return
        receive(text)
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      fail(error.message, true)
    }
    if (!closed) handleRestLater()
  }

  function handleRestLater(): void {
    socket.pause()
    setImmediate(() => {
      if (closed) return
      socket.resume()
      handle()
    })
  }

  socket.on('error', () => socket.destroy())
  // A channel closes when its process ends, which says why; one that closes alone is given up a little later.
  socket.on('close', () => {
    if (!closed) setTimeout(fail, CLOSE_PATIENCE_MS, 'it closed its channel').unref()
  })
  void options.exited.then((reason) => fail(reason))

  return {
    send(text) {
      if (closed) return
      writer.write(text)
      if (socket.writableLength > options.mostUnread) fail('it does not read what it is sent')
    },
    onMessage: (onMessage) => {
      receive = onMessage
    },
    onClose: (onClose) => {
      listener = onClose
    },
    close,
  }
}
