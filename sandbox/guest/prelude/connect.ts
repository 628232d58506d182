import type { Connect, Socket, SocketAddress, SocketOptions } from '@fogbow/plugin-sdk'
import type { Bridge } from './bridge.ts'
import { type ByteSource, endOf, type StreamController, toView } from './byte-source.ts'
import { hostSource, writeToHost } from './host-bytes.ts'
import { streams } from './streams.ts'

/** Form of the host's answer: a connection, and the numbers of its two streams. */
interface HostSocket {
  id: number
  remoteAddress: string
  readable: number
  writable: number
}

/** `connect` of the Sockets API (WinterTC): TCP and TLS as the host permits. */
export function createConnect(bridge: Bridge): Connect {
  return ({ hostname, port }: SocketAddress, { secureTransport = 'off' }: SocketOptions = {}) => {
    const target = {
      hostname: String(hostname),
      port: Number(port),
      secureTransport: String(secureTransport),
    }
    const asked = bridge.callHost('connect', [target]).answer as Promise<HostSocket>
    return openSocket(bridge, asked, secureTransport === 'starttls')
  }
}

/** @param connecting - the connection as the host answers it */
function openSocket(bridge: Bridge, connecting: Promise<HostSocket>, mayStartTls: boolean): Socket {
  const { ReadableStream, WritableStream } = streams()
  const open = new Connection(bridge, connecting)
  const readable = new ReadableStream<Uint8Array>(
    {
      type: 'bytes',
      start: (controller) => open.begin(controller),
      pull: () => open.read(),
      cancel: () => open.stopReading(),
    },
    { highWaterMark: 0 },
  )
  const writable = new WritableStream<Uint8Array>({
    start: () => open.ready,
    write: (chunk) => open.write(chunk),
    close: () => open.stopWriting('stream.close'),
    abort: () => open.stopWriting('stream.cancel'),
  })
  let upgraded = false
  const socket = {
    readable,
    writable,
    opened: open.opened,
    closed: open.closed,
    close: () => open.close(),
    startTls: () => {
      if (!mayStartTls || upgraded)
        throw new TypeError("startTls() is for sockets with secureTransport: 'starttls', once")
      upgraded = true
      return openSocket(bridge, open.startTls(), false)
    },
  }
  return Object.freeze(socket) as unknown as Socket
}

/** Both directions of one connection. When the other side ends, so does this one; a connection is never half open for long. */
class Connection {
  /** As `opened`, for streams that wait for it. */
  readonly ready: Promise<void>
  readonly opened: Promise<{ remoteAddress: string }>
  readonly closed: Promise<void>
  readonly #bridge: Bridge
  readonly #connecting: Promise<HostSocket>
  #source: ByteSource | undefined
  #reader: StreamController | undefined
  #reading = true
  #writing = true
  #lastWrite: Promise<unknown> = Promise.resolve()
  #resolveClosed: () => void = nothing

  constructor(bridge: Bridge, connecting: Promise<HostSocket>) {
    this.#bridge = bridge
    this.#connecting = connecting
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.opened = connecting.then(({ remoteAddress, readable }) => {
      this.#source = hostSource(bridge, readable)
      return { remoteAddress }
    })
    this.ready = this.opened.then(nothing)
    this.ready.catch(() => this.#end())
  }

  begin(reader: StreamController): Promise<void> {
    this.#reader = reader
    return this.ready
  }

  async read(): Promise<void> {
    try {
      const chunk = await this.#source?.read()
      if (!this.#reading) return
      if (chunk) this.#reader?.enqueue(chunk)
      else this.#endReading()
    } catch (error) {
      this.#reading = false
      void this.stopWriting('stream.cancel')
      throw error
    }
  }

  #endReading(): void {
    this.#reading = false
    if (this.#reader) endOf(this.#reader)
    void this.stopWriting('stream.close')
  }

  stopReading(): void {
    if (!this.#reading) return
    this.#reading = false
    this.#source?.cancel()
    this.#noteEnd()
  }

  async write(chunk: unknown): Promise<void> {
    const bytes = toView(chunk)
    if (!this.#writing) throw new TypeError('The connection is closed')
    const { writable } = await this.#connecting
    const written = writeToHost(this.#bridge, writable, bytes)
    this.#lastWrite = written.catch(nothing)
    await written
  }

  async stopWriting(how: 'stream.close' | 'stream.cancel'): Promise<void> {
    if (!this.#writing) return
    this.#writing = false
    const { writable } = await this.#connecting
    if (how === 'stream.close') await this.#lastWrite
    await this.#bridge.callHost(how, [writable]).answer.catch(nothing)
    this.#noteEnd()
  }

  async close(): Promise<void> {
    await this.ready.catch(nothing)
    await this.#lastWrite
    if (this.#reading && this.#reader) endOf(this.#reader)
    this.stopReading()
    await this.stopWriting('stream.close')
  }

  /** What was here goes on in the connection that is answered. */
  async startTls(): Promise<HostSocket> {
    const { id } = await this.#connecting
    await this.#lastWrite
    if (this.#reading && this.#reader) endOf(this.#reader)
    this.#end()
    return (await this.#bridge.callHost('connect.startTls', [id]).answer) as HostSocket
  }

  #end(): void {
    this.#reading = false
    this.#writing = false
    this.#noteEnd()
  }

  #noteEnd(): void {
    if (!this.#reading && !this.#writing) this.#resolveClosed()
  }
}

function nothing(): void {}
