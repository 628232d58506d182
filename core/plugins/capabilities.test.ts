import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { after, before, type TestContext, test } from 'node:test'
import { TLSSocket } from 'node:tls'
import type { PluginManifest } from '@fogbow/plugin-sdk'
import { defaultLimits, startSandbox, type WorkerLauncher, workerLauncher } from '@fogbow/sandbox'
import type { LoadedConfig, PluginConfig } from '../config/index.ts'
import { openSqliteStore, type Store } from '../store/index.ts'
import { type HttpSite, serveHttp } from './brokers/testing/http-site.ts'
import { createPrivateCa, type PrivateCa } from './brokers/testing/private-ca.ts'
import { startRawServer } from './brokers/testing/raw-server.ts'
import { openCapabilities } from './capabilities.ts'

let store: Store
let ca: PrivateCa
let launcher: WorkerLauncher
before(async () => {
  store = await openSqliteStore(':memory:')
  ca = await createPrivateCa()
  launcher = workerLauncher()
})
after(async () => {
  await store.close()
  await ca.remove()
})

interface Setting {
  asked?: string[]
  config?: Record<string, unknown>
  grants?: Partial<PluginConfig['grants']>
}

/** A plugin in a sandbox with all that it is granted; answers what `body` comes to. */
async function openPlugin(t: TestContext, body: string, setting: Setting) {
  const manifest: PluginManifest = {
    sdk: '^0.1.0',
    kinds: ['image'],
    entry: './index.js',
    capabilities: { network: setting.asked ?? [], secrets: ['key'], storage: true },
  }
  const config = {
    package: 'x',
    config: setting.config ?? {},
    secrets: { key: 'env:KEY' },
    grants: { network: ['*'], addresses: [], storageMiB: 1, ...setting.grants },
    network: { caFiles: [ca.file] },
    limits: defaultLimits,
  }
  const loaded = { config: { network: {} }, folder: '/', dataDir: '/' } as LoadedConfig
  const traffic = { sent: 0, received: 0 }
  const capabilities = await openCapabilities('cloud', config, manifest, loaded, {
    store,
    readSecret: async (reference) => `value of ${reference}`,
    onTraffic(bytes) {
      traffic.sent += bytes.sent
      traffic.received += bytes.received
    },
    onProblem() {},
  })
  const code = `module.exports.default = { async create(host) { return { image: {
    async getAllImages() { return [] },
    async getImage(id) {
      const run = async () => { ${body} }
      return { id, name: JSON.stringify(await run().catch((error) => 'failed: ' + error.code + ' ' + error.message)) }
    },
  } } } }`
  const sandbox = await startSandbox(
    {
      name: 'cloud',
      bundle: { code, hash: createHash('sha256').update(code).digest('hex') },
      config: config.config,
      kinds: ['image'],
      limits: defaultLimits,
      host: capabilities.methods,
      onLog() {},
    },
    { launcher },
  )
  t.after(async () => {
    await sandbox.stop()
    capabilities.close()
  })
  const run = async () => {
    const { name } = (await sandbox.call('image.getImage', ['i', {}])) as { name: string }
    return JSON.parse(name) as unknown
  }
  return { run, sandbox, capabilities, traffic }
}

/** The same, with an endpoint that the administrator wrote. */
async function openCloud(t: TestContext, answer: RequestListener, body: string) {
  const site: HttpSite = await serveHttp(t, answer)
  const config = { url: site.origin }
  return { site, ...(await openPlugin(t, body, { asked: ['{config.url.host}'], config })) }
}

const echo: RequestListener = (request, response) => void request.pipe(response)

test('a plugin in its sandbox sends and gets short bodies', async (t) => {
  const { run } = await openCloud(
    t,
    echo,
    `const answer = await host.fetch(host.config.url, { method: 'POST', body: 'hello' })
     return [answer.status, await answer.text()]`,
  )
  assert.deepEqual(await run(), [200, 'hello'])
})

test('a plugin in its sandbox sends and gets long bodies, chunk by chunk', async (t) => {
  const { run } = await openCloud(
    t,
    echo,
    `let left = 64
     const body = new ReadableStream({
       pull(controller) {
         if (left-- > 0) controller.enqueue(new Uint8Array(65536).fill(left))
         else controller.close()
       },
     })
     const answer = await host.fetch(host.config.url, { method: 'PUT', body, duplex: 'half' })
     let bytes = 0, sum = 0
     const reader = answer.body.getReader()
     for (let next = await reader.read(); !next.done; next = await reader.read()) {
       bytes += next.value.length
       sum += next.value[0]
     }
     return bytes`,
  )
  assert.equal(await run(), 64 * 65_536)
})

test('a plugin that gives a request up in its sandbox ends it at the server', async (t) => {
  const { run, site } = await openCloud(
    t,
    (_request, response) => void response.write('a little'),
    `const controller = new AbortController()
     const answer = await host.fetch(host.config.url, { signal: controller.signal })
     const reader = answer.body.getReader()
     await reader.read()
     const waiting = reader.read().catch((error) => error.name)
     controller.abort()
     return waiting`,
  )
  assert.equal(await run(), 'AbortError')
  await site.left()
})

test('a sandbox that ends takes its requests with it', async (t) => {
  const reached = Promise.withResolvers<void>()
  const { run, site, sandbox } = await openCloud(
    t,
    (_request, response) => {
      response.write('a little')
      reached.resolve()
    },
    `const answer = await host.fetch(host.config.url)
     const reader = answer.body.getReader()
     for (;;) await reader.read()`,
  )
  const failing = assert.rejects(run(), { code: 'plugin_failure' })
  await reached.promise
  await sandbox.stop()
  await failing
  await site.left()
})

test('a redirect that the plugin’s fetch follows leads nowhere that was not granted', async (t) => {
  const other = await serveHttp(t, echo)
  const { run, sandbox } = await openCloud(
    t,
    (_request, response) => void response.writeHead(307, { location: other.origin }).end(),
    'return (await host.fetch(host.config.url)).status',
  )
  assert.match(String(await run()), /^failed: unauthorized Plugin 'cloud' may not reach http:/)
  assert.equal(other.connections(), 0)
  assert.equal(sandbox.stats().deniedHostCalls, 1)
})

test('a plugin in its sandbox talks TCP and goes over to TLS', async (t) => {
  const identity = await ca.issue('IP:127.0.0.1')
  const server = await startRawServer(t, (socket) => {
    socket.once('data', () => {
      socket.write('ready')
      const secured = new TLSSocket(socket, { isServer: true, ...identity })
      secured.on('error', () => {})
      secured.pipe(secured)
    })
  })
  const body = `
    const exchange = async ({ readable, writable }, text) => {
      const writer = writable.getWriter()
      await writer.write(new TextEncoder().encode(text))
      writer.releaseLock()
      const reader = readable.getReader()
      const { value } = await reader.read()
      reader.releaseLock()
      return new TextDecoder().decode(value)
    }
    const plain = host.connect({ hostname: '127.0.0.1', port: ${server.port} }, { secureTransport: 'starttls' })
    const { remoteAddress } = await plain.opened
    const first = await exchange(plain, 'start tls')
    const secured = plain.startTls()
    const second = await exchange(secured, 'hello')
    await secured.close()
    return [remoteAddress, first, second]`
  const { run } = await openPlugin(t, body, {
    asked: ['tcp://{config.server.hostname}:*'],
    config: { server: '127.0.0.1' },
  })
  assert.deepEqual(await run(), ['127.0.0.1', 'ready', 'hello'])
  await server.left()
})

test('a plugin in its sandbox stores within its quota and reads its secret', async (t) => {
  const body = `
    await host.storage.set('nothing', null)
    const refused = await host.storage.write([
      { key: 'a', value: 'x'.repeat(900000) },
      { key: 'b', value: 'x'.repeat(900000) },
    ]).catch((error) => error.code)
    return [await host.storage.get('nothing'), (await host.storage.get('a')) === undefined, refused, await host.secrets.get('key')]`
  const { run } = await openPlugin(t, body, {})
  assert.deepEqual(await run(), [null, true, 'quota_exceeded', 'value of env:KEY'])
})

test('what a plugin may reach is shown as it came of manifest, grants and settings', async (t) => {
  const { capabilities } = await openPlugin(t, '', {
    asked: ['{config.url.host}', '*.cloud.example:*', 'tcp://*.example:389'],
    config: { url: 'https://keystone.cloud.example:5000/v3' },
    grants: { network: ['{config.url.host}', 'nova.cloud.example:8774'] },
  })
  assert.deepEqual(capabilities.shown, {
    network: ['keystone.cloud.example:5000', 'nova.cloud.example:8774'],
    secrets: ['key'],
    storage: true,
  })
})

test('bytes between a plugin and the network are told when a connection ends, if not before', async (t) => {
  const { run, traffic, capabilities, site } = await openCloud(
    t,
    echo,
    `const answer = await host.fetch(host.config.url, { method: 'POST', body: 'x'.repeat(50000) })
     return (await answer.text()).length`,
  )
  assert.equal(await run(), 50_000)
  const [socket] = site.sockets
  capabilities.close()
  if (socket && !socket.destroyed) await once(socket, 'close')
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(traffic.sent > 50_000 && traffic.received > 50_000, JSON.stringify(traffic))
})
