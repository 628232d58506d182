import { Socket } from 'node:net'
import { createFrameWriter, FrameReader } from '../rpc/framing.ts'
import type { Transport } from '../rpc/transport.ts'
import { startNodeGuest } from './node-platform.ts'

/** Numbers under which the host hands its channels to the process. */
const CHANNEL = 3
const LIVENESS = 4
const READ_AT_ONCE = 65_536

/** Entry of the guest in a process of its own. It ends with its channel, and so with its host. */
export function start(prelude: string, streams: string): void {
  const liveness: Socket = openSocket(LIVENESS, 64, (bytes) => liveness.write(Buffer.from(bytes)))
  startNodeGuest({ prelude, streams }, channelTransport())
}

function channelTransport(): Transport {
  const reader = new FrameReader(Number.POSITIVE_INFINITY)
  let receive: (text: string) => void = () => {}
  const socket = openSocket(CHANNEL, READ_AT_ONCE, (bytes) => {
    reader.push(bytes)
    for (let text = reader.next(); text !== undefined; text = reader.next()) receive(text)
  })
  const writer = createFrameWriter((bytes) => {
    socket.write(bytes)
    return socket.writableLength === 0
  })
  return {
    send: (text) => writer.write(text),
    onMessage: (listener) => {
      receive = listener
    },
    // The process ends with the channel.
    onClose: () => {},
    close: () => socket.destroy(),
  }
}

/** @param onBytes - the bytes are good for the time of the call only */
function openSocket(fd: number, longestRead: number, onBytes: (bytes: Buffer) => void): Socket {
  const { reallyExit } = process as unknown as { reallyExit(code: number): void }
  const buffer = Buffer.alloc(longestRead)
  const socket = new Socket({
    fd,
    readable: true,
    writable: true,
    onread: {
      buffer,
      callback: (length) => {
        onBytes(buffer.subarray(0, length))
        return true
      },
    },
  })
  const end = () => reallyExit.call(process, 0)
  socket.on('error', end)
  socket.on('close', end)
  socket.on('end', end)
  return socket
}
