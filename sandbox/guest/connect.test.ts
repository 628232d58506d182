import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { imageSpec } from '../fixtures/plugin-spec.ts'
import { runCode } from '../fixtures/run-code.ts'
import { inEachTier } from '../fixtures/tiers.ts'
import {
  type ByteSink,
  type HostCall,
  type HostMethod,
  type Sandbox,
  startSandbox,
} from '../index.ts'

/** One connection as a broker would serve it: what is written comes back in upper case, until it is closed. */
class EchoConnection implements ByteSink, AsyncIterableIterator<Uint8Array> {
  readonly events: string[] = []
  readonly written: string[] = []
  #waiting: ((step: IteratorResult<Uint8Array>) => void) | undefined
  #queue: Uint8Array[] = []
  #ended = false

  async write(chunk: Uint8Array): Promise<void> {
    const text = Buffer.from(chunk).toString()
    this.written.push(text)
    if (text === 'bye') return this.end()
    this.#queue.push(Buffer.from(text.toUpperCase()))
    this.#wake()
  }

  async close(): Promise<void> {
    this.events.push('closed')
  }

  abort(reason: Error): void {
    this.events.push(`aborted: ${reason.message}`)
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve) => {
      this.#waiting = resolve
      this.#wake()
    })
  }

  #wake(): void {
    const chunk = this.#queue[0]
    if (!this.#waiting || (!chunk && !this.#ended)) return
    this.#queue.shift()
    this.#waiting(chunk ? { done: false, value: chunk } : { done: true, value: undefined })
    this.#waiting = undefined
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.events.push('returned')
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/** Broker of the tests: accepts everything but port 1, and remembers what it was asked. */
function echoBroker() {
  const asked: unknown[] = []
  const connections: EchoConnection[] = []
  const streams: [readable: number, writable: number][] = []
  function accept({ streams: table }: HostCall) {
    const connection = new EchoConnection()
    connections.push(connection)
    const readable = table.offer(connection)
    const writable = table.receive(connection)
    streams.push([readable, writable])
    return { id: connections.length, remoteAddress: '192.0.2.1', readable, writable }
  }
  const host: Record<string, HostMethod> = {
    connect: async ([address], call) => {
      asked.push(address)
      if ((address as { port: number }).port === 1)
        throw new FogbowError('unauthorized', 'port 1 is not granted')
      return accept(call)
    },
    'connect.startTls': async ([id], call) => {
      asked.push(id)
      for (const stream of streams[(id as number) - 1] ?? []) call.streams.release(stream)
      return accept(call)
    },
  }
  return { host, asked, connections }
}

const text = `
const encode = (text) => new TextEncoder().encode(text)
const decode = (bytes) => bytes && new TextDecoder().decode(bytes)
const talk = async (socket, words) => {
  const writer = socket.writable.getWriter()
  const reader = socket.readable.getReader()
  const heard = []
  for (const word of words) {
    await writer.write(encode(word))
    heard.push(decode((await reader.read()).value))
  }
  writer.releaseLock()
  reader.releaseLock()
  return heard
}
`

await inEachTier((launcher) => {
  const started: Sandbox[] = []
  after(() => Promise.all(started.map((sandbox) => sandbox.stop())))

  async function start(body: string, host: Record<string, HostMethod>): Promise<Sandbox> {
    const sandbox = await startSandbox(imageSpec(body, { host }), { launcher })
    started.push(sandbox)
    return sandbox
  }

  test('a socket carries bytes both ways and ends when it is closed', async () => {
    const broker = echoBroker()
    const sandbox = await start(
      `${text}
    const socket = host.connect({ hostname: 'ldap.example', port: 389 })
    const { remoteAddress } = await socket.opened
    const heard = await talk(socket, ['one', 'two'])
    await socket.close()
    await socket.closed
    const late = await socket.writable.getWriter().write(encode('x')).catch((error) => error.name)
    return [remoteAddress, heard, late, (await socket.readable.getReader().read()).done, connect === host.connect]`,
      broker.host,
    )
    assert.deepEqual(await runCode(sandbox), ['192.0.2.1', ['ONE', 'TWO'], 'TypeError', true, true])
    assert.deepEqual(broker.asked, [
      { hostname: 'ldap.example', port: 389, secureTransport: 'off' },
    ])
    assert.deepEqual(broker.connections[0]?.events.sort(), ['closed', 'returned'])
  })

  test('closing a socket ends a read that is pending', async () => {
    const broker = echoBroker()
    const sandbox = await start(
      `${text}
    const socket = connect({ hostname: 'h', port: 2 }, { secureTransport: 'on' })
    const read = socket.readable.getReader().read()
    await socket.opened
    await socket.close()
    return (await read).done`,
      broker.host,
    )
    assert.equal(await runCode(sandbox), true)
    assert.deepEqual(broker.connections[0]?.events.sort(), ['closed', 'returned'])
  })

  test('when the other side ends the connection, so does the socket', async () => {
    const broker = echoBroker()
    const sandbox = await start(
      `${text}
    const socket = connect({ hostname: 'h', port: 2 })
    const writer = socket.writable.getWriter()
    await writer.write(encode('bye'))
    const { done } = await socket.readable.getReader().read()
    await socket.closed
    await writer.close()
    return done`,
      broker.host,
    )
    assert.equal(await runCode(sandbox), true)
    assert.deepEqual(broker.connections[0]?.events, ['closed'])
  })

  test('a refused connection fails everything that waits for it, with the reason', async () => {
    const broker = echoBroker()
    const sandbox = await start(
      `${text}
    const socket = connect({ hostname: 'h', port: 1 })
    const failed = (promise) => promise.then(() => 'fine', (error) => error.code)
    const outcomes = await Promise.all([
      failed(socket.opened), failed(socket.readable.getReader().read()), failed(socket.writable.getWriter().write(encode('x'))),
    ])
    await socket.closed
    await socket.close()
    return outcomes`,
      broker.host,
    )
    assert.deepEqual(await runCode(sandbox), ['unauthorized', 'unauthorized', 'unauthorized'])
    assert.equal(sandbox.stats().deniedHostCalls, 1)
  })

  test('startTls goes on in another socket, and the numbers of the old streams are free', async () => {
    const broker = echoBroker()
    const sandbox = await start(
      `${text}
    const plain = connect({ hostname: 'h', port: 389 }, { secureTransport: 'starttls' })
    const before = await talk(plain, ['plain'])
    const secure = plain.startTls()
    let again
    try { plain.startTls() } catch (error) { again = error.name }
    await plain.closed
    const after = await talk(secure, ['secret'])
    let twice
    try { secure.startTls() } catch (error) { twice = error.name }
    await secure.close()
    return [before, after, again, twice]`,
      broker.host,
    )
    assert.deepEqual(await runCode(sandbox), [['PLAIN'], ['SECRET'], 'TypeError', 'TypeError'])
    assert.deepEqual(broker.asked, [{ hostname: 'h', port: 389, secureTransport: 'starttls' }, 1])
    assert.deepEqual(broker.connections[0]?.events, [])
    assert.deepEqual(broker.connections[1]?.written, ['secret'])
  })

  test('the end of the sandbox ends its connections', async () => {
    const broker = echoBroker()
    const sandbox = await start(
      `const socket = connect({ hostname: 'h', port: 2 }); await socket.opened; socket.readable.getReader().read()`,
      broker.host,
    )
    await runCode(sandbox)
    await sandbox.stop()
    assert.deepEqual(broker.connections[0]?.events.sort(), [
      "aborted: Plugin 'sample' was stopped",
      'returned',
    ])
  })
})
