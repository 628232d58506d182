import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket as NetSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates, TLSSocket } from 'node:tls'
import type { Socket } from '../host.ts'
import { connectDirectly } from './direct-connect.ts'

async function serve(t: TestContext, answer: (socket: NetSocket) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    answer(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { hostname: 'localhost', port: (server.address() as AddressInfo).port }
}

async function createIdentity(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'fogbow-identity-'))
  t.after(() => rm(folder, { recursive: true }))
  const files = ['-keyout', 'key.pem', '-out', 'cert.pem', '-days', '2', '-nodes']
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  execFileSync('openssl', ['req', '-x509', ...curve, ...files, ...names], {
    cwd: folder,
    stdio: 'ignore',
  })
  const read = (file: string) => readFile(join(folder, file), 'utf8')
  return { key: await read('key.pem'), cert: await read('cert.pem') }
}

async function exchange({ readable, writable }: Socket, text: string): Promise<string> {
  const [writer, reader] = [writable.getWriter(), readable.getReader()]
  await writer.write(new TextEncoder().encode(text))
  const { value } = await reader.read()
  writer.releaseLock()
  reader.releaseLock()
  return Buffer.from(value ?? []).toString()
}

test('a connection carries bytes both ways and is closed by either side', async (t) => {
  const address = await serve(t, (socket) => socket.pipe(socket))
  const socket = connectDirectly(address)
  assert.match((await socket.opened).remoteAddress, /127\.0\.0\.1$/)
  assert.equal(await exchange(socket, 'hello'), 'hello')
  assert.throws(() => socket.startTls(), TypeError)
  await socket.close()
  await socket.closed
})

test('TLS is there from the start, or is begun later', async (t) => {
  const identity = await createIdentity(t)
  const before = getCACertificates('default')
  setDefaultCACertificates([identity.cert])
  t.after(() => setDefaultCACertificates(before))
  const echo = (socket: NetSocket) => socket.pipe(socket)
  const secured = (socket: NetSocket) =>
    echo(new TLSSocket(socket, { isServer: true, ...identity }))
  const atOnce = connectDirectly(await serve(t, secured), { secureTransport: 'on' })
  assert.equal(await exchange(atOnce, 'hello'), 'hello')
  await atOnce.close()
  const later = await serve(t, (socket) =>
    socket.once('data', () => {
      socket.write('ready')
      secured(socket)
    }),
  )
  const plain = connectDirectly(later, { secureTransport: 'starttls' })
  assert.equal(await exchange(plain, 'start tls'), 'ready')
  const tls = plain.startTls()
  assert.equal(await exchange(tls, 'hello'), 'hello')
  await tls.close()
})

test('a server that is not there is unavailable', async () => {
  await assert.rejects(connectDirectly({ hostname: '127.0.0.1', port: 1 }).opened, {
    code: 'unavailable_provider',
    message: '127.0.0.1:1 cannot be reached: ECONNREFUSED',
  })
})
