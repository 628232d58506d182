import type { Socket } from 'node:net'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { ByteSink } from '@fogbow/sandbox'
import { pull } from './pull.ts'

export interface SocketStreams {
  source: AsyncIterable<Uint8Array>
  sink: ByteSink
  /** Lets go of the socket: the streams end, the connection does not. */
  detach(): void
}

export interface SocketRules {
  /** Whom it is connected to, for messages. */
  peer: string
  /** Longest silence in both directions. */
  idleMs: number
  totalMs: number
}

/**
 * The two directions of a socket, a chunk at a time. Each may end before the other; when both have, the socket is closed.
 */
export function toStreams(socket: Socket, rules: SocketRules): SocketStreams {
  const { peer } = rules
  let attached = true
  let reading = true
  let writing = true

  const failed = (code: 'timeout' | 'unavailable_provider', problem: string) =>
    new FogbowError(code, `The connection to ${peer} ${problem}`)
  const closed = new AbortController()
  const giveUp = (error: FogbowError) => {
    closed.abort(error)
    socket.destroy()
  }
  const total = setTimeout(
    () => giveUp(failed('timeout', `was open for ${rules.totalMs} ms`)),
    rules.totalMs,
  ).unref()
  socket.setTimeout(rules.idleMs, () =>
    giveUp(failed('timeout', `was silent for ${rules.idleMs} ms`)),
  )
  socket.once('close', () => clearTimeout(total))

  const source = pull(socket, {
    what: `The connection to ${peer}`,
    signal: closed.signal,
    onEnd() {
      reading = false
      if (socket.readableEnded) closeWhenDone()
      // What nobody reads any more must not hold up the other direction.
      else if (writing && !socket.destroyed) socket.resume()
      else socket.destroy()
    },
  })

  function closeWhenDone(): void {
    if (!reading && !writing && socket.writableFinished) socket.destroy()
  }

  async function write(chunk: Uint8Array): Promise<void> {
    if (!attached) throw failed('unavailable_provider', 'goes on with TLS elsewhere')
    if (closed.signal.aborted) throw closed.signal.reason
    if (!socket.writable) throw failed('unavailable_provider', 'is closed')
    if (socket.write(chunk)) return
    await new Promise<void>((resolve) => {
      const go = () => {
        for (const event of goOn) socket.off(event, go)
        resolve()
      }
      for (const event of goOn) socket.on(event, go)
    })
  }

  return {
    source,
    sink: {
      write,
      async close() {
        writing = false
        if (attached) socket.end(closeWhenDone)
      },
      abort() {
        writing = false
        if (attached) socket.destroy()
      },
    },
    detach() {
      clearTimeout(total)
      socket.setTimeout(0)
      attached = false
      source.letGo()
    },
  }
}

const goOn = ['drain', 'close'] as const
