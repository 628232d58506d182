import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'

/** A component that says whatever it is told to its server, good manners or not. */
export interface RawComponent {
  readonly socket: Socket
  send(text: string): void
  /** The last that the server said. */
  readonly heard: string
  /** Stanzas that came, answers mostly. */
  readonly arrived: number
  /** The server ended the stream. */
  readonly isOver: boolean
  close(): void
}

const STANZA = '<iq '

/** @throws when the server does not take it */
export async function openRawComponent(options: {
  host: string
  port: number
  jid: string
  secret: string
}): Promise<RawComponent> {
  const { host, port, jid, secret } = options
  const socket = createConnection({ host, port })
  let heard = ''
  let arrived = 0
  socket.on('data', (chunk) => {
    const fresh = heard.slice(1 - STANZA.length) + chunk.toString('latin1')
    arrived += fresh.split(STANZA).length - 1
    // A flood is answered with a flood.
    heard = (heard + chunk.toString('latin1')).slice(-10_000)
  })
  socket.on('error', () => {})
  const says = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = pattern.exec(heard)
      if (found) return found[1] ?? found[0]
      if (socket.destroyed) throw new Error(`${host} said ${heard}`)
      await Promise.race([once(socket, 'data'), once(socket, 'close')])
    }
  }
  await once(socket, 'connect')
  const spaces = `xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'`
  socket.write(`<?xml version='1.0'?><stream:stream ${spaces} to='${jid}'>`)
  const id = await says(/<stream:stream[^>]*\bid=['"]([^'"]+)['"]/)
  socket.write(
    `<handshake>${createHash('sha1')
      .update(id + secret)
      .digest('hex')}</handshake>`,
  )
  await says(/<handshake\s*\/>|<handshake>\s*<\/handshake>/)
  return {
    socket,
    send: (text) => void (socket.writable && socket.write(text)),
    get heard() {
      return heard
    },
    get arrived() {
      return arrived
    },
    get isOver() {
      return socket.destroyed || heard.includes('</stream:stream>')
    },
    close: () => void socket.destroy(),
  }
}
