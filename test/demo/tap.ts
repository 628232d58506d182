import { once } from 'node:events'
import { createConnection, createServer, type Socket } from 'node:net'

/** A message of a site, as it went by between the site and its XMPP server. */
export interface Passed {
  /** Request and answer share it. */
  readonly id: string
  readonly kind: 'request' | 'answer'
  /** Of a request, and the state that it tells. */
  readonly method: string | undefined
  readonly direction: 'out' | 'in'
  readonly from: string
  readonly to: string
  /** ms since the epoch, with fractions */
  readonly at: number
}

export interface Tap {
  readonly port: number
  readonly passed: readonly Passed[]
  close(): void
}

const MESSAGE = /<(request|answer) xmlns=['"]urn:fogbow:federation:1['"]>([^<]+)</g
const LONGEST_KEPT = 262_144

/** Stands between a site and the component port of its server, and notes the signed messages that go by. */
export async function openTap(host: string, port: number, serverPort: number): Promise<Tap> {
  const passed: Passed[] = []
  const sockets = new Set<Socket>()
  const server = createServer((site) => {
    const xmpp = createConnection({ host, port: serverPort })
    for (const [from, to, direction] of [
      [site, xmpp, 'out'],
      [xmpp, site, 'in'],
    ] as const) {
      const note = createReader((message) => passed.push({ ...message, direction, at: now() }))
      sockets.add(from)
      from.setNoDelay(true)
      from.on('data', (chunk: Buffer) => {
        to.write(chunk)
        note(chunk)
      })
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  await once(server.listen(port, host), 'listening')
  return {
    port,
    passed,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

export function now(): number {
  return performance.timeOrigin + performance.now()
}

interface Claims {
  jti: string
  iss: string
  aud: string
  method: string | undefined
  params?: { state?: string }
}

type Read = Omit<Passed, 'direction' | 'at'>

function createReader(found: (message: Read) => void): (chunk: Buffer) => void {
  let text = ''
  return (chunk) => {
    text += chunk.toString('latin1')
    let end = 0
    for (const match of text.matchAll(MESSAGE)) {
      const message = readMessage(match[1] as Read['kind'], match[2] ?? '')
      if (message) found(message)
      end = match.index + match[0].length
    }
    text = text.slice(end).slice(-LONGEST_KEPT)
  }
}

/** Signed, not secret: whoever stands on the way can read it, and change nothing. */
function readMessage(kind: Read['kind'], jws: string): Read | undefined {
  try {
    const claims = JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString())
    const { jti: id, iss: from, aud: to, method, params } = claims as Claims
    return { id, kind, from, to, method: params?.state ? `${method} ${params.state}` : method }
  } catch {
    return undefined
  }
}
