import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { watchHostLanguage } from './host-language.ts'
import { toolsFor } from './tools.ts'

/** What no plugin may get at, and what notices when one does. */
export interface Prey {
  readonly targets: Targets
  /** Source of what every attack may use: see `tools.ts`. */
  readonly tools: string
  /**
   * What was reached since the last question, in words; empty when nothing was.
   * @param heard - everything that came out of the sandbox
   */
  effects(heard: unknown): Promise<string[]>
}

export interface Targets {
  /** A file that the host can read. */
  file: string
  /** A file that is not there, in a folder that the host may write to. */
  trace: string
  /** A variable of the host's environment. */
  variable: string
  tcpPort: number
  udpPort: number
  unixSocket: string
}

/** Made once per test file; goes when its tests are through. */
export async function createPrey(): Promise<Prey> {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-prey-'))
  const file = join(folder, 'secret')
  const trace = join(folder, 'trace')
  const unixSocket = join(folder, 'socket')
  const fileText = `file-${randomBytes(16).toString('hex')}`
  const variable = 'FOGBOW_PREY'
  const variableText = `variable-${randomBytes(16).toString('hex')}`
  writeFileSync(file, fileText)
  process.env[variable] = variableText
  const tcp = await listenTcp({ port: 0, host: '127.0.0.1' })
  const unix = await listenTcp({ path: unixSocket })
  const udp = await listenUdp()
  const hostLanguage = watchHostLanguage()
  const targets = { file, trace, variable, tcpPort: tcp.port, udpPort: udp.port, unixSocket }

  after(() => {
    for (const listener of [tcp, unix, udp]) listener.close()
    rmSync(folder, { recursive: true, force: true })
    delete process.env[variable]
  })

  return {
    targets,
    tools: toolsFor(targets),
    async effects(heard) {
      const text = textOf(heard)
      const written = existsSync(trace)
      rmSync(trace, { force: true })
      const found: [string, boolean][] = [
        ['file read', text.includes(fileText)],
        // The second is in the block that the process was started with, which `/proc` shows.
        [
          'environment read',
          text.includes(variableText) || text.includes(String(process.env.PATH)),
        ],
        ['file written', written],
        ['TCP connection', (await tcp.visitors()) > 0],
        ['connection to a Unix socket', (await unix.visitors()) > 0],
        ['UDP datagram', (await udp.visitors()) > 0],
        ...hostLanguage.changes().map((what): [string, boolean] => [`${what} changed`, true]),
      ]
      return found.filter(([, happened]) => happened).map(([what]) => what)
    },
  }
}

function textOf(heard: unknown): string {
  const seen = new Set<object>()
  const texts: string[] = []
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) {
      texts.push(String(value))
    } else if (!seen.has(value)) {
      seen.add(value)
      for (const key of Reflect.ownKeys(value)) {
        texts.push(String(key))
        visit(Reflect.get(value, key))
      }
    }
  }
  visit(heard)
  return texts.join('\n')
}

interface Listener {
  port: number
  /** Visitors since the last question. Waits for a visit of its own: who came earlier has been seen by then. */
  visitors(): Promise<number>
  close(): void
}

async function listenTcp(address: { port: number; host: string } | { path: string }) {
  let visits = 0
  const server = createServer((socket) => {
    visits++
    socket.on('error', () => {}).end()
  })
  server.listen(address)
  await once(server, 'listening')
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  const target = 'path' in address ? address : { port, host: address.host }
  const listener: Listener = {
    port,
    async visitors() {
      const own = connect(target)
      own.resume()
      await once(own, 'close')
      const others = visits - 1
      visits = 0
      return others
    },
    close: () => server.close(),
  }
  return listener
}

async function listenUdp(): Promise<Listener> {
  let visits = 0
  const socket = createSocket('udp4')
  const own = randomBytes(8)
  let onOwn = () => {}
  socket.on('message', (message) => {
    if (message.equals(own)) onOwn()
    else visits++
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  return {
    port,
    async visitors() {
      await new Promise<void>((resolve) => {
        onOwn = resolve
        socket.send(own, port, '127.0.0.1')
      })
      const others = visits
      visits = 0
      return others
    },
    close: () => socket.close(),
  }
}
