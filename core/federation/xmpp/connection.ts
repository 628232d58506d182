import { EventEmitter } from 'node:events'
import { component as createEntity, type Entity } from '@xmpp/component'
import type { Clock } from './clock.ts'
import { childText, type Element, elementsOf } from './stanza.ts'
import { createStreamParser, type StanzaLimits, StreamFault } from './stream-parser.ts'

export interface ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly jid: string
  readonly secret: string
  /** From the first packet to the end of the handshake. */
  readonly onlineWithinMs: number
  readonly limits: StanzaLimits
}

/** Why a connection ended. */
export interface LinkReason {
  /** A condition of RFC 6120, section 4.9.3, or `unreachable`, `no-handshake`, `silent`, `closed`, `stopped`. */
  readonly condition: string
  readonly text: string
}

export interface ConnectionEvents {
  online(): void
  /** Something arrived, no matter what. */
  heard(): void
  stanza(stanza: Element, bytes: number): void
  refused(head: Element, limit: string): void
  /** Comes exactly once, and last. */
  closed(reason: LinkReason): void
}

/** One attempt to be connected, and if it succeeds one stream. */
export interface Connection {
  /** @returns false when the stream is not open, or when the server has stopped reading */
  send(xml: string): boolean
  /** Ends the stream properly; the server gets a moment for its part. */
  close(): void
  /** Ends the connection at once. */
  destroy(reason: LinkReason): void
}

/** What may pile up in memory when the server does not read. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024
const TCP_KEEP_ALIVE_MS = 15_000
const FAREWELL_MS = 1_000
const STREAM_ERRORS = 'urn:ietf:params:xml:ns:xmpp-streams'
const STREAMS = 'http://etherx.jabber.org/streams'

/**
 * Connects to the component port of an XMPP server (XEP-0114) with the package `@xmpp/component`. Of it the connection, the
 * header and the handshake are used. Its parser is quadratic in the size of a chunk, its decoding breaks characters that
 * two chunks share, its answers to requests need no more than a known id, and it waits for ever after an attempt that hangs:
 * so the reading is ours from the first byte, its handling of requests is switched off, and every attempt ends in time.
 */
export function openConnection(
  options: ConnectionOptions,
  clock: Clock,
  events: ConnectionEvents,
): Connection {
  const { host, port, jid, onlineWithinMs } = options
  const entity = createEntity({ service: 'xmpp://', domain: jid, password: options.secret })
  let online = false
  let reason: LinkReason | undefined
  let gathered = ''

  entity.reconnect.stop()
  entity.removeAllListeners('element')
  entity.timeout = onlineWithinMs
  entity.socketParameters = () => ({ host, port })
  entity.Parser = EventEmitter
  entity._onData = read
  // What happens to the socket, and what the package has to say about the stream.
  entity.on('error', (error: Error) => note('unreachable', error.message))
  entity.on('connect', () => {
    entity.socket?.setNoDelay(true)
    entity.socket?.setKeepAlive(true, TCP_KEEP_ALIVE_MS)
  })
  entity.once('disconnect', () => {
    online = false
    cancelWatchdog()
    const why = reason ?? { condition: 'closed', text: 'the server closed the connection' }
    // Ends whatever the package still waits for, with its timers.
    entity.emit('error', new Error('the connection ended'))
    events.closed(why)
  })

  const cancelWatchdog = clock.after(onlineWithinMs, () =>
    destroy({ condition: 'no-handshake', text: `no handshake within ${onlineWithinMs} ms` }),
  )
  const parser = createStreamParser(options.limits, {
    header: (attrs) => entity.parser?.emit('start', { attrs }),
    stanza: received,
    refused: events.refused,
    end: () => destroy({ condition: 'closed', text: 'the server ended the stream' }),
  })

  function note(condition: string, text: string): void {
    reason ??= { condition, text }
  }

  function read(chunk: Buffer): void {
    if (reason) return
    events.heard()
    try {
      parser.write(chunk)
    } catch (error) {
      if (error instanceof StreamFault) fault(error)
      else fault(new StreamFault('internal-server-error', (error as Error).message))
    }
  }

  function received(stanza: Element, bytes: number): void {
    if (reason) return
    if (stanza.name === 'error' && stanza.namespace === STREAMS) streamError(stanza)
    else if (online) events.stanza(stanza, bytes)
    else if (stanza.name === 'handshake') accepted()
    else throw new StreamFault('not-authorized', `the server sent ${stanza.name} too early`)
  }

  function accepted(): void {
    entity.parser?.emit('element', libraryElement('handshake'))
    online = true
    cancelWatchdog()
    events.online()
  }

  /** The server's last word (RFC 6120, section 4.9). */
  function streamError(error: Element): void {
    const said = elementsOf(error).filter(({ namespace }) => namespace === STREAM_ERRORS)
    const condition = said.find(({ name }) => name !== 'text')?.name ?? 'undefined-condition'
    const text = childText(error, 'text') || `the server ended the stream with ${condition}`
    destroy({ condition, text })
  }

  /** The server is told before the end (RFC 6120, section 4.9.1.1). */
  function fault({ condition, message }: StreamFault): void {
    note(condition, `the server broke the rules of the stream: ${message}`)
    end(`<stream:error><${condition} xmlns='${STREAM_ERRORS}'/></stream:error></stream:stream>`)
  }

  /** What is said in one turn of the loop goes out in one write: for small stanzas each write costs more than they do. */
  function flush(): void {
    const xml = gathered
    gathered = ''
    if (xml !== '' && entity.socket?.writable) entity.socket.write(xml)
  }

  function end(lastWords: string): void {
    online = false
    flush()
    if (entity.socket?.writable) entity.socket.end(lastWords)
    const cancel = clock.after(FAREWELL_MS, () => entity.socket?.destroy())
    entity.once('disconnect', cancel)
  }

  function destroy(why: LinkReason): void {
    online = false
    note(why.condition, why.text)
    entity.socket?.destroy()
  }

  connect(entity, jid).catch((error: Error) =>
    destroy({ condition: 'unreachable', text: error.message }),
  )

  return {
    send(xml) {
      const { socket } = entity
      if (!online || !socket?.writable) return false
      if (socket.writableLength + gathered.length > MAX_UNREAD_BYTES) return false
      if (gathered === '') process.nextTick(flush)
      gathered += xml
      return true
    },
    close() {
      note('stopped', 'this site ended the stream')
      end('</stream:stream>')
    },
    destroy,
  }
}

async function connect(entity: Entity, domain: string): Promise<void> {
  await entity.connect('')
  await entity.open({ domain })
}

/** As much of an element as the package looks at. */
function libraryElement(name: string) {
  return { name, attrs: {}, is: () => false }
}
