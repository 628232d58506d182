import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** What the fake does with a new connection; `silent` says nothing at all, `header` only opens its stream. */
export type Welcome = 'accept' | 'silent' | 'header' | { refuse: string }

/** The server's end of one component's stream, as raw text. */
export interface FakeStream {
  readonly socket: Socket
  /** Name under which the component came. */
  readonly jid: string
  /** The next stanza that the component sends. */
  next(): Promise<string>
  /** Stanzas that came and were not asked for with `next`. */
  readonly unread: readonly string[]
  write(data: string | Buffer): void
  /** Resolves once the component is gone. */
  readonly closed: Promise<unknown>
}

export interface FakeServer {
  readonly port: number
  welcome: Welcome
  /** Delivers stanzas among the components that are connected, as a server does. */
  routing: boolean
  /** The next stream, its handshake done if `welcome` is `accept`. */
  stream(): Promise<FakeStream>
  readonly connections: number
  close(): Promise<void>
}

export const SECRET = 'correct horse'
const STANZA = /<(iq|message|presence)\b[^>]*?(?:\/>|>.*?<\/\1>)/s

/** A component port in this process that does what it is told, bad manners included. */
export async function startFakeServer(): Promise<FakeServer> {
  const streams: FakeStream[] = []
  const waiting: ((stream: FakeStream) => void)[] = []
  const live = new Map<string, FakeStream>()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    server.connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    socket.setNoDelay(true)
    void welcomeOne(socket)
  }) as ReturnType<typeof createServer> & { connections: number }
  server.connections = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  async function welcomeOne(socket: Socket): Promise<void> {
    const { welcome } = fake
    let text = ''
    const more = async (pattern: RegExp): Promise<RegExpExecArray> => {
      for (;;) {
        const match = pattern.exec(text)
        if (match) {
          text = text.slice(match.index + match[0].length)
          return match
        }
        text += String((await once(socket, 'data'))[0])
      }
    }
    const stream = (jid: string) => {
      const made = openStream(socket, jid, text)
      const taker = waiting.shift()
      if (taker) taker(made)
      else streams.push(made)
      return made
    }
    const jid = (await more(/<stream:stream\b[^>]* to=["']([^"']*)["'][^>]*>/))[1] ?? ''
    if (welcome === 'silent') return void stream(jid)
    socket.write(header(jid))
    if (welcome === 'header') return void stream(jid)
    const proof = (await more(/<handshake>(.*?)<\/handshake>/))[1]
    const expected = createHash('sha1').update(`${STREAM_ID}${SECRET}`).digest('hex')
    const refusal =
      typeof welcome === 'object' ? welcome.refuse : proof !== expected && 'not-authorized'
    if (refusal) return void socket.end(streamError(refusal))
    socket.write('<handshake/>')
    live.set(jid, stream(jid))
  }

  function openStream(socket: Socket, jid: string, rest: string): FakeStream {
    const unread: string[] = []
    const takers: ((stanza: string) => void)[] = []
    let text = rest
    const take = (chunk: string) => {
      text += chunk
      for (let match = STANZA.exec(text); match; match = STANZA.exec(text)) {
        text = text.slice(match.index + match[0].length)
        const to = attribute(match[0], 'to')
        const target = fake.routing ? live.get(to) : undefined
        if (target) target.write(match[0])
        else {
          const taker = takers.shift()
          if (taker) taker(match[0])
          else unread.push(match[0])
        }
      }
    }
    socket.on('data', (data) => take(String(data)))
    take('')
    return {
      socket,
      jid,
      unread,
      next: () => {
        const ready = unread.shift()
        return ready === undefined
          ? new Promise((resolve) => takers.push(resolve))
          : Promise.resolve(ready)
      },
      write: (data) => socket.write(data),
      closed: new Promise((resolve) => socket.once('close', resolve)),
    }
  }

  const fake: FakeServer = {
    port: (server.address() as AddressInfo).port,
    welcome: 'accept',
    routing: false,
    stream: () => {
      const ready = streams.shift()
      return ready ? Promise.resolve(ready) : new Promise((resolve) => waiting.push(resolve))
    },
    get connections() {
      return server.connections
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return fake
}

const STREAM_ID = 's1'

export function header(jid: string): string {
  return `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' from='${jid}' id='${STREAM_ID}'>`
}

export function streamError(condition: string): string {
  return `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`
}

export function attribute(stanza: string, name: string): string {
  const head = stanza.slice(0, stanza.indexOf('>'))
  return new RegExp(` ${name}=["']([^"']*)["']`).exec(head)?.[1] ?? ''
}
